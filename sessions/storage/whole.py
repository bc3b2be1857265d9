"""Statements that are never cancelled half way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


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


class WholeConnection:
    """A connection whose statements are never cancelled half way."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, values: Mapping[str, object] | None = None
    ) -> CursorResult[Any]:
        """Run a statement; raises what the database raises."""
        return await whole(self._connection.execute(statement, values))

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Run a function of SQLAlchemy's that is not asynchronous."""
        return await whole(self._connection.run_sync(work))

    async def commit(self) -> None:
        """Make the transaction last, or close the connection, and raise what the database raises.

        Else the next would get it with what was written still under way.
        """
        try:
            await whole(self._connection.commit())
        except Exception:
            await whole(self._connection.invalidate())
            raise
