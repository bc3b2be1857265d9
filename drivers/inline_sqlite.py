"""SQLite on no thread: each statement runs at its call, so that a run can be repeated."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import aiosqlite
from sqlalchemy import URL, AsyncAdaptedQueuePool, Dialect, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from threadline.pump import Pump

from sessions.storage.tables import METADATA

P = ParamSpec("P")
T = TypeVar("T")


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

    def remove(self) -> None:
        self.path.unlink()


def make_disk() -> Disk:
    """Return a disk with empty tables, to be removed at the end of the run."""
    return Disk(_prepared().tables)


class Process:
    """What one process has open on a disk; a crash closes it, whatever is under way."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._engines: list[Engine] = []
        self._connections: list[InlineConnection] = []
        self._records: list[Any] = []  # of the pools: one entry for each connection
        self._has_crashed = False

    def make_engine(self, url: URL, places: int) -> AsyncEngine:
        """Return an engine of this process that shares with all others what takes long to make."""
        prepared = _prepared()
        pool = AsyncAdaptedQueuePool(
            lambda: prepared.dialect.connect(async_creator_fn=self._open),
            pool_size=places,
            max_overflow=0,
            dialect=prepared.dialect,
        )
        event.listen(pool, "connect", lambda _, record: self._records.append(record))
        engine = Engine(pool, prepared.dialect, url)
        self._engines.append(engine)
        return AsyncEngine(engine.execution_options(compiled_cache=prepared.compiled))

    def crash(self) -> None:
        """Close every connection as it is; nothing can be read or written any more."""
        self._has_crashed = True
        for connection in self._connections:
            connection.cut()
        for record in self._records:
            # Else the pool would try to clean up what a system has lost.
            record.dbapi_connection = None
        for engine in self._engines:
            engine.dispose(close=False)  # what was cut is not to be used again

    def _open(self) -> InlineConnection:
        if self._has_crashed:
            raise sqlite3.OperationalError("the process has ended")
        connection = InlineConnection(self._disk)
        self._connections = [each for each in self._connections if each.is_open] + [connection]
        return connection


class InlineConnection(aiosqlite.Connection):
    """aiosqlite's connection without its thread: what it would send there, it calls."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._iter_chunk_size = 64
        self._running = True
        # No wait for a lock: whoever has it is in this thread, and does not go on meanwhile.
        self._connection = sqlite3.connect(disk.path, timeout=0)
        # The operating system outlives every crash that a run plays.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = MEMORY")

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def __await__(self) -> Generator[Any, None, InlineConnection]:
        yield from ()
        return self

    async def commit(self) -> None:
        if self._disk.fails and self._conn.in_transaction:
            raise sqlite3.OperationalError("disk I/O error")
        self._conn.commit()

    async def close(self) -> None:
        self.cut()

    def stop(self) -> None:
        self.cut()

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _execute(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return fn(*args, **kwargs)


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
        disk.url, connect_args={"async_creator_fn": lambda *_, **__: InlineConnection(disk)}
    )
    pump = Pump()
    pump.call(_make_tables(engine))
    pump.close()
    tables = disk.path.read_bytes()
    disk.remove()
    return _Prepared(tables, engine.dialect, {})


async def _make_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()
