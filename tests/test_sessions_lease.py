"""The lease of a database: held by one process, and by none that has lost it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import URL, Integer, bindparam, event, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sessions.settings import Settings
from sessions.storage.database import Database
from sessions.storage.lease import DatabaseTakenError, lock_key
from sessions.storage.tables import Unanswered
from sessions.storage.thread_store import ThreadStore
from tests.sessions_clock import ManualClock
from tests.sessions_databases import (
    KINDS,
    POSTGRESQL_URL,
    Gateway,
    needs_postgresql,
    own_schema,
    sqlite,
    until_waited_for,
)

PID = text("SELECT pg_backend_pid()")
HOLDER = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
    " AND (classid::bigint << 32) | objid::bigint = :key"
)
END = text("SELECT pg_terminate_backend(pid) FROM unnest(:pids) AS pid").bindparams(
    bindparam("pids", type_=ARRAY(Integer))
)
LEFT = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)").bindparams(
    bindparam("pids", type_=ARRAY(Integer))
)
LOCK = text("SELECT pg_try_advisory_lock(:key)")
UNLOCK = text("SELECT pg_advisory_unlock(:key)")
SHARE = text("SELECT pg_advisory_lock_shared(:key)")
UNSHARE = text("SELECT pg_advisory_unlock_shared(:key)")
# How many wait for an advisory lock.
QUEUED = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND (classid::bigint << 32) | objid::bigint = :key"
)


@pytest.mark.parametrize("kind", KINDS)
def test_second_database_is_refused_until_the_first_is_closed(tmp_path: Path, kind: str) -> None:
    async def tried(url: str, schema: str | None) -> None:
        first, second = (Database(ManualClock(), Settings(), url, schema) for _ in range(2))
        await first.open()
        with pytest.raises(DatabaseTakenError, match="is served by another process"):
            await second.open()
        await first.open()  # which has it already
        await first.close()
        await second.open()
        await second.close()

    async def run() -> None:
        if kind == "sqlite":
            await tried(f"sqlite+aiosqlite:///{tmp_path / 'sessions.db'}", None)
        else:
            async with own_schema() as schema:
                await tried(POSTGRESQL_URL, schema)

    asyncio.run(run())


def test_file_that_cannot_be_made_is_no_other_process(tmp_path: Path) -> None:
    """What the database says is raised as it is."""

    async def run() -> None:
        before = threading.enumerate()
        async with sqlite(tmp_path / "nowhere", ManualClock(), Settings()) as database:
            with pytest.raises(DBAPIError, match="unable to open database file"):
                await database.open()
        # The thread of a connection tells the loop of its end, for which that must be there.
        for thread in set(threading.enumerate()) - {*before}:
            if "_connection_worker" in thread.name:
                await asyncio.to_thread(thread.join)

    asyncio.run(run())


@needs_postgresql
def test_schema_is_the_same_whether_it_was_named_or_found() -> None:
    """Who names no schema has the first of the search path, and the lease of that."""

    async def run() -> None:
        async with own_schema() as schema:
            named = Database(ManualClock(), Settings(), POSTGRESQL_URL, schema)
            found = Database(ManualClock(), Settings(), POSTGRESQL_URL, make_engine=at(schema))
            await named.open()
            with pytest.raises(DatabaseTakenError):
                await found.open()
            await named.close()

    asyncio.run(run())


def at(schema: str) -> Callable[[URL, int], AsyncEngine]:
    """Return what makes engines whose search path begins with a schema."""

    def made(url: URL, places: int) -> AsyncEngine:
        engine = create_async_engine(url, pool_size=places)

        @event.listens_for(engine.sync_engine, "connect")
        def _search(connection: DBAPIConnection, _: object) -> None:
            cursor = connection.cursor()
            cursor.execute(f'SET search_path TO "{schema}"')
            cursor.close()

        return engine

    return made


@needs_postgresql
def test_database_that_was_lost_to_another_is_not_used() -> None:
    """A server that restarts forgets its locks: who gets the lease first has the database."""

    async def run() -> None:
        engine = create_async_engine(POSTGRESQL_URL)
        async with own_schema() as schema, engine.connect() as other:
            key = {"key": lock_key(schema)}
            database = Database(ManualClock(), Settings(pool_size=1), POSTGRESQL_URL, schema)
            await database.open()
            await end_connections(other, await pid_of(database), key)
            assert (await other.execute(LOCK, key)).scalar_one()
            with pytest.raises(DBAPIError):
                await pid_of(database)
            for _ in range(2):
                with pytest.raises(DatabaseTakenError):
                    await pid_of(database)
            await other.execute(UNLOCK, key)
            assert await pid_of(database)
            assert not (await other.execute(LOCK, key)).scalar_one()
            await database.close()
        await engine.dispose()

    asyncio.run(run())


# A process that serves the database, and stores an answer when it is told to.
ANSWERING = """
import asyncio, sys
from sessions.settings import Settings
from sessions.storage.database import Database, RequestScopedSessionFactory
from sessions.storage.turn_store import TurnStore
from tests.sessions_peers import make_system
from tests.sessions_stores import context

async def run(url, schema):
    system, clock = make_system(Settings())
    database = Database(clock, system.settings, url, schema)
    await database.open()
    sessions = RequestScopedSessionFactory(database, system.contexts)
    turns = TurnStore(sessions, database, clock, system.settings)
    await turns.begin(context(), "hi", None, used=1, asked="{}", history_max=1)
    print("asked", flush=True)
    sys.stdin.readline()
    await turns.append_agent_turn(context(), "hello")

asyncio.run(run(*sys.argv[1:]))
"""


@needs_postgresql
def test_what_a_killed_process_has_begun_is_over_before_the_next_reads() -> None:
    """Its last statement, at which PostgreSQL goes on without it, stores an answer."""

    async def run() -> None:
        engine = create_async_engine(POSTGRESQL_URL)
        async with own_schema() as schema, engine.connect() as other, engine.connect() as eye:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", ANSWERING, POSTGRESQL_URL, schema),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            assert await process.stdout.readline() == b"asked\n"
            await other.execute(text(f'SELECT 1 FROM "{schema}".threads FOR UPDATE'))
            process.stdin.write(b"answer\n")
            await until_waited_for((await other.execute(PID)).scalar_one())
            process.kill()
            await process.wait()

            clock = ManualClock()
            database = Database(clock, Settings(), POSTGRESQL_URL, schema)
            starting = asyncio.create_task(unanswered(database, clock))
            key = {"key": lock_key(schema, "statements")}
            while not (starting.done() or (await eye.execute(QUEUED, key)).scalar_one()):
                pass
            await other.commit()
            assert await starting == []
            await database.close()
        await engine.dispose()

    asyncio.run(run())


async def unanswered(database: Database, clock: ManualClock) -> list[Unanswered]:
    await database.open()
    return await ThreadStore(database, clock, Settings()).unanswered()


@needs_postgresql
def test_start_says_that_statements_of_a_process_that_is_gone_are_not_over() -> None:
    """It waits for them as long as for a statement of its own."""

    async def run() -> None:
        engine = create_async_engine(POSTGRESQL_URL)
        async with own_schema() as schema, engine.connect() as other:
            key = {"key": lock_key(schema, "statements")}
            await other.execute(SHARE, key)
            settings = Settings(statement_timeout_s=0.1)
            database = Database(ManualClock(), settings, POSTGRESQL_URL, schema)
            with pytest.raises(DatabaseTakenError, match="statements of a process that is gone"):
                await database.open()
            await other.execute(UNSHARE, key)
            await database.open()
            await database.close()
        await engine.dispose()

    asyncio.run(run())


@needs_postgresql
def test_lease_is_taken_from_a_connection_of_ones_own_that_was_lost() -> None:
    """PostgreSQL may read of its end late, or never."""

    async def run() -> None:
        gateway = Gateway()
        async with own_schema() as schema, gateway.opened():
            database = Database(ManualClock(), Settings(pool_size=1), gateway.url, schema)
            await database.open()
            before = await pid_of(database)
            gateway.strand()
            with pytest.raises(DBAPIError):
                await pid_of(database)
            assert await pid_of(database) != before
            await database.close()

    asyncio.run(run())


@needs_postgresql
def test_lease_that_was_lost_is_asked_for_once() -> None:
    """A silent server costs those who wait its limit once: they share one attempt to connect."""

    async def run() -> None:
        gateway = Gateway()
        async with own_schema() as schema, gateway.opened():
            clock, settings = ManualClock(), Settings(pool_size=1)
            database = Database(clock, settings, gateway.url, schema)
            await database.open()
            await gateway.cut()
            with pytest.raises(DBAPIError):
                await pid_of(database)
            gateway.hold()
            await gateway.mend()
            before = gateway.met
            waiting = [asyncio.create_task(database.keep_lease()) for _ in range(5)]
            while gateway.met == before:
                await asyncio.sleep(0)
            await clock.move(settings.connect_timeout_s)
            assert [type(each.exception()) for each in waiting] == [TimeoutError] * 5
            assert gateway.met == before + 1
            gateway.release()
            await database.keep_lease()
            await database.close()

    asyncio.run(run())


async def pid_of(database: Database) -> int:
    """Return which process of PostgreSQL serves the one connection of the pool."""
    async with database.reading() as connection:
        return int((await connection.execute(PID)).scalar_one())


async def end_connections(other: AsyncConnection, pid: int, key: Mapping[str, int]) -> None:
    """End a connection, and the one that holds a lease, as a restart of PostgreSQL does."""
    pids = {"pids": [pid, (await other.execute(HOLDER, key)).scalar_one()]}
    await other.execute(END, pids)
    while (await other.execute(LEFT, pids)).scalar_one():
        await other.rollback()  # a transaction sees the same processes to its end
