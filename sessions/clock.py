"""The clock: what time it is; the event loop's timers do the waiting."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The time of day of a system, by which every timeout, grace and interval is decided.

    It must advance with the time of the event loop, whose timers wake whoever waits. A limit is
    due when now() has reached its start plus its length (the contract, Clock).
    """

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock: the epoch read once, then counted on, so that it never goes back."""

    def __init__(self) -> None:
        self._epoch = time.time() - time.monotonic()

    def now(self) -> float:
        return self._epoch + time.monotonic()


async def sleep_until(clock: Clock, t: float) -> None:
    """Return once the clock shows at least t; at once if it does already."""
    # The loop may wake a sleeper a little early.
    while (left := t - clock.now()) > 0:
        await asyncio.sleep(left)
