"""Database sessions of a caller's own, held open from one operation to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from sqlalchemy import select, update

from drivers.sessions import Told
from sessions.context import UserExecutionContext
from sessions.storage.database_factory import RequestScopedSessionFactory
from sessions.storage.database_session import RequestScopedSession
from sessions.storage.tables import THREADS

READ = select(THREADS.c.run_id)
WRITE = update(THREADS).where(THREADS.c.user_id == "nobody").values(ended=True)


class Raised(Exception):
    """What the body of a block raises when it is told to."""


class HeldSession:
    """One database session, and a task that has it until the end; its owner closes it."""

    def __init__(self, session: RequestScopedSession) -> None:
        self.session = session
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._stay())

    async def read(self) -> None:
        await _unless_closed(self.session.execute(READ))

    async def write(self) -> None:
        await _unless_closed(self.session.execute(WRITE))

    async def commit(self) -> None:
        await _unless_closed(self.session.commit())

    async def roll_back(self) -> None:
        await _unless_closed(self.session.rollback())

    async def close(self) -> None:
        await self.session.close()

    async def _stay(self) -> None:
        async with self.session:
            await self._left


class Block(HeldSession):
    """One whose task is in the body of its `async with`, by the end of which it closes."""

    async def close(self) -> None:
        await self._end(lambda: self._left.set_result(None))

    async def raise_inside(self) -> None:
        await self._end(lambda: self._left.set_exception(Raised()))

    async def cancel(self) -> None:
        await self._end(self.task.cancel)

    async def _end(self, end: Callable[[], object]) -> None:
        if self.task.done():
            raise Told("closed")
        end()
        with suppress(Raised, asyncio.CancelledError):
            await self.task


async def opened(
    factory: RequestScopedSessionFactory, context: UserExecutionContext, how: str
) -> HeldSession:
    """Open a session "awaited" or as a "block"."""
    session = factory.create_session_from_context(context)
    return Block(session) if how == "block" else HeldSession(await session)


async def _unless_closed(work: Coroutine[Any, Any, object]) -> None:
    """Await what is done with a session, which is a RuntimeError on a closed one."""
    try:
        await work
    except RuntimeError as error:
        raise Told("closed") from error
