"""The clock of a pumped session manager."""

from __future__ import annotations

import asyncio

from threadline import VirtualClock


class PumpedClock:
    """Virtual time, in which those who sleep until one second wake in the order of their sleep.

    asyncio's own timers keep no order among equals.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._sleepers: dict[float, dict[asyncio.Future[None], None]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}

    def now(self) -> float:
        return self._clock.now()

    async def sleep_until(self, t: float) -> None:
        if t <= self.now():
            return
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        if t not in self._sleepers:
            self._sleepers[t] = {}
            self._timers[t] = loop.call_at(t, self._wake, t)
        self._sleepers[t][sleeper] = None
        try:
            await sleeper
        finally:
            self._leave(t, sleeper)

    def _wake(self, t: float) -> None:
        self._timers.pop(t)
        for sleeper in self._sleepers.pop(t):
            if not sleeper.done():
                sleeper.set_result(None)

    def _leave(self, t: float, sleeper: asyncio.Future[None]) -> None:
        """Forget one who sleeps no longer, and the timer that nobody waits for."""
        sleepers = self._sleepers.get(t)
        if sleepers is not None and sleepers.pop(sleeper, sleeper) is None and not sleepers:
            del self._sleepers[t]
            self._timers.pop(t).cancel()
