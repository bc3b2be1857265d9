"""Background tasks, of which hold is kept to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Tasks:
    """The tasks of one system that have not ended, in the order of their start."""

    def __init__(self) -> None:
        self._alive: dict[asyncio.Task[None], str] = {}

    def start(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._alive[task] = name
        task.add_done_callback(self._alive.pop)
        return task

    def names(self) -> tuple[str, ...]:
        return tuple(self._alive.values())

    async def ended(self) -> None:
        """Return once all have ended; raises what one of them raised."""
        while self._alive:
            await asyncio.gather(*self._alive)
