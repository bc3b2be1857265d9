"""A limited number of places, and a queue of those who wait for one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sessions.clock import Clock
from sessions.errors import PoolTimeoutError


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """One in the line: handed its place through admitted, due at a clock second."""

    admitted: asyncio.Future[None]
    due_at_s: float


class Places:
    """A number of places, taken and given back; who comes first is served first."""

    def __init__(self, clock: Clock, size: int, timeout_s: float) -> None:
        self._clock = clock
        self._size = size
        self._timeout_s = timeout_s
        self._taken = 0
        self._line: deque[Waiter] = deque()

    @property
    def taken(self) -> int:
        """How many places are not free."""
        return self._taken

    async def take(self) -> None:
        """Take a place, or wait for one; raises PoolTimeoutError after timeout_s of waiting."""
        if self._taken < self._size:
            self._taken += 1
        else:
            await self._wait()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold a place for as long as a block runs; raises PoolTimeoutError."""
        await self.take()
        try:
            yield
        finally:
            self.give_back()

    def give_back(self) -> None:
        """Hand a place to the first who still waits for one, or leave it free."""
        while self._line:
            waiter = self._line.popleft()
            if not self._is_due(waiter):
                waiter.admitted.set_result(None)
                return
        self._taken -= 1

    async def _wait(self) -> None:
        admitted = asyncio.get_running_loop().create_future()
        waiter = Waiter(admitted, self._clock.now() + self._timeout_s)
        self._line.append(waiter)
        try:
            await asyncio.wait((admitted,), timeout=self._timeout_s)
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        if not admitted.done():
            self._leave(waiter)
            raise PoolTimeoutError(
                f"no place was free for {self._timeout_s} s, with {self._taken} of {self._size} "
                "taken; commit, roll back or close a session earlier"
            )

    def _leave(self, waiter: Waiter) -> None:
        """Leave the line, or give back the place that was handed over at the last moment."""
        if waiter.admitted.done():
            self.give_back()
        elif waiter in self._line:
            self._line.remove(waiter)

    def _is_due(self, waiter: Waiter) -> bool:
        return self._clock.now() >= waiter.due_at_s
