"""The database that conversations are stored in: its engine, its tables, its places."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sessions.clock import Clock
from sessions.settings import Settings
from sessions.storage.lease import LEASE_SUFFIX, Lease
from sessions.storage.limits import set_limits
from sessions.storage.migration import migrate
from sessions.storage.places import Places
from sessions.storage.whole import WholeConnection, whole

DEFAULT_URL = "sqlite+aiosqlite:///sessions.db"
MakeEngine: TypeAlias = Callable[[URL, int], AsyncEngine]


def make_engine(url: URL, places: int) -> AsyncEngine:
    """Return an engine whose own pool never lets anybody wait, as each of its users has a place."""
    engine = create_async_engine(url, pool_size=places, max_overflow=0)
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _write_ahead)
    return engine


class Database:
    """One engine, and the pool_size places that its transactions take.

    SQLite has one writer at a time, who would otherwise be found out by an error after a wait
    that no clock of ours knows; so writers on it take the one place of writers as well.
    schema is where PostgreSQL keeps the tables; None is its search path's first. Nothing is
    connected before the first statement, or open(), with which this process has the database for
    itself until close(). Raises ValueError for an in-memory SQLite,
    whose sessions would share one connection, and with it their transactions.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        url: str = DEFAULT_URL,
        schema: str | None = None,
        make_engine: MakeEngine = make_engine,
    ) -> None:
        parsed = make_url(url)
        self.places = Places(clock, settings.pool_size, settings.pool_timeout_s)
        self.writers: Places | None = None
        if parsed.get_backend_name() == "sqlite":
            _check_file(parsed)
            self.writers = Places(clock, 1, settings.pool_timeout_s)
        lease_url = parsed
        if self.writers is not None:
            lease_url = parsed.set(database=f"{parsed.database}{LEASE_SUFFIX}")
        lease_engine, engine = make_engine(lease_url, 1), make_engine(parsed, settings.pool_size)
        for each in (lease_engine, engine):
            set_limits(each, settings)
        self._lease = Lease(lease_engine, schema)
        if self.writers is None:
            self._lease.watch(engine)
        if schema is not None:
            engine = engine.execution_options(schema_translate_map={None: schema})
        self.engine = engine

    async def open(self) -> None:
        """Take the lease, and make the tables, or bring them to this program's version.

        Raises DatabaseTakenError where another process serves the database, and TablesError.
        """
        await self._lease.take()
        try:
            async with self.transaction() as connection:
                await connection.run_sync(migrate)
        except BaseException:
            await self.close()
            raise

    async def keep_lease(self) -> None:
        """Be sure that no other process serves the database: before each transaction.

        Raises DatabaseTakenError, and what the database raises.
        """
        await self._lease.keep()

    async def close(self) -> None:
        """Close every connection that no session holds, and give back the lease."""
        await self.engine.dispose()
        await self._lease.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WholeConnection]:
        """Write without a context: committed at the end, rolled back if the body raised.

        Raises PoolTimeoutError.
        """
        await self.keep_lease()
        async with AsyncExitStack() as held:
            await held.enter_async_context(self.places.held())
            if self.writers is not None:
                await held.enter_async_context(self.writers.held())
            opening = held.enter_async_context(self.engine.connect())
            connection = WholeConnection(await whole(opening))
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[WholeConnection]:
        """Read without a context, which waits for no writer. Raises PoolTimeoutError."""
        await self.keep_lease()
        async with AsyncExitStack() as held:
            await held.enter_async_context(self.places.held())
            opening = held.enter_async_context(self.engine.connect())
            yield WholeConnection(await whole(opening))


def _write_ahead(connection: DBAPIConnection, _: object) -> None:
    """Set SQLite to a write-ahead log: readers do not wait for a writer, nor commits for the disk.

    A commit outlives the end of the process, however that comes; of a machine that loses its power
    the last commits may be lost, in whole transactions (sqlite.org/pragma.html#pragma_synchronous).
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _check_file(url: URL) -> None:
    if url.database in (None, "", ":memory:") or url.query.get("mode") == "memory":
        raise ValueError(
            f"{url} keeps all in memory, where sessions would share their transactions; "
            "name a file, as in sqlite+aiosqlite:///sessions.db"
        )
