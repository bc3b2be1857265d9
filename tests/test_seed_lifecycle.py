"""The claims of the third regression suite, one test each (seed 004, Key Validations)."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from sessions.errors import ManagerLimitError, SessionLimitError
from sessions.ids import IsolationKey
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import BrokenPeer, Peer
from tests.sessions_subject import Subject, on_a_loop, places, subject

__all__ = ["subject"]

AGENT_EVENTS = (
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
)


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

    assert len({context.run_id for context in contexts}) == 1
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
        assert again.kinds() == ["connected", *AGENT_EVENTS]


@on_a_loop
async def test_limits_hold_under_stress(subject: Subject) -> None:
    """
    Suite 3, memory stress testing and resource limits: sessions, managers and waiting events.
    """
    limits = Settings(max_sessions_per_user=3, max_managers_per_user=2, recovery_max=2)
    system, _ = subject.make_system(limits)
    contexts = [system.contexts.get_user_execution_context("ana", id_) for id_ in ("a", "b", "c")]
    with pytest.raises(SessionLimitError):
        system.contexts.get_user_execution_context("ana", "d")
    for context in contexts[:2]:
        await system.factory.create_manager(context)
        for text in ("one", "two", "three"):
            await system.router.deliver("ana", context.thread_id, "told", {"text": text})
    with pytest.raises(ManagerLimitError):
        await system.factory.create_manager(contexts[2])

    assert system.census().sessions == {
        IsolationKey("ana", context.thread_id): context.run_id for context in contexts
    }
    assert list(system.census().queued.values()) == [2, 2]
