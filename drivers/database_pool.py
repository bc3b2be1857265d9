"""The driver of the pool of database places, through the sessions that take them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import literal, select
from threadline import Census, Driver

from models.database_pool import PLACE, TIMEOUT, DatabasePool
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.errors import PoolTimeoutError
from sessions.storage.database import Database, RequestScopedSessionFactory

SHARED_MEMORY = Path("/dev/shm")
CONTEXT = UserExecutionContext("ana", "t", "r", "q")
STATEMENT = select(literal(1))


class Work:
    """One who works on a database session, until it is told to stop or for so long."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.task: asyncio.Task[None]
        self.cancels: asyncio.Task[None] | None = None  # as soon as its place is given back


class DatabasePoolDriver(Driver[DatabasePool]):
    """Opens one database session after another on one file, each in a task of its own."""

    foreign = ("sqlalchemy", "aiosqlite", "sqlite3")

    def __init__(self, pool_size: int = 10, pool_timeout_s: float = 30) -> None:
        settings = Settings(pool_size=pool_size, pool_timeout_s=pool_timeout_s)
        self._folder = TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
        url = f"sqlite+aiosqlite:///{self._folder.name}/pool.db"
        self._database = Database(self.clock, settings, url)
        contexts = ChatSystem(settings=settings, clock=self.clock).contexts
        self._sessions = RequestScopedSessionFactory(self._database, contexts)
        self._tasks: list[asyncio.Task[None]] = []

    async def take(self, held_s: float | None) -> Work:
        work = Work()
        return self._begun(work, self._work(work, held_s))

    async def hold(self, held_s: float) -> Work:
        work = Work()
        return self._begun(work, self._hold(work, held_s))

    async def give_back(self, session: Work) -> None:
        session.done.set()
        await session.task

    async def cancel(self, session: Work) -> None:
        session.task.cancel()
        with suppress(asyncio.CancelledError):
            await session.task

    async def hand_over(self, session: Work, cancelled: Work) -> None:
        session.cancels = cancelled.task
        session.done.set()
        await asyncio.wait((session.task, cancelled.task))

    def census(self) -> Census:
        gauges = self._sessions.gauges()
        in_line = len(self._database.places._line)  # whoever has left is kept there, if anywhere
        return {"taken": gauges.places_taken, "in_line": in_line, "open": gauges.sessions_open}

    def close(self) -> None:
        self.pump.call(self._stop())
        super().close()
        self._folder.cleanup()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sessions.close()
        await self._database.close()

    def _begun(self, work: Work, doing: Coroutine[Any, Any, None]) -> Work:
        work.task = asyncio.create_task(doing)
        self._tasks = [task for task in self._tasks if not task.done()] + [work.task]
        return work

    async def _hold(self, work: Work, held_s: float) -> None:
        try:
            async with self._database.places.held():
                self.tell(work, PLACE)
                await asyncio.sleep(held_s)
        except PoolTimeoutError:
            self.tell(work, TIMEOUT)

    async def _work(self, work: Work, held_s: float | None) -> None:
        try:
            async with self._sessions.create_session_from_context(CONTEXT) as session:
                await session.execute(STATEMENT)
                self.tell(work, PLACE)
                if held_s is None:
                    await work.done.wait()
                else:
                    await asyncio.sleep(held_s)
                await session.rollback()
                if work.cancels:
                    work.cancels.cancel()
        except PoolTimeoutError:
            self.tell(work, TIMEOUT)
