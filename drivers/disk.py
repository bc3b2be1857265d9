"""A disk of the service: SQLite on no thread, which can fail, and which outlives a crash."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy import URL, AsyncAdaptedQueuePool, Dialect, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from threadline.inline import cut, run_inline
from threadline.pump import Pump

from sessions.storage.migration import migrate


class Disk:
    """One temporary file, which outlives the processes that open it.

    While it fails, no transaction that wrote can be committed; reads go on.
    """

    def __init__(self, content: bytes) -> None:
        self.fails = False
        file, path = tempfile.mkstemp(prefix="threadline-", suffix=".db")
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
        self.path = Path(path)

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.path}"

    def open(self, path: Path) -> sqlite3.Connection:
        """Return a connection to the file, or to one beside it.

        Its writes wait for nothing: the file outlives every crash.
        """
        # Who has a lock is in this thread: it would be waited for in real time, and in vain.
        opened = sqlite3.connect(path, timeout=0)
        try:
            opened.execute("PRAGMA synchronous = OFF")
            opened.execute("PRAGMA journal_mode = MEMORY")
        except sqlite3.Error:  # as where another process has it for itself
            opened.close()
            raise
        return opened

    def texts(self) -> set[str]:
        """Return the texts of all turns that are stored."""
        with closing(self.open(self.path)) as connection:
            return {text for (text,) in connection.execute("SELECT text FROM turns")}

    def remove(self) -> None:
        """Remove the file, and those that were made beside it."""
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()


def make_disk() -> Disk:
    """Return a disk with empty tables, to be removed at the end of the run."""
    return Disk(_prepared().tables)


class Process:
    """What one process has open on a disk; a crash closes it, whatever is under way."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._engines: list[Engine] = []
        self._connections: list[DiskConnection] = []
        self._records: list[Any] = []  # of the pools: one entry for each connection
        self._has_crashed = False

    def make_engine(self, url: URL, places: int) -> AsyncEngine:
        """Return an engine of this process that shares with all others what takes long to make."""
        prepared, path = _prepared(), Path(url.database or "")
        pool = AsyncAdaptedQueuePool(
            lambda: prepared.dialect.connect(async_creator_fn=partial(self._open, path)),
            pool_size=places,
            max_overflow=0,
            dialect=prepared.dialect,
        )
        event.listen(pool, "connect", self._connected)
        engine = Engine(pool, prepared.dialect, url)
        self._engines.append(engine)
        return AsyncEngine(engine.execution_options(compiled_cache=prepared.compiled))

    @property
    def transactions(self) -> int:
        """How many transactions are under way."""
        return sum(each.is_open and each.in_transaction for each in self._connections)

    def crash(self) -> None:
        """Close every connection as it is; nothing can be read or written any more."""
        self._has_crashed = True
        for connection in self._connections:
            cut(connection)
        for record in self._records:
            # Else the pool would try to clean up what a system has lost.
            record.dbapi_connection = None
        for engine in self._engines:
            engine.dispose(close=False)  # what was cut is not to be used again

    def _connected(self, _: object, record: Any) -> None:
        self._records = [each for each in self._records if each.dbapi_connection] + [record]

    def _open(self, path: Path) -> DiskConnection:
        if self._has_crashed:
            raise sqlite3.OperationalError("the process has ended")
        connection = DiskConnection(self._disk, path)
        self._connections = [each for each in self._connections if each.is_open] + [connection]
        return connection


class DiskConnection(aiosqlite.Connection):
    """A connection to a disk, on no thread; it cannot commit while the disk fails."""

    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(partial(disk.open, path), iter_chunk_size=64)
        self._disk = disk
        run_inline(self)

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def commit(self) -> None:
        if self._disk.fails and self.in_transaction:
            raise sqlite3.OperationalError("disk I/O error")
        await super().commit()


class _Prepared(NamedTuple):
    """What is the same in all runs: the empty tables, and what SQLAlchemy knows of them."""

    tables: bytes
    dialect: Dialect
    compiled: dict[Any, Any]


@cache
def _prepared() -> _Prepared:
    """Make the tables, with an engine as everybody's."""
    disk = Disk(b"")
    engine = create_async_engine(
        disk.url,
        connect_args={"async_creator_fn": partial(_connection, disk)},
    )
    pump = Pump()
    pump.call(_make_tables(engine))
    pump.close()
    tables = disk.path.read_bytes()
    disk.remove()
    return _Prepared(tables, engine.dialect, {})


def _connection(disk: Disk, *_: object, **__: object) -> DiskConnection:
    return DiskConnection(disk, disk.path)


async def _make_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()
