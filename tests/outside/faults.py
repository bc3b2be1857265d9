"""What may happen to a database under a running service, and how it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.sessions_databases import POSTGRESQL_URL, Gateway
from tests.sessions_server import Server

# What PostgreSQL itself raises for a full disk, raised by a trigger: at a statement, or only at the
# commit. Its disk is everybody's, and must not be filled.
FULL = """
CREATE FUNCTION {schema}.no_space() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$
"""
FULL_AT_ONCE = """
CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON {schema}.threads
EXECUTE FUNCTION {schema}.no_space()
"""
FULL_AT_COMMIT = """
CREATE CONSTRAINT TRIGGER no_space AFTER INSERT ON {schema}.turns DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION {schema}.no_space()
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is: the file of SQLite, or PostgreSQL's schema and the way there."""

    server: Server
    folder: Path
    schema: str = ""
    gateway: Gateway = field(default_factory=Gateway)


Fault: TypeAlias = Callable[[Place], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def dies(place: Place) -> AsyncIterator[None]:
    """PostgreSQL loses its connections, and lets nobody in."""
    await place.gateway.cut()
    yield
    await place.gateway.mend()


@asynccontextmanager
async def hangs(place: Place) -> AsyncIterator[None]:
    """PostgreSQL says nothing, and then all that it was asked is done after all."""
    place.gateway.hold()
    yield
    place.gateway.release()


@asynccontextmanager
async def locks(place: Place) -> AsyncIterator[None]:
    """Somebody locks a table of PostgreSQL."""
    async with elsewhere() as connection:
        await connection.execute(text(f"LOCK TABLE {place.schema}.threads"))
        yield


@asynccontextmanager
async def row_locks(place: Place, user_id: str, thread_id: str) -> AsyncIterator[None]:
    """Somebody locks what PostgreSQL has of one thread."""
    row = f"FROM {place.schema}.threads WHERE user_id = :user_id AND thread_id = :thread_id"
    async with elsewhere() as connection:
        values = {"user_id": user_id, "thread_id": thread_id}
        found = await connection.execute(text(f"SELECT * {row} FOR UPDATE"), values)
        assert len(found.all()) == 1
        yield


@asynccontextmanager
async def fills(place: Place) -> AsyncIterator[None]:
    """PostgreSQL has no space left at any write."""
    async with full(place.schema, FULL_AT_ONCE):
        yield


@asynccontextmanager
async def fills_at_commit(place: Place) -> AsyncIterator[None]:
    """PostgreSQL takes what is written, and finds that it has no space when it is to last."""
    async with full(place.schema, FULL_AT_COMMIT):
        yield


@asynccontextmanager
async def file_locks(place: Place) -> AsyncIterator[None]:
    """Another process has SQLite's file for itself."""
    with closing(sqlite3.connect(place.folder / "sessions.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def disk_fills(place: Place) -> AsyncIterator[None]:
    """The file system of SQLite's file has no byte left.

    The first that fails closes its connection, and if that was the last one, the log goes with it,
    which frees its bytes: they are taken as well.
    """
    filler = place.folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for _ in range(3):
            fill(file)
            await place.server.ask("GET", "/ready", {})
        yield
    filler.unlink()


def fill(file: FileIO) -> None:
    for size in (65_536, 4_096, 1):
        with suppress(OSError):
            while file.write(b"x" * size):
                pass


@asynccontextmanager
async def full(schema: str, trigger: str) -> AsyncIterator[None]:
    for statement in (FULL, trigger):
        async with elsewhere() as connection:
            await connection.execute(text(statement.format(schema=schema)))
    yield
    async with elsewhere() as connection:
        await connection.execute(text(f"DROP FUNCTION {schema}.no_space CASCADE"))


@asynccontextmanager
async def elsewhere() -> AsyncIterator[AsyncConnection]:
    """Give a transaction of somebody else."""
    engine = create_async_engine(POSTGRESQL_URL)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
