"""A whole system: its life, its sweep, its census and its counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict
from unittest.mock import Mock, patch

import pytest

from sessions import ChatSystem
from sessions.clock import SystemClock, sleep_until
from sessions.default import UnifiedIdGenerator, default_system, set_default_system
from sessions.ids import IsolationKey
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system

KEY = IsolationKey("ana", "t")


def test_all_counts_start_at_nothing() -> None:
    """A new system has counted nothing."""
    assert set(asdict(make_system()[0].metrics()).values()) == {0}


def test_census_of_a_new_system_is_empty() -> None:
    """A new system holds nothing, and has no task."""
    census = make_system()[0].census()

    assert asdict(census) == {
        "sessions": {},
        "managers": (),
        "connections": {},
        "queued": {},
        "tasks": (),
    }


def test_census_tells_what_is_held() -> None:
    """The census names sessions, managers, connections, queues and tasks."""

    async def run() -> None:
        system, _ = make_system()
        system.registry.get_or_create_user_session("ana", "t", "r1")
        await system.connector.connect(Peer(), "ana", "t", "c1")
        await settle()

        assert asdict(system.census()) == {
            "sessions": {KEY: "r1"},
            "managers": (KEY,),
            "connections": {"c1": KEY},
            "queued": {KEY: 0},
            "tasks": ("connection c1",),
        }

    asyncio.run(run())


def test_two_systems_share_nothing() -> None:
    """A session of one system is not in another."""
    one, _ = make_system()
    other, _ = make_system()
    one.registry.get_or_create_user_session("ana", "t")

    assert other.registry.live() == {}


def test_sweep_goes_on_after_an_exception() -> None:
    """A sweep that raised is counted, and the next one comes."""

    async def run() -> None:
        system, clock = make_system()
        clean_ups = Mock(side_effect=[LookupError("once"), 0])
        with patch.object(system.registry, "cleanup_expired_sessions", clean_ups):
            async with system:
                await clock.move(60)
                await clock.move(60)
                assert clean_ups.call_count == 2
                assert system.metrics().sweep_errors == 1
                assert system.census().tasks == ("sweep",)

    asyncio.run(run())


def test_system_cannot_start_twice() -> None:
    """A second start is refused, as there is one sweep."""

    async def run() -> None:
        system, _ = make_system()
        async with system:
            with pytest.raises(RuntimeError, match="stop it before you start it again"):
                system.start()

    asyncio.run(run())


def test_stop_leaves_no_task() -> None:
    """A stopped system has closed its sockets with 1001, and has no task."""

    async def run() -> None:
        system, _ = make_system()
        peer = Peer()
        system.start()
        await system.connector.connect(peer, "ana", "t")
        await system.stop()

        assert peer.close_code == 1001
        assert system.census().tasks == ()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_stop_gives_up_a_socket_that_takes_nothing() -> None:
    """A stalled send does not hold up the stop."""

    async def run() -> None:
        system, _ = make_system()
        await system.connector.connect(StalledPeer(), "ana", "t")
        await settle()
        await system.stop()

        assert system.census().tasks == ()

    asyncio.run(run())


def test_stopped_system_can_start_again() -> None:
    """A system that was stopped begins to sweep anew."""

    async def run() -> None:
        system, _ = make_system()
        system.start()
        await system.stop()
        async with system:
            assert system.census().tasks == ("sweep",)

    asyncio.run(run())


@pytest.fixture
def default() -> Iterator[ChatSystem]:
    """Make a system the process default for one test."""
    system, _ = make_system()
    set_default_system(system)
    yield system
    set_default_system(None)


def test_default_system_serves_class_level_calls(default: ChatSystem) -> None:
    """A session got on the class is a session of the process default."""
    UnifiedIdGenerator.get_or_create_user_session("ana", "t", "r1")

    assert default.registry.live() == {KEY: "r1"}
    assert UnifiedIdGenerator.get_existing_session("ana", "t") is not None
    assert UnifiedIdGenerator.invalidate_user_sessions("ana") == 1
    assert UnifiedIdGenerator.cleanup_expired_sessions() == 0


def test_default_system_is_made_once() -> None:
    """Two uses of the process default are uses of one system."""
    assert default_system() is default_system()


def test_system_clock_tells_the_time() -> None:
    """The machine's clock counts from the epoch, and does not wait for what has been."""
    clock = SystemClock()
    asyncio.run(sleep_until(clock, clock.now() - 1))

    assert clock.now() == pytest.approx(time.time(), abs=60)


def test_defaults_are_the_contracts() -> None:
    """Every limit has the default that the contract names."""
    assert asdict(Settings()) == {
        "session_ttl_s": 86_400,
        "max_sessions_per_user": 1_000,
        "max_managers_per_user": 20,
        "emergency_percent": 80,
        "reconnect_grace_s": 60,
        "connection_timeout_s": 1_800,
        "send_timeout_s": 5,
        "outbox_max": 100,
        "outbox_bytes_max": 1_048_576,
        "recovery_max": 100,
        "sweep_interval_s": 60,
        "pool_size": 10,
        "pool_timeout_s": 30,
        "connect_timeout_s": 4,
        "statement_timeout_s": 5,
        "ready_timeout_s": 2,
        "retention_s": 2_592_000,
        "queue_max": 10_000,
        "queue_max_per_user": 200,
        "queue_wait_s": 5,
        "dead_letters_max": 1_000,
        "queue_workers": 64,
        "queue_workers_per_user": 4,
        "agent_timeout_s": 300,
        "message_bytes_max": 262_144,
        "head_bytes_max": 16_384,
        "request_timeout_s": 30,
        "write_timeout_s": 60,
        "requests_max": 250,
        "connections_max": 500,
        "user_connections_max": 100,
        "tokens": {},
    }
