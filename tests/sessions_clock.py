"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio

START_S = 1_700_000_000.0
# Far more turns of the loop than any test here needs to come to rest.
TURNS = 50


class ManualClock:
    """Stands still until it is moved; wakes those who sleep in the order of their times."""

    def __init__(self, now_s: float = START_S) -> None:
        self.now_s = now_s
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.now_s

    async def sleep_until(self, t: float) -> None:
        if t > self.now_s:
            sleeper = asyncio.get_running_loop().create_future()
            self._sleepers.append((t, sleeper))
            await sleeper

    async def move(self, seconds: float) -> None:
        """Advance time, from sleeper to sleeper, with all work done at each stop."""
        end_s = self.now_s + seconds
        await settle()
        while times := [t for t, sleeper in self._sleepers if t <= end_s and not sleeper.done()]:
            self.now_s = min(times)
            self._wake()
            await settle()
        self.now_s = end_s

    def _wake(self) -> None:
        for t, sleeper in self._sleepers:
            if t <= self.now_s and not sleeper.done():
                sleeper.set_result(None)
        self._sleepers = [(t, sleeper) for t, sleeper in self._sleepers if not sleeper.done()]


async def settle() -> None:
    """Run every task as far as it comes without time passing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
