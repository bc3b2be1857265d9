"""The driver of database sessions by hand, each of which is asked one thing after the other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import URL, Column, MetaData, String, Table, bindparam, event, select, update
from sqlalchemy.exc import InvalidRequestError, OperationalError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncEngine
from threadline import Census, Driver

from drivers.database_pool import SHARED_MEMORY
from models.database_sessions import (
    BLOCK,
    CLOSED,
    DISK,
    DONE,
    FIRST,
    IN_TRANSACTION,
    PENDING,
    ROWS,
    TIMEOUT,
    DatabaseSessions,
)
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.errors import PoolTimeoutError
from sessions.storage.database import (
    Database,
    RequestScopedSession,
    RequestScopedSessionFactory,
)
from sessions.storage.engine import make_engine

TABLE = Table("rows", MetaData(), Column("name", String), Column("text", String))
READ = select(TABLE.c.name, TABLE.c.text)
WRITE = update(TABLE).where(TABLE.c.name == bindparam("row")).values(text=bindparam("said"))


class Held:
    """A session, what it was asked, and the end of its block, if it is in one."""

    def __init__(self, session: RequestScopedSession) -> None:
        self.session = session
        self.asked: list[asyncio.Task[None]] = []
        self.block: asyncio.Task[None] | None = None
        self.left = asyncio.Event()

    @property
    def is_in_use(self) -> bool:
        tasks = [*self.asked, *([self.block] if self.block else [])]
        return self.session.is_open or not all(task.done() for task in tasks)

    async def stay(self) -> None:
        async with self.session:
            await self.left.wait()

    async def close(self) -> str:
        self.left.set()
        if self.block is not None:
            await self.block
        else:
            await self.session.close()
        return DONE


class DatabaseSessionsDriver(Driver[DatabaseSessions]):
    """Opens sessions on one file, and asks them in tasks; its commits fail when told to."""

    foreign = ("sqlalchemy", "aiosqlite", "sqlite3")

    def __init__(self, pool_timeout_s: float = 30) -> None:
        settings = Settings(pool_timeout_s=pool_timeout_s)
        self._folder = TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
        self._file = Path(self._folder.name) / "rows.db"
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("CREATE TABLE rows (name, text)")
            connection.executemany("INSERT INTO rows VALUES (?, ?)", [(r, FIRST) for r in ROWS])
        url = f"sqlite+aiosqlite:///{self._file}"
        self._fails = False
        self._database = Database(self.clock, settings, url, make_engine=self._made)
        contexts = ChatSystem(settings=settings, clock=self.clock).contexts
        self._sessions = RequestScopedSessionFactory(self._database, contexts)
        self._all: list[Held] = []

    async def open(self, connection: str, how: str) -> Held:
        context = UserExecutionContext("ana", "t", "r", "q", websocket_connection_id=connection)
        held = Held(self._sessions.create_session_from_context(context))
        if how == BLOCK:
            held.block = asyncio.create_task(held.stay())
        else:
            await held.session
        self._all = [each for each in self._all if each.is_in_use] + [held]
        return held

    async def read(self, session: Held) -> None:
        self._ask(session, self._read(session.session))

    async def write(self, session: Held, row: str, text: str) -> None:
        values = {"row": row, "said": text}
        self._ask(session, self._done(session.session.execute(WRITE, values)))

    async def write_alone(self, session: Held, row: str, text: str) -> None:
        values = {"row": row, "said": text}
        self._ask(session, self._done(session.session.execute_alone(WRITE, values)))

    async def begin_writing(self, session: Held) -> None:
        self._ask(session, self._done(session.session.begin_writing()))

    async def commit(self, session: Held) -> None:
        self._ask(session, self._done(session.session.commit()))

    async def roll_back(self, session: Held) -> None:
        self._ask(session, self._done(session.session.rollback()))

    async def close_session(self, session: Held) -> None:
        self._ask(session, session.close())

    async def close_all(self) -> None:
        await self._sessions.close()
        for held in self._all:
            held.left.set()

    async def leave(self, session: Held) -> None:
        first = next(task for task in session.asked if not task.done())
        first.cancel()

    async def of_connection(self, connection: str) -> list[Held]:
        found = self._sessions.of_connection(connection)
        return [held for each in found for held in self._all if held.session is each]

    async def disk(self, fails: bool) -> None:
        self._fails = fails

    def census(self) -> Census:
        gauges, writers = self._sessions.gauges(), self._database.writers
        assert writers is not None
        with closing(sqlite3.connect(self._file)) as connection:
            rows = dict(connection.execute("SELECT name, text FROM rows"))
        return {
            "rows": rows,
            "open": gauges.sessions_open,
            "taken": gauges.places_taken,
            "writers": writers.taken,
            "in_line": len(writers._line),
        }

    def close(self) -> None:
        self.pump.call(self._stop())
        super().close()
        self._folder.cleanup()

    async def _stop(self) -> None:
        asked = [task for held in self._all for task in held.asked]
        blocks = [held.block for held in self._all if held.block is not None]
        for task in (*asked, *blocks):
            task.cancel()
        await asyncio.gather(*asked, *blocks, return_exceptions=True)
        await self._sessions.close()
        await self._database.close()

    def _made(self, url: URL, places: int) -> AsyncEngine:
        engine = make_engine(url, places)
        event.listen(engine.sync_engine, "commit", self._committing)
        return engine

    def _committing(self, _: object) -> None:
        if self._fails:
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    def _ask(self, held: Held, doing: Coroutine[Any, Any, object]) -> None:
        held.asked = [task for task in held.asked if not task.done()]
        held.asked.append(asyncio.create_task(self._tell(held, doing)))

    async def _tell(self, held: Held, doing: Coroutine[Any, Any, object]) -> None:
        self.tell(held, await self._came_of(held, doing))

    async def _came_of(self, held: Held, doing: Coroutine[Any, Any, object]) -> object:
        try:
            return await doing
        except PendingRollbackError:
            return PENDING
        except InvalidRequestError:
            return IN_TRANSACTION
        except PoolTimeoutError:
            return TIMEOUT
        except OperationalError:
            return DISK
        except RuntimeError:
            if held.session.is_open:
                raise
            return CLOSED

    async def _done(self, doing: Coroutine[Any, Any, object]) -> str:
        await doing
        return DONE

    async def _read(self, session: RequestScopedSession) -> dict[str, str]:
        found = await session.execute(READ)
        return dict(found.all())
