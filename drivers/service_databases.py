"""Database sessions of a caller's own, held open from one operation to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from sqlalchemy import select, update
from threadline import Refuse

from sessions.context import UserExecutionContext
from sessions.storage.database import RequestScopedSession, RequestScopedSessionFactory
from sessions.storage.tables import THREADS

READ = select(THREADS.c.run_id)
WRITE = update(THREADS).where(THREADS.c.user_id == "nobody").values(ended=True)


class Raised(Exception):
    """What the body of a block raises when it is told to."""


class HeldSession:
    """One database session, and a task that has it until the end; its owner closes it."""

    def __init__(self, session: RequestScopedSession) -> None:
        self._session = session
        self._has_crashed = False
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._stay())

    @property
    def context(self) -> UserExecutionContext:
        return self._session.context

    async def read(self) -> None:
        await self._asked(self._session.execute(READ))

    async def write(self) -> None:
        await self._asked(self._session.execute(WRITE))

    async def commit(self) -> None:
        await self._asked(self._session.commit())

    async def roll_back(self) -> None:
        await self._asked(self._session.rollback())

    async def close(self) -> None:
        await self._opened().close()

    def crash(self) -> None:
        """Note that the process which had it open is gone."""
        self._has_crashed = True

    async def _asked(self, work: Coroutine[Any, Any, object]) -> None:
        """Do work on the session, which says itself that it is closed."""
        if self._has_crashed:
            work.close()
            raise Refuse("closed")
        try:
            await work
        except RuntimeError as error:
            if self._session.is_open:
                raise
            raise Refuse("closed", says=(str(error),)) from None

    def _opened(self) -> RequestScopedSession:
        if self._has_crashed or not self._session.is_open:
            raise Refuse("closed")
        return self._session

    async def _stay(self) -> None:
        async with self._session:
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
        self._opened()
        end()
        with suppress(Raised, asyncio.CancelledError):
            await self.task


async def opened(
    factory: RequestScopedSessionFactory, context: UserExecutionContext, how: str
) -> HeldSession:
    """Open a session "awaited" or as a "block"."""
    session = factory.create_session_from_context(context)
    return Block(session) if how == "block" else HeldSession(await session)
