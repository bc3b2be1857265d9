"""The doors of a service that is restarted while its users go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Doors:
    """Who comes during a restart waits outside, and a restart waits for those who are inside.

    So it is with a server that stops gracefully: it takes no connection, and ends what it has.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._are_shut = False
        self._next = asyncio.Event()

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """Be inside while a block runs."""
        while self._are_shut:
            await self._next.wait()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._changed()

    @asynccontextmanager
    async def shut(self) -> AsyncIterator[None]:
        """Hold the doors shut while a block runs, which begins once everybody inside has left."""
        while self._are_shut:
            await self._next.wait()
        self._are_shut = True
        try:
            while self._inside:
                await self._next.wait()
            yield
        finally:
            self._are_shut = False
            self._changed()

    def _changed(self) -> None:
        # Who waits has the event of now; who comes later waits for the next.
        self._next.set()
        self._next = asyncio.Event()
