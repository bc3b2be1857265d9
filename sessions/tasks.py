"""Background tasks, of which hold is kept to their end, and work that no cancellation cuts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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


async def whole(work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    """Do work to its end, and then let the caller be cancelled, if he was meanwhile.

    A statement that is cut leaves a connection that nobody closes, with the locks it had.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                continue  # once more is not sooner
        if not task.cancelled():
            task.exception()  # nobody is left to be told of it
        raise
