"""The claims of the analysis and of the implementation guide (seeds 002 and 003)."""

from __future__ import annotations

import asyncio

import pytest

from sessions.ids import IsolationKey
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import Peer
from tests.sessions_subject import Subject, logged, on_a_loop, places, same, subject

__all__ = ["subject"]


def test_gets_what_exists_and_creates_what_is_genuinely_new(subject: Subject) -> None:
    """
    Seed 002, step 1, gets existing context or creates if genuinely new: two threads, two sessions.
    """
    system, _ = subject.make_system()
    get = system.contexts.get_user_execution_context

    known, new, known_again = get("ana", "t1"), get("ana", "t2"), get("ana", "t1")

    assert same(known_again) == same(known)
    assert new.run_id != known.run_id
    assert (system.metrics().contexts_created, system.metrics().contexts_reused) == (2, 1)


def test_the_old_function_works_and_warns(subject: Subject) -> None:
    """
    Seed 002, step 3, deprecation path: the old call gets the session, and blames its caller.
    """
    system, _ = subject.make_system()

    with pytest.warns(DeprecationWarning, match="create_user_execution_context") as caught:
        context = system.contexts.create_user_execution_context("ana", "t", "r", object(), "c1")

    assert [warning.filename for warning in caught] == [__file__]
    assert (context.thread_id, context.run_id, context.websocket_connection_id) == ("t", "r", "c1")
    assert same(system.contexts.get_user_execution_context("ana", "t")) == same(context)


@on_a_loop
async def test_messages_at_the_same_time_are_of_one_context(subject: Subject) -> None:
    """
    Seed 002, race conditions, multiple contexts for same conversation: overlapping ones share it.
    """
    async with subject.chat() as chat:
        one, other = await chat.connect(thread_id="t"), await chat.connect(thread_id="t")
        await asyncio.gather(chat.say(one, "a"), chat.say(other, "b"), chat.say(one, "c"))
        turns = await chat.turns(one)

        assert len(places(one.received + other.received)) == 1
        assert chat.system.metrics().contexts_created == 1
        assert [turns[0], turns[2], turns[4]] == ["a", "b", "c"]


@on_a_loop
async def test_a_background_task_frees_what_has_expired(subject: Subject) -> None:
    """
    Seed 002, phase 4, proper session cleanup background tasks: nobody else has to ask for it.
    """
    async with subject.chat(Settings(session_ttl_s=90, sweep_interval_s=60)) as chat:
        chat.system.contexts.get_user_execution_context("ana", "t")
        await chat.clock.move(120)

        assert chat.system.census().sessions == {}
        assert chat.system.registry.cleanup_expired_sessions() == 0


@on_a_loop
async def test_session_health_is_logged(subject: Subject) -> None:
    """
    Seed 002, phase 4, monitoring for session health: a line on each get, of its very thread.
    """
    with logged() as lines:
        async with subject.chat() as chat:
            peer = await chat.connect(thread_id="t")
            await chat.say(peer, "hello")

    sessions = [line for line in lines if " session: " in line]
    assert sessions == ["Creating session: t", "Reusing session: t"]


def test_one_generation_makes_all_ids(subject: Subject) -> None:
    """
    Seed 003, step 1, single call generates consistent ID set: and it is the session that is found.
    """
    system, _ = subject.make_system()

    context = system.contexts.from_websocket_request("ana", "c1", {"from": "a browser"})

    assert context.run_id.startswith("websocket_session_")
    assert context.thread_id == f"thread_{context.run_id}"
    assert (context.user_id, context.websocket_connection_id) == ("ana", "c1")
    assert context.additional_context == {"from": "a browser"}
    assert same(system.contexts.get_user_execution_context("ana", context.thread_id)) == same(
        system.contexts.get_user_execution_context("ana")
    )


@on_a_loop
async def test_a_manager_takes_the_context_that_it_is_given(subject: Subject) -> None:
    """
    Seed 003, step 2: a provided context is used as it is; without one, one is made for the user.
    """
    system, _ = subject.make_system()
    context = system.contexts.from_websocket_request("ana", "c1")

    given = await system.factory.create_manager(context)
    made = await system.factory.create_manager(user_id="ana", websocket_id="c2")

    assert given.context == context
    assert made.context.websocket_connection_id == "c2"
    assert made.context.thread_id != context.thread_id
    assert await system.factory.get_user_manager_count("ana") == 2


@on_a_loop
async def test_a_manager_of_nobody_is_refused(subject: Subject) -> None:
    """
    Seed 003, step 2: either user_context or user_id must be provided.
    """
    system, _ = subject.make_system()

    with pytest.raises(ValueError, match="user_context or user_id"):
        await system.factory.create_manager()


@on_a_loop
async def test_a_database_session_has_the_ids_of_its_context(subject: Subject) -> None:
    """
    Seed 003, step 3, use existing thread_id and request_id: no id is made for it.
    """
    async with subject.chat() as chat:
        context = chat.system.contexts.from_websocket_request("ana")

        async with chat.service.session_factory.create_session_from_context(context) as session:
            assert session.context is context
        assert chat.system.metrics().contexts_created == 1


@on_a_loop
async def test_a_database_session_without_a_context_gets_it(subject: Subject) -> None:
    """
    Seed 003, step 3, update existing create_session: it goes on with what the user is at.
    """
    async with subject.chat() as chat:
        peer = await chat.connect(thread_id="t")
        async with chat.service.session_factory.create_session("ana") as session:
            place = (session.context.thread_id, session.context.run_id)

        assert {place} == places(peer.received)


@on_a_loop
async def test_one_context_reaches_all_components(subject: Subject) -> None:
    """
    Seed 003, step 4, pass SAME context to all components: manager, database session and socket.
    """
    async with subject.chat() as chat:
        peer = Peer()
        context = await chat.service.handle_websocket_connection(peer, "ana")
        await settle()
        manager = await chat.system.factory.get_manager(user_context=context)

        assert vars(peer)["user_context"] is context
        assert vars(peer)["db_session"].context is context
        assert manager is not None
        assert manager.context is context


@on_a_loop
async def test_a_disconnect_cleans_up_what_its_connection_made(subject: Subject) -> None:
    """
    Seed 003, step 4, use SAME context for cleanup that was used for creation: nothing is left.
    """
    async with subject.chat() as chat:
        peer = await chat.connect()
        await chat.service.handle_websocket_disconnect(peer)
        await settle()

        assert chat.system.census().managers == ()
        assert await chat.system.factory.get_user_manager_count("ana") == 0
        assert chat.service.census().database.sessions_open == 0


@on_a_loop
async def test_the_key_is_the_thread_whatever_the_connection(subject: Subject) -> None:
    """
    Seed 003, step 5, always use thread_id, not connection_id fallbacks: two tabs share a key.
    """
    system, _ = subject.make_system()
    one = await system.connector.connect(Peer(), "ana", "t", "c1")
    other = await system.connector.connect(Peer(), "ana", "t", "c2")

    assert system.factory._generate_isolation_key(one) == IsolationKey("ana", "t")
    assert system.factory._generate_isolation_key(other) == IsolationKey("ana", "t")
    assert await system.factory.get_user_manager_count("ana") == 1


@pytest.mark.parametrize("by", ["isolation_key", "user_context"])
@on_a_loop
async def test_a_manager_is_cleaned_up_by_key_or_context(subject: Subject, by: str) -> None:
    """
    Seed 003, step 5, update cleanup methods to use same key generation: either finds it, once.
    """
    system, _ = subject.make_system()
    context = system.contexts.from_websocket_request("ana")
    await system.factory.create_manager(context)
    key = IsolationKey("ana", context.thread_id) if by == "isolation_key" else None
    named = None if key else context

    assert await system.factory.cleanup_manager(key, named) is True
    assert await system.factory.get_manager(key, named) is None
    assert await system.factory.cleanup_manager(key, named) is False


@on_a_loop
async def test_the_log_tells_of_consistent_threads(subject: Subject) -> None:
    """
    Seed 003, log messages to monitor: creation and cleanup name one thread, no mismatch is told.
    """
    with logged() as lines:
        async with subject.chat() as chat:
            peer = await chat.connect(thread_id="t")
            await chat.say(peer, "hello")
            await chat.service.handle_websocket_disconnect(peer)

    assert lines.count("Creating WebSocket manager with consistent context: t") == 1
    assert lines.count("WebSocket cleanup completed for context: t") == 1
    assert [line for line in lines if "mismatch" in line.lower()] == []
