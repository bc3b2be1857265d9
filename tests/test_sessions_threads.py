"""Stored threads: which go on after a start, and which are removed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from sessions.ids import IsolationKey
from sessions.settings import Settings
from sessions.storage.tables import THREADS, StoredThread
from tests.sessions_clock import START_S
from tests.sessions_databases import KINDS
from tests.sessions_stores import context, stores


def nobody(key: IsolationKey) -> float | None:
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_threads_go_on_after_a_start_in_the_order_of_their_last_message(
    tmp_path: Path, kind: str
) -> None:
    """By its number: an answer that comes late does not make its thread the latest."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            await kept.turns.append_user_turn(context(thread_id="u"), "one", used=3)
            await kept.turns.append_user_turn(context(thread_id="t"), "two", used=5)
            await kept.turns.append_user_turn(context(thread_id="t", run_id="r2"), "three", used=9)
            await kept.turns.append_user_turn(context(thread_id="v"), "four", used=7)
            await kept.turns.append_agent_turn(context(thread_id="u"), "late")

            assert await kept.threads.threads_to_load() == [
                StoredThread("ana", "u", "r1", START_S),
                StoredThread("ana", "v", "r1", START_S),
                StoredThread("ana", "t", "r2", START_S),
            ]
            assert await kept.threads.last_used() == 9

    asyncio.run(run())


def test_stored_time_later_than_now_counts_as_now(tmp_path: Path) -> None:
    """After a clock was put back a thread is idle since now."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await kept.turns.append_user_turn(context(), "one")
            kept.clock.now_s -= 100

            assert [thread.active_at_s for thread in await kept.threads.threads_to_load()] == [
                START_S - 100
            ]

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_invalidated_thread_keeps_its_conversation_only(tmp_path: Path, kind: str) -> None:
    """A user's invalidated threads are not loaded, another's are; the turns stay."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            await kept.turns.append_user_turn(context("ana"), "one")
            await kept.turns.append_user_turn(context("ben"), "two")
            await kept.threads.end_sessions("ana", used=0)

            assert [thread.user_id for thread in await kept.threads.threads_to_load()] == ["ben"]
            assert len(await kept.turns.latest_turns(context("ana"), 50)) == 1

    asyncio.run(run())


def test_invalidated_thread_goes_on_with_a_turn_of_a_new_run(tmp_path: Path) -> None:
    """The next turn of the user's goes on with the conversation, and is loaded."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.threads.end_sessions("ana", used=0)

            assert await kept.turns.append_user_turn(context(run_id="r2"), "two") == 2
            assert await kept.threads.threads_to_load() == [StoredThread("ana", "t", "r2", START_S)]

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_due_conversation_is_removed(tmp_path: Path, kind: str) -> None:
    """A conversation retention_s after its last turn is removed, and counted once."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10), kind) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.clock.move(10)

            assert await kept.threads.remove_due(nobody) == 1
            assert await kept.threads.remove_due(nobody) == 0
            assert await kept.turns.latest_turns(context(), 50) == []

    asyncio.run(run())


def test_conversation_a_second_before_it_is_due_stays(tmp_path: Path) -> None:
    """A second before the limit nothing is removed."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10)) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.clock.move(9)

            assert await kept.threads.remove_due(nobody) == 0

    asyncio.run(run())


def test_conversation_of_a_live_session_stays(tmp_path: Path) -> None:
    """A session that began before the limit keeps its conversation."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10)) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.clock.move(10)

            assert await kept.threads.remove_due(lambda key: START_S + 9) == 0
            assert len(await kept.turns.latest_turns(context(), 50)) == 1

    asyncio.run(run())


def test_session_begun_when_it_was_due_keeps_nothing(tmp_path: Path) -> None:
    """A session that began at the limit does not bring the conversation back."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10)) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.clock.move(10)

            assert await kept.threads.remove_due(lambda key: START_S + 10) == 1

    asyncio.run(run())


def test_what_came_due_while_the_sweep_waited_for_a_place_is_removed(tmp_path: Path) -> None:
    """The sweep looks at the clock when it reads, not when it began to wait."""

    async def run() -> None:
        settings = Settings(pool_size=1, retention_s=8)
        async with stores(tmp_path, settings) as kept:
            await kept.turns.append_user_turn(context(), "old")
            await kept.clock.move(5)
            async with kept.sessions.create_session_from_context(context()) as holder:
                await holder.execute(select(THREADS.c.run_id))
                sweep = asyncio.create_task(kept.threads.remove_due(lambda _: None))
                await kept.clock.move(3)

            assert await sweep == 1

    asyncio.run(run())
