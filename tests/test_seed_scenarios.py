"""The claims of the first two regression suites, one test each (seed 004, Key Validations)."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from sessions.ids import IsolationKey
from tests.sessions_clock import settle
from tests.sessions_peers import Peer
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
    Suite 1, WebSocket handler pattern simulation: two messages of a connection, one context.
    """
    system, _ = subject.make_system()
    peer = Peer()
    own = await system.connector.connect(peer, "ana", None, "c1")
    first = await system.router.message("ana", "one", connection_id="c1")
    second = await system.router.message("ana", "two", connection_id="c1")
    await settle()

    assert same(first) == same(second) == same(own)
    assert places(peer.received) == {(own.thread_id, own.run_id)}
    assert peer.texts() == ["one", "two"]


def test_contexts_have_the_ids_of_the_session_manager(subject: Subject) -> None:
    """
    Suite 1, session manager integration validation: context and session are of the same ids.
    """
    system, _ = subject.make_system()
    context = system.contexts.get_user_execution_context("ana")

    made = system.registry.get_or_create_user_session("ana", context.thread_id)
    found = system.registry.get_existing_session("ana", context.thread_id)

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
    system, _ = subject.make_system()
    one, other = Peer(), Peer()
    first = await system.connector.connect(one, "ana", None, "c1")
    second = await system.connector.connect(other, "ana", None, "c2")
    await system.router.message("ana", "hello", connection_id="c1")
    await settle()

    assert first.thread_id != second.thread_id
    assert first.run_id != second.run_id
    assert (one.texts(), other.texts()) == (["hello"], [])


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
