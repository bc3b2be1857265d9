"""Database sessions: whose ids they have, when they take a place."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from sessions.context import UserExecutionContext
from sessions.errors import InvalidContextError
from sessions.settings import Settings
from sessions.storage.database import Database, DatabaseGauges, RequestScopedSessionFactory
from sessions.storage.tables import THREADS
from tests.sessions_clock import ManualClock, settle
from tests.sessions_databases import KINDS, opened

CONTEXT = UserExecutionContext("ana", "t", "r", "q", websocket_connection_id="c1")
ONE = select(func.count()).select_from(THREADS)
WRITE = (
    insert(THREADS)
    .values(user_id="ana", thread_id="t", run_id="r", active_at_s=1.0, ended=False, used=1)
    .returning(THREADS.c.run_id)
)


def test_core_loads_without_the_extra() -> None:
    """The package itself loads no SQLAlchemy."""
    shown = subprocess.run(
        [sys.executable, "-c", "import sys, sessions; print('sqlalchemy' in sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert shown.stdout == "False\n"


def test_database_in_memory_is_refused() -> None:
    """An in-memory SQLite is refused with what to write instead."""
    with pytest.raises(ValueError, match="name a file"):
        Database(ManualClock(), Settings(), "sqlite+aiosqlite:///:memory:")


def test_session_has_the_ids_of_its_context(tmp_path: Path) -> None:
    """A session made from a context holds that context."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            session = await factory.create_session_from_context(CONTEXT)

            assert session.context is CONTEXT
            assert system.registry.live() == {}
            await factory.close()

    asyncio.run(run())


def test_session_of_a_user_goes_on_with_the_latest_thread(tmp_path: Path) -> None:
    """A session made for a user has the ids that the getter gives."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            system.registry.get_or_create_user_session("ana", "t", "r")
            factory = RequestScopedSessionFactory(database, system.contexts)
            async with factory.create_session("ana", "report") as session:
                context = session.context

            assert (context.user_id, context.thread_id, context.run_id) == ("ana", "t", "r")

    asyncio.run(run())


def test_refused_user_opens_no_session(tmp_path: Path) -> None:
    """A blank user id is refused before anything is opened."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            with pytest.raises(InvalidContextError):
                factory.create_session(" ", "report")

            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


def test_session_takes_no_place_before_its_first_statement(tmp_path: Path) -> None:
    """An open session without a statement takes no place."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            async with factory.create_session_from_context(CONTEXT):
                assert factory.gauges() == DatabaseGauges(sessions_open=1, places_taken=0)

            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_commit_gives_the_place_back_and_keeps_the_rows(tmp_path: Path, kind: str) -> None:
    """What was committed is there for the next session, and the place is free at once."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            async with factory.create_session_from_context(CONTEXT) as session:
                await session.execute(WRITE)
                assert factory.gauges() == DatabaseGauges(sessions_open=1, places_taken=1)
                await session.commit()
                assert factory.gauges() == DatabaseGauges(sessions_open=1, places_taken=0)
            async with factory.create_session_from_context(CONTEXT) as session:
                assert (await session.execute(ONE)).scalar_one() == 1

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_rollback_gives_the_place_back_and_undoes_the_rows(tmp_path: Path, kind: str) -> None:
    """What was rolled back is gone, and the place is free at once."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            async with factory.create_session_from_context(CONTEXT) as session:
                await session.execute(WRITE)
                await session.rollback()
                assert factory.gauges() == DatabaseGauges(sessions_open=1, places_taken=0)
                assert (await session.execute(ONE)).scalar_one() == 0

    asyncio.run(run())


def test_second_writer_on_sqlite_waits_for_the_first(tmp_path: Path) -> None:
    """A second writer begins when the first has committed."""

    async def run() -> None:
        async with opened(tmp_path) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            first = await factory.create_session_from_context(CONTEXT)
            second = await factory.create_session_from_context(CONTEXT)
            await first.execute(WRITE)
            writing = asyncio.create_task(second.execute(WRITE.values(thread_id="u")))
            await settle()
            assert not writing.done()
            await first.commit()
            await writing
            await factory.close()

    asyncio.run(run())


def test_session_closed_while_it_waits_takes_no_place(tmp_path: Path) -> None:
    """A place that comes free for a session that is closing is free again at once."""

    async def run() -> None:
        async with opened(tmp_path, Settings(pool_size=1)) as (database, system, _):
            factory = RequestScopedSessionFactory(database, system.contexts)
            holder = await factory.create_session_from_context(CONTEXT)
            await holder.execute(ONE)
            waiting = await factory.create_session_from_context(CONTEXT)
            statement = asyncio.create_task(waiting.execute(ONE))
            await settle()
            closing = asyncio.create_task(waiting.close())
            await settle()
            await holder.close()
            await closing

            with pytest.raises(RuntimeError, match="is closed"):
                await statement
            assert factory.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())
