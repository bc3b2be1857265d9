"""Managers: grace, timeouts, and what ends with them."""

from __future__ import annotations

import asyncio

import pytest

from sessions.errors import (
    ContextMismatchError,
    ManagerLimitError,
)
from sessions.key import IsolationKey
from sessions.settings import Settings
from sessions.system import ChatSystem
from tests.sessions_clock import ManualClock, settle
from tests.sessions_peers import Peer, make_system

KEY = IsolationKey("ana", "t")


async def connected(system: ChatSystem, thread_id: str = "t", name: str = "c1") -> Peer:
    """Connect ana's new peer to a thread, and let its events arrive."""
    peer = Peer()
    await system.connector.connect(peer, "ana", thread_id, name)
    await settle()
    return peer


async def dropped_for(idle_s: float) -> tuple[ChatSystem, ManualClock]:
    system, clock = make_system()
    peer = await connected(system)
    await system.connector.handle_websocket_disconnect(peer, 1006)
    clock.now_s += idle_s
    return system, clock


@pytest.mark.parametrize("idle_s", [0, 59])
def test_dropped_connection_leaves_its_manager_in_grace(idle_s: float) -> None:
    """A manager without a connection for less than a minute is there."""
    system, _ = asyncio.run(dropped_for(idle_s))

    assert system.census().managers == (KEY,)


@pytest.mark.parametrize("idle_s", [60, 61])
def test_grace_ends_after_a_minute(idle_s: float) -> None:
    """A manager without a connection for a minute or more is gone, though nothing swept."""
    system, _ = asyncio.run(dropped_for(idle_s))

    assert system.census().managers == ()


@pytest.mark.parametrize(("idle_s", "left"), [(59, (KEY,)), (60, ()), (61, ())])
def test_first_connection_is_awaited_for_a_minute(
    idle_s: float, left: tuple[IsolationKey, ...]
) -> None:
    """A manager that never had a connection is in grace from the start."""

    async def run() -> None:
        system, clock = make_system()
        await system.factory.create_manager(system.contexts.get_user_execution_context(*KEY))
        clock.now_s += idle_s

        assert system.census().managers == left

    asyncio.run(run())


@pytest.mark.parametrize(("idle_s", "left"), [(1799, (KEY,)), (1800, ()), (1801, ())])
def test_silent_connection_times_out(idle_s: float, left: tuple[IsolationKey, ...]) -> None:
    """A manager whose connections sent nothing for half an hour is gone."""

    async def run() -> None:
        system, clock = make_system()
        await connected(system)
        clock.now_s += idle_s

        assert system.census().managers == left

    asyncio.run(run())


def test_frame_postpones_the_timeout() -> None:
    """A ping is a sign of life, even one that addresses another thread."""

    async def run() -> None:
        system, clock = make_system()
        await connected(system)
        clock.now_s += 1799
        await system.router.ping("ana", "c1", "other")
        clock.now_s += 1799

        assert system.census().managers == (KEY,)

    asyncio.run(run())


def test_sweep_closes_timed_out_sockets() -> None:
    """A socket whose manager timed out is closed with 1001."""

    async def run() -> None:
        system, clock = make_system()
        peer = await connected(system)
        clock.now_s += 1800
        system.sweep()
        await settle()

        assert peer.close_code == 1001
        assert system.metrics().managers_cleaned_up == 1

    asyncio.run(run())


def test_unused_session_ends_with_its_manager() -> None:
    """A session that a connection began, and that never had a message, ends with the manager."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        await system.connector.handle_websocket_disconnect(peer)

        assert system.registry.live() == {}

    asyncio.run(run())


@pytest.mark.parametrize(("idle_s", "left"), [(59, [KEY]), (60, []), (61, [])])
def test_unused_session_ends_with_the_grace(idle_s: float, left: list[IsolationKey]) -> None:
    """An unused session is gone for the registry the moment its manager is due."""
    system, _ = asyncio.run(dropped_for(idle_s))

    assert list(system.registry.live()) == left


def test_used_session_outlives_its_manager() -> None:
    """A session that had a message stays when its manager goes."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        await system.router.message("ana", "hello", connection_id="c1")
        await system.connector.handle_websocket_disconnect(peer)

        assert list(system.registry.live()) == [KEY]

    asyncio.run(run())


def test_reconnect_after_the_grace_has_a_session_of_its_own() -> None:
    """A session begun after an unswept manager's end is not ended with that manager."""

    async def run() -> None:
        system, _ = await dropped_for(60)
        await connected(system, name="c2")
        system.sweep()

        assert list(system.registry.live()) == [KEY]
        assert system.metrics().managers_cleaned_up == 1

    asyncio.run(run())


def test_create_manager_needs_a_name() -> None:
    """A manager of nobody is not made."""
    system, _ = make_system()
    with pytest.raises(ValueError, match="give user_context or user_id"):
        asyncio.run(system.factory.create_manager())


def test_create_manager_finds_the_one_there_is() -> None:
    """Two calls with contexts of one thread return one manager."""

    async def run() -> None:
        system, _ = make_system()
        get = system.contexts.get_user_execution_context
        first = await system.factory.create_manager(get("ana", "t"))

        assert await system.factory.create_manager(get("ana", "t")) is first
        assert await system.factory.get_manager(KEY) is first
        assert await system.factory.get_user_manager_count("ana") == 1

    asyncio.run(run())


def test_create_manager_for_a_user_begins_a_conversation() -> None:
    """With a user id only, a manager comes with a new session."""

    async def run() -> None:
        system, _ = make_system()
        manager = await system.factory.create_manager(user_id="ana", websocket_id="c1")

        assert list(system.registry.live()) == [manager.key]

    asyncio.run(run())


def test_refused_create_manager_leaves_no_session() -> None:
    """A manager refused for the limit leaves no session either."""

    async def run() -> None:
        system, _ = make_system(Settings(max_managers_per_user=1))
        await connected(system)
        with pytest.raises(ManagerLimitError):
            await system.factory.create_manager(user_id="ana")

        assert list(system.registry.live()) == [KEY]

    asyncio.run(run())


def test_cleanup_manager_tells_the_truth() -> None:
    """A clean-up is true once, closes the sockets with 1001, and then finds nothing."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)

        assert await system.factory.cleanup_manager(KEY)
        assert not await system.factory.cleanup_manager(KEY)
        await settle()
        assert peer.close_code == 1001
        assert system.census().connections == {}

    asyncio.run(run())


def test_contradicting_key_and_context_are_a_mismatch() -> None:
    """A key that is not the context's is refused, and counted."""

    async def run() -> None:
        system, _ = make_system()
        context = system.contexts.get_user_execution_context("ana", "t")
        with pytest.raises(ContextMismatchError):
            await system.factory.cleanup_manager(IsolationKey("ben", "t"), context)

        assert system.metrics().mismatches == 1

    asyncio.run(run())


def test_log_tells_of_each_manager(caplog: pytest.LogCaptureFixture) -> None:
    """Making and ending a manager log the lines that the seeds watch for, with one thread."""
    caplog.set_level("INFO", "sessions.factory")

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        await system.connector.handle_websocket_disconnect(peer)

    asyncio.run(run())

    assert caplog.messages == [
        "Creating WebSocket manager with consistent context: t",
        "WebSocket cleanup completed for context: t",
    ]
