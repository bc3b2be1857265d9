"""A clock that a test moves by hand, and the event loop's timers with it."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

START_S = 1_700_000_000.0
# As in threadline.pump: asyncio's own 1 ns is lost beside seconds since the epoch.
RESOLUTION_S = 1e-6
# Far more turns of the loop than any test here needs to come to rest.
TURNS = 50


class ManualClock:
    """Stands still until it is moved; so does the time of the event loop that it was made on."""

    def __init__(self, now_s: float = START_S) -> None:
        self.now_s = now_s
        with suppress(RuntimeError):  # made on no loop: there is nobody who waits
            loop = asyncio.get_running_loop()
            vars(loop).update(time=self.now, _clock_resolution=RESOLUTION_S)

    def now(self) -> float:
        return self.now_s

    async def move(self, seconds: float) -> None:
        """Advance time, from timer to timer, with all work done at each stop."""
        end_s = self.now_s + seconds
        await settle()
        while (next_s := _next_timer_s()) <= end_s:
            self.now_s = max(self.now_s, next_s)
            await settle()
        self.now_s = end_s


def _next_timer_s() -> float:
    timers: list[asyncio.TimerHandle] = vars(asyncio.get_running_loop())["_scheduled"]
    return min((timer.when() for timer in timers if not timer.cancelled()), default=math.inf)


async def settle() -> None:
    """Run every task as far as it comes without time passing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
