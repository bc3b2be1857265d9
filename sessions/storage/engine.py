"""The engine of a database: how it connects, how long it waits, and what is never cut half way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Dialect, Executable, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sessions.settings import Settings

T = TypeVar("T")
MakeEngine: TypeAlias = Callable[[URL, int], AsyncEngine]
# By which the server's own end of a statement comes before ours, which costs the connection.
MARGIN_S = 1


def make_engine(url: URL, places: int) -> AsyncEngine:
    """Return an engine whose own pool never lets anybody wait, as each of its users has a place."""
    engine = create_async_engine(url, pool_size=places, max_overflow=0)
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _write_ahead)
    return engine


def check_file(url: URL) -> None:
    """Raise ValueError unless the URL of an SQLite database names a file."""
    if url.database in (None, "", ":memory:") or url.query.get("mode") == "memory":
        raise ValueError(
            f"{url} keeps all in memory, where sessions would share their transactions; "
            "name a file, as in sqlite+aiosqlite:///sessions.db"
        )


def set_limits(engine: AsyncEngine, settings: Settings) -> None:
    """Set the timeouts of an engine's connections and statements.

    SQLite waits for a lock of another process; PostgreSQL for a connection, and for a statement:
    it ends one by itself, and if it is silent, its connection is given up a second later.
    """

    def connecting(
        dialect: Dialect, _record: object, _arguments: object, options: dict[str, Any]
    ) -> None:
        if dialect.name == "sqlite":
            options["timeout"] = settings.statement_timeout_s
        elif dialect.name == "postgresql":
            limit_ms = str(math.ceil(settings.statement_timeout_s * 1_000))
            options["timeout"] = settings.connect_timeout_s
            options["command_timeout"] = settings.statement_timeout_s + MARGIN_S
            options["server_settings"] = {"statement_timeout": limit_ms}

    event.listen(engine.sync_engine, "do_connect", connecting)
    event.listen(engine.sync_engine, "handle_error", _give_up)


def _give_up(context: ExceptionContext) -> None:
    """Close a connection at once that did not answer, as it would not answer a rollback either."""
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        context.is_disconnect = True
        terminate = getattr(context.connection.connection.driver_connection, "terminate", None)
        if terminate is not None:
            terminate()


def _write_ahead(connection: DBAPIConnection, _: object) -> None:
    """Set SQLite to a write-ahead log: readers do not wait for a writer, nor commits for the disk.

    A commit outlives the end of the process, however that comes; of a machine that loses its power
    the last commits may be lost, in whole transactions (sqlite.org/pragma.html#pragma_synchronous).
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


class WholeConnection:
    """A connection whose statements are never cancelled half way; the first one connects.

    Each raises what the database raises.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._connection = engine.connect()

    async def execute(
        self, statement: Executable, values: Mapping[str, object] | None = None
    ) -> CursorResult[Any]:
        """Run a statement."""
        return await whole(self._execute(statement, values))

    async def execute_alone(
        self, statement: Executable, values: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run a statement that is a transaction of its own, in one exchange with the database."""
        return await whole(self._execute_alone(statement, values))

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Run a function of SQLAlchemy's that is not asynchronous."""
        return await whole(self._run_sync(work))

    async def commit(self) -> None:
        """Make the transaction last, and hand the connection back; or close it, and raise.

        Else the next would get it with what was written still under way.
        """
        await whole(self._commit())

    async def close(self) -> None:
        """Hand the connection back, which undoes what was not committed."""
        if self._connection.sync_connection is not None:
            await whole(self._connection.close())

    async def _execute(
        self, statement: Executable, values: Mapping[str, object] | None
    ) -> CursorResult[Any]:
        return await (await self._started()).execute(statement, values)

    async def _execute_alone(
        self, statement: Executable, values: Mapping[str, object]
    ) -> CursorResult[Any]:
        connection = await self._started()
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        return await connection.execute(statement, values)

    async def _run_sync(self, work: Callable[[Connection], T]) -> T:
        return await (await self._started()).run_sync(work)

    async def _commit(self) -> None:
        connection = await self._started()
        try:
            await connection.commit()
        except BaseException:
            await connection.invalidate()
            raise
        await connection.close()

    async def _started(self) -> AsyncConnection:
        if self._connection.sync_connection is None:
            await self._connection.start()
        return self._connection


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
