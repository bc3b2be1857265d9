"""The end of a database session: on error, on cancellation, with its connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from sessions.context import UserExecutionContext
from sessions.storage.database import DatabaseGauges, RequestScopedSessionFactory
from sessions.storage.tables import THREADS
from tests.sessions_databases import KINDS, opened

CONTEXT = UserExecutionContext("ana", "t", "r", "q", websocket_connection_id="c1")
ONE = select(func.count()).select_from(THREADS)
WRITE = (
    insert(THREADS)
    .values(user_id="ana", thread_id="t", run_id="r", active_at_s=1.0, ended=False, used=1)
    .returning(THREADS.c.run_id)
)


@pytest.mark.parametrize("kind", KINDS)
def test_error_closes_the_session(tmp_path: Path, kind: str) -> None:
    """A body that raises leaves no session, no place and no row."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)

            async def body() -> None:
                async with factory.create_session_from_context(CONTEXT) as session:
                    await session.execute(WRITE)
                    raise LookupError("of the body")

            with pytest.raises(LookupError, match="of the body"):
                await body()
            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)
            async with database.transaction() as connection:
                assert (await connection.execute(ONE)).scalar_one() == 0

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_cancellation_closes_the_session(tmp_path: Path, kind: str) -> None:
    """A task that is cancelled in its body leaves no session, no place and no row."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            written = asyncio.Event()

            async def body() -> None:
                async with factory.create_session_from_context(CONTEXT) as session:
                    await session.execute(WRITE)
                    written.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(body())
            await written.wait()
            task.cancel()
            await asyncio.wait((task,))

            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)
            async with database.transaction() as connection:
                assert (await connection.execute(ONE)).scalar_one() == 0

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_cancellation_within_a_statement_closes_the_session(tmp_path: Path, kind: str) -> None:
    """A task that is cancelled while the database works leaves no session and no place."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)

            async def body() -> None:
                async with factory.create_session_from_context(CONTEXT) as session:
                    await session.execute(WRITE)

            task = asyncio.create_task(body())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert factory.gauges() == DatabaseGauges(sessions_open=1, places_taken=1)
            task.cancel()
            await asyncio.wait((task,))

            assert task.cancelled()
            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


def test_sessions_are_known_by_their_connection(tmp_path: Path) -> None:
    """Those that end with a connection are its own, and none of another's; close ends them all."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            other = UserExecutionContext("ana", "t", "r", "q", websocket_connection_id="c2")
            mine = await factory.create_session_from_context(CONTEXT)
            await factory.create_session_from_context(other)

            assert factory.of_connection("c1") == [mine]
            await factory.close()
            assert factory.gauges().sessions_open == 0

    asyncio.run(run())


def test_second_close_changes_nothing(tmp_path: Path) -> None:
    """A session that is closed twice is counted once."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            session = await factory.create_session_from_context(CONTEXT)
            await session.close()
            await session.close()

            assert factory.gauges().sessions_open == 0

    asyncio.run(run())


def test_closed_session_runs_nothing(tmp_path: Path) -> None:
    """A statement after close is an error that says what to do."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            session = await factory.create_session_from_context(CONTEXT)
            await session.close()

            with pytest.raises(RuntimeError, match="create another from the same context"):
                await session.execute(ONE)

    asyncio.run(run())


def test_block_goes_on_after_its_connection(tmp_path: Path) -> None:
    """A session used as `async with` is not among those that end with their connection."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            async with factory.create_session_from_context(CONTEXT) as session:
                await session.execute(WRITE)
                assert factory.of_connection("c1") == []
                await session.commit()
                assert (await session.execute(ONE)).scalar_one() == 1

    asyncio.run(run())
