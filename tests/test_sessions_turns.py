"""Turns of one thread: their positions, their order, and who can read them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Integer, func, insert, select, update

from sessions.errors import ThreadEndedError
from sessions.settings import Settings
from sessions.storage.database import DatabaseGauges
from sessions.storage.tables import THREADS, TURNS, Turn
from tests.sessions_clock import START_S
from tests.sessions_databases import KINDS, needs_postgresql, until_waited_for
from tests.sessions_stores import context, stores

PID = select(func.pg_backend_pid(type_=Integer))
LOOK_ALIKES = ("a:b", "a_b", "a:B", " a:b", "a:b ", "\u00e9", "e\u0301", "default", "\U0001f600")


@pytest.mark.parametrize("kind", KINDS)
def test_turns_are_read_back_as_they_were_stored(tmp_path: Path, kind: str) -> None:
    """A user's turn and its answer have positions 1 and 2, and all that they were given."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            assert await kept.turns.append_user_turn(context(), " Hi \u2603", "m1") == 1
            await kept.clock.move(2)
            assert await kept.turns.append_agent_turn(context(), "Hello", "m1") == 2

            assert await kept.turns.latest_turns(context(), 50) == [
                Turn(1, "user", " Hi \u2603", "m1", "r1", START_S),
                Turn(2, "agent", "Hello", "m1", "r1", START_S + 2),
            ]

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_positions_of_concurrent_turns_have_no_gap_and_no_double(tmp_path: Path, kind: str) -> None:
    """Twelve turns at once, more than there are places, get positions 1 to 12."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            positions = await asyncio.gather(
                *(kept.turns.append_user_turn(context(), "x") for _ in range(12))
            )

            assert sorted(positions) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
            assert kept.sessions.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_cancelled_turn_leaves_no_gap(tmp_path: Path, kind: str) -> None:
    """A turn that is cancelled before its commit takes no position."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            task = asyncio.create_task(kept.turns.append_user_turn(context(), "lost"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
            assert await kept.turns.append_user_turn(context(), "kept") == 1
            assert kept.sessions.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_look_alike_threads_never_meet(tmp_path: Path, kind: str) -> None:
    """Threads whose ids differ by case, space, separator or normal form have turns of their own."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            positions = [
                await kept.turns.append_user_turn(context(thread_id=thread_id), "x")
                for thread_id in LOOK_ALIKES
            ]

            assert positions == [1] * 9

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_handled_message_has_its_position(tmp_path: Path, kind: str) -> None:
    """A message id gives the user's turn, and then the answer."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            await kept.turns.append_user_turn(context(), "one", "m1")
            await kept.turns.append_user_turn(context(), "two", "m2")
            await kept.turns.append_agent_turn(context(), "answer", "m2")

            turns = await kept.turns.of_message(context(), "m2")
            assert [(turn.position, turn.role) for turn in turns] == [(2, "user"), (3, "agent")]
            assert await kept.turns.of_message(context(), "m3") == []

    asyncio.run(run())


@needs_postgresql
def test_commit_that_comes_late_makes_no_second_turn(tmp_path: Path) -> None:
    """
    A message is sent again while the commit of its turn, which was given up, is still under way.

    So it is when a server that hung goes on: the turn is found once that commit is done.
    """

    async def run() -> None:
        async with stores(tmp_path, kind="postgresql") as kept:
            late = await kept.sessions.create_session_from_context(context())
            ids = {"user_id": "ana", "thread_id": "t", "run_id": "r1"}
            state = {"active_at_s": START_S, "ended": False, "used": 1}
            said = {"position": 1, "role": "user", "text": "hi", "message_id": "m1"}
            await late.execute(insert(THREADS).values(**ids, **state))
            await late.execute(insert(TURNS).values(**ids, **said, at_s=START_S))
            again = asyncio.create_task(
                kept.turns.begin(context(), "hi", "m1", used=2, asked="{}", history_max=10)
            )
            await until_waited_for((await late.execute(PID)).scalar_one())
            await late.commit()
            assert [turn.position for turn in (await again).handled] == [1]
            await late.close()
            assert len(await kept.turns.latest_turns(context(), 50)) == 1

    asyncio.run(run())


@needs_postgresql
@pytest.mark.parametrize(
    ("meanwhile", "becomes"),
    [({"used": 2}, 3), ({"run_id": "r2"}, None), ({"ended": True}, None)],
    ids=["more said", "a new run", "an end"],
)
def test_an_answer_that_waits_for_its_thread_comes_after_what_happened_meanwhile(
    tmp_path: Path, meanwhile: dict[str, object], becomes: int | None
) -> None:
    """Its statement has begun before the other's commit, and sees nothing of that at first."""

    async def run() -> None:
        async with stores(tmp_path, kind="postgresql") as kept:
            await kept.turns.append_user_turn(context(), "hi")
            other = await kept.sessions.create_session_from_context(context())
            ids = {"user_id": "ana", "thread_id": "t", "run_id": "r1"}
            said = {"position": 2, "role": "user", "text": "and", "at_s": START_S}
            await other.execute(update(THREADS).values(**meanwhile))
            await other.execute(insert(TURNS).values(**ids, **said))
            answer = asyncio.create_task(kept.turns.append_agent_turn(context(), "late"))
            await until_waited_for((await other.execute(PID)).scalar_one())
            await other.commit()
            await other.close()
            if becomes is None:
                with pytest.raises(ThreadEndedError):
                    await answer
            else:
                assert await answer == becomes
            assert kept.sessions.gauges() == DatabaseGauges(sessions_open=0, places_taken=0)

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_thread_begins_anew(tmp_path: Path, kind: str) -> None:
    """A deleted thread has no turn, and its next one is the first; others keep theirs."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            await kept.turns.append_user_turn(context(), "one", "m1")
            await kept.turns.append_user_turn(context(thread_id="u"), "other")
            await kept.turns.delete_thread(context())

            assert await kept.turns.latest_turns(context(), 50) == []
            assert await kept.turns.of_message(context(), "m1") == []
            assert await kept.turns.append_user_turn(context(), "new") == 1
            assert len(await kept.turns.latest_turns(context(thread_id="u"), 50)) == 1

    asyncio.run(run())


def test_no_answer_comes_after_a_delete(tmp_path: Path) -> None:
    """An agent's turn on a deleted thread is refused, and nothing is stored."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.turns.delete_thread(context())

            with pytest.raises(ThreadEndedError):
                await kept.turns.append_agent_turn(context(), "late")
            assert await kept.turns.latest_turns(context(), 50) == []

    asyncio.run(run())


def test_no_answer_comes_after_an_invalidation(tmp_path: Path) -> None:
    """An agent's turn after its session was invalidated is refused."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.threads.end_sessions("ana", used=0)

            with pytest.raises(ThreadEndedError):
                await kept.turns.append_agent_turn(context(), "late")

    asyncio.run(run())


def test_no_answer_comes_to_a_run_that_was_replaced(tmp_path: Path) -> None:
    """An agent's turn of an earlier run than the user's last turn is refused."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await kept.turns.append_user_turn(context(run_id="r1"), "one")
            await kept.turns.append_user_turn(context(run_id="r2"), "two")

            with pytest.raises(ThreadEndedError):
                await kept.turns.append_agent_turn(context(run_id="r1"), "late")

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_conversation_that_was_due_is_gone_for_a_new_session(tmp_path: Path, kind: str) -> None:
    """A session that began at the limit sees nothing, and its first turn is the first."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10), kind) as kept:
            await kept.turns.append_user_turn(context(), "old", "m1")
            await kept.clock.move(10)
            later = context(began_at_s=START_S + 10)

            assert await kept.turns.latest_turns(later, 50) == []
            assert await kept.turns.of_message(later, "m1") == []
            assert await kept.turns.append_user_turn(later, "new") == 1
            assert [turn.text for turn in await kept.turns.latest_turns(later, 50)] == ["new"]

    asyncio.run(run())


def test_acknowledged_turn_is_there_after_a_crash(tmp_path: Path) -> None:
    """A turn whose position was returned is in the files that a crash at that moment leaves."""

    async def run() -> None:
        async with stores(tmp_path) as lost:
            await lost.turns.append_user_turn(context(), "one", "m1")
            left = shutil.copytree(tmp_path, tmp_path / "left")
        async with stores(left) as after:
            assert await after.turns.latest_turns(context(), 50) == [
                Turn(1, "user", "one", "m1", "r1", START_S)
            ]
            assert await after.turns.append_agent_turn(context(), "answer", "m1") == 2

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_agent_turns_since_are_younger_than_that(tmp_path: Path, kind: str) -> None:
    """The agent's turn of that very second is left out, and so is every turn of the user's."""

    async def run() -> None:
        async with stores(tmp_path, kind=kind) as kept:
            await kept.turns.append_user_turn(context(), "one")
            await kept.turns.append_agent_turn(context(), "then")
            await kept.clock.move(1)
            await kept.turns.append_user_turn(context(), "two", "m2")
            await kept.turns.append_agent_turn(context(), "now", "m2")

            assert await kept.turns.agent_turns_since(context(), START_S) == [
                Turn(4, "agent", "now", "m2", "r1", START_S + 1)
            ]
            before = await kept.turns.agent_turns_since(context(), START_S - 1)
            assert [turn.text for turn in before] == ["then", "now"]
            assert await kept.turns.agent_turns_since(context(thread_id="u"), 0) == []

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_agent_turns_of_a_conversation_that_was_due_are_gone(tmp_path: Path, kind: str) -> None:
    """A session that began at the limit sees no answer; one that began before sees it."""

    async def run() -> None:
        async with stores(tmp_path, Settings(retention_s=10), kind) as kept:
            await kept.turns.append_user_turn(context(), "old")
            await kept.turns.append_agent_turn(context(), "answer")
            await kept.clock.move(10)
            earlier, later = context(began_at_s=START_S + 9), context(began_at_s=START_S + 10)

            assert len(await kept.turns.agent_turns_since(earlier, 0)) == 1
            assert await kept.turns.agent_turns_since(later, 0) == []

    asyncio.run(run())
