"""The claims of the seeds' three regression suites, one test each (seed 004, Key Validations)."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError

import pytest

from sessions.errors import SessionLimitError
from sessions.key import IsolationKey
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import BrokenPeer, Peer
from tests.sessions_subject import Subject, on_a_loop, places, same, subject

__all__ = ["subject"]


def test_the_same_thread_returns_the_same_context(subject: Subject) -> None:
    """
    Suite 1, same thread_id returns same context instance across messages: all but its request.
    """
    system, _ = subject.make_system()
    get = system.contexts.get_user_execution_context

    first, second, third = get("ana", "t"), get("ana", "t"), get("ana", "t")

    assert same(first) == same(second) == same(third)
    assert system.metrics().contexts_created == 1


def test_different_threads_return_different_contexts(subject: Subject) -> None:
    """
    Suite 1, different thread_ids get different context instances: no id of one is the other's.
    """
    system, _ = subject.make_system()
    get = system.contexts.get_user_execution_context

    one, other = get("ana", "t1"), get("ana", "t2")

    assert (one.thread_id, other.thread_id) == ("t1", "t2")
    assert one.run_id != other.run_id
    assert one.request_id != other.request_id
    assert one.websocket_client_id != other.websocket_client_id


def test_creating_where_getting_is_meant_is_detected(subject: Subject) -> None:
    """
    Suite 1, anti-pattern detection (prevents create vs get confusion): it warns, and gets.
    """
    system, _ = subject.make_system()
    got = system.contexts.get_user_execution_context("ana", "t")

    with pytest.warns(DeprecationWarning, match="get_user_execution_context"):
        created = system.contexts.create_user_execution_context("ana", "t")

    assert same(created) == same(got)
    assert system.metrics().contexts_created == 1


@on_a_loop
async def test_a_websocket_handler_goes_on_with_its_context(subject: Subject) -> None:
    """
    Suite 1, WebSocket handler pattern simulation: three messages of a connection, one context.
    """
    async with subject.chat() as chat:
        peer = await chat.connect()
        opened = places(peer.received)
        said = [await chat.say(peer, "one"), await chat.say(peer, "two"), await chat.say(peer, "3")]

        assert [places(events) for events in said] == [opened, opened, opened]
        assert chat.system.metrics().contexts_created == 1


def test_contexts_have_the_ids_of_the_session_manager(subject: Subject) -> None:
    """
    Suite 1, session manager integration validation: context and session are of the same ids.
    """
    system, _ = subject.make_system()
    context = system.contexts.get_user_execution_context("ana")

    made = system.ids.get_or_create_user_session("ana", context.thread_id)
    found = system.ids.get_existing_session("ana", context.thread_id)

    assert (made["thread_id"], made["run_id"]) == (context.thread_id, context.run_id)
    assert found is not None
    assert (found["thread_id"], found["run_id"]) == (context.thread_id, context.run_id)


@on_a_loop
async def test_there_is_a_single_source_of_truth(subject: Subject) -> None:
    """
    Suite 1, SSOT compliance: what a connection and its messages begin is one session, known once.
    """
    async with subject.chat() as chat:
        peer = await chat.connect()
        await chat.say(peer, "one")
        ((thread_id, run_id),) = places(peer.received)
        census = chat.system.census()

        assert census.sessions == {IsolationKey("ana", str(thread_id)): run_id}
        assert census.managers == tuple(census.sessions)
        assert await chat.system.factory.get_user_manager_count("ana") == 1


@pytest.mark.parametrize(
    ("thread_id", "run_id", "expected"),
    [
        (None, None, ("t", "r")),
        ("t", None, ("t", "r")),
        ("t", "r", ("t", "r")),
        ("t", "s", ("t", "s")),
    ],
    ids=["nothing given", "thread given", "same run given", "another run given"],
)
def test_each_form_of_the_getter_finds_the_session(
    subject: Subject, thread_id: str | None, run_id: str | None, expected: tuple[str, str]
) -> None:
    """
    Suite 1, parameterized behavior testing: whatever is left out, the session is found.
    """
    system, _ = subject.make_system()
    system.contexts.get_user_execution_context("ana", "t", "r")

    context = system.contexts.get_user_execution_context("ana", thread_id, run_id)

    assert (context.thread_id, context.run_id) == expected
    assert system.metrics().contexts_created == 1


@on_a_loop
async def test_different_threads_are_different_conversations(subject: Subject) -> None:
    """
    Suite 2, different threads create different context instances: neither hears of the other.
    """
    async with subject.chat() as chat:
        one, other = await chat.connect(), await chat.connect()
        await chat.say(one, "hello")

        assert places(one.received).isdisjoint(places(other.received))
        assert other.kinds() == ["connected"]


@on_a_loop
async def test_a_thread_stays_continuous_beside_another(subject: Subject) -> None:
    """
    Suite 2, session continuity maintained within same thread: two threads in turn keep their own.
    """
    async with subject.chat() as chat:
        one, other = await chat.connect(thread_id="t1"), await chat.connect(thread_id="t2")
        await chat.say(one, "a")
        await chat.say(other, "b")
        await chat.say(one, "c")

        assert len(places(one.received)) == 1
        assert await chat.turns(one) == ["a", "You said: a", "c", "You said: c Before that: a"]


@on_a_loop
async def test_users_see_nothing_of_each_other(subject: Subject) -> None:
    """
    Suite 2, multi-user context isolation (prevents data leakage): even on a thread of one name.
    """
    async with subject.chat() as chat:
        ana, ben = await chat.connect("ana", "t"), await chat.connect("ben", "t")
        await chat.say(ana, "a secret")

        assert ben.kinds() == ["connected"]
        assert ana.received[0]["run_id"] != ben.received[0]["run_id"]
        assert await chat.turns(ben) == []


def test_a_thousand_gets_take_ten_sessions(subject: Subject) -> None:
    """
    Suite 2, performance and memory efficiency under load: a session for each thread, not get.
    """
    system, _ = subject.make_system()

    contexts = [
        system.contexts.get_user_execution_context("ana", f"t{n % 10}") for n in range(1000)
    ]

    assert len({context.run_id for context in contexts}) == 10
    assert len(system.census().sessions) == 10
    assert system.metrics().contexts_created == 10


def test_contexts_are_independent(subject: Subject) -> None:
    """
    Suite 2, context independence validation: nothing done with one context changes another.
    """
    system, _ = subject.make_system()
    one = system.contexts.get_user_execution_context("ana", "t")
    before = same(one)

    child = one.child("part", system.ids)
    with pytest.raises(FrozenInstanceError):
        one.thread_id = "other"  # type: ignore[misc]  # which is what is tried

    assert same(one) == before
    assert child.request_id != one.request_id
    assert same(system.contexts.get_user_execution_context("ana", "t")) == before


@on_a_loop
async def test_what_has_ended_is_freed(subject: Subject) -> None:
    """
    Suite 3, context cleanup and memory leak prevention: nothing is left, and nothing is held.
    """
    async with subject.chat() as chat:
        peer = await chat.connect(thread_id="t")
        await chat.say(peer, "hello")
        manager = await chat.system.factory.get_manager(IsolationKey("ana", "t"))
        held = weakref.ref(manager)
        del manager
        await chat.service.handle_websocket_disconnect(peer)
        await chat.service.invalidate_user_sessions("ana")
        await settle()
        gc.collect()
        census = chat.system.census()

        assert (census.sessions, census.managers, census.connections) == ({}, (), {})
        assert chat.service.census().database.sessions_open == 0
        assert held() is None


@pytest.mark.parametrize(("idle_s", "is_same"), [(86_399, True), (86_400, False)])
@on_a_loop
async def test_a_session_expires_when_its_time_is_up(
    subject: Subject, idle_s: int, is_same: bool
) -> None:
    """
    Suite 3, session expiration and timeout behavior: a day of idleness ends it, a second less not.
    """
    system, clock = subject.make_system()
    before = system.contexts.get_user_execution_context("ana", "t")

    await clock.move(idle_s)

    assert (IsolationKey("ana", "t") in system.census().sessions) == is_same
    after = system.contexts.get_user_execution_context("ana", "t")
    assert (after.run_id == before.run_id) == is_same


def test_gets_at_the_same_time_find_one_session(subject: Subject) -> None:
    """
    Suite 3, concurrent operations and isolation safety: eight threads of the machine, one session.
    """
    system, _ = subject.make_system()

    with ThreadPoolExecutor(8) as pool:
        gets = pool.map(lambda _: system.contexts.get_user_execution_context("ana", "t"), range(80))
        contexts = list(gets)

    assert len({same(context).run_id for context in contexts}) == 1
    assert len({context.request_id for context in contexts}) == 80


@on_a_loop
async def test_an_error_is_cleaned_up_and_recovered_from(subject: Subject) -> None:
    """
    Suite 3, error handling and cleanup recovery: a broken socket goes, its thread is found again.
    """
    async with subject.chat() as chat:
        broken, again = BrokenPeer(), Peer()
        await chat.service.handle_websocket_connection(broken, "ana", "t")
        await settle()
        await chat.say(broken, "hello")
        left = chat.system.census().connections
        await chat.service.handle_websocket_connection(again, "ana", "t")
        await settle()

        assert left == {}
        assert again.received[0]["resumed"] is True
        assert places(again.received) == places(broken.received)
        assert again.kinds()[-1] == "agent_completed"


def test_limits_hold_under_stress(subject: Subject) -> None:
    """
    Suite 3, memory stress testing and resource limits: one session too many is refused.
    """
    system, _ = subject.make_system(Settings(max_sessions_per_user=3))
    threads = ["t1", "t2", "t3"]
    sessions = {id_: system.contexts.get_user_execution_context("ana", id_) for id_ in threads}

    with pytest.raises(SessionLimitError):
        system.contexts.get_user_execution_context("ana", "t4")

    assert system.census().sessions == {
        IsolationKey("ana", id_): context.run_id for id_, context in sessions.items()
    }
