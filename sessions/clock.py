"""The clock: what time it is, and waiting until a time."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The only time that a system knows: every timeout, grace and interval is read from here.

    A limit is due when now() has reached its start plus its length (the contract, Clock).
    """

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...

    async def sleep_until(self, t: float) -> None:
        """Return once now() is at least t; at once if it is already."""
        ...


class SystemClock:
    """The machine's clock: the epoch read once, then counted on, so that it never goes back."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def now(self) -> float:
        return self._epoch + time.monotonic()

    async def sleep_until(self, t: float) -> None:
        while (left := t - self.now()) > 0:
            await asyncio.sleep(left)
