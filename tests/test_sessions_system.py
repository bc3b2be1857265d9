"""A whole system: its life, its sweep, its census and its counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from sessions import ChatSystem, UnifiedIdGenerator, default_system, set_default_system
from sessions.clock import SystemClock
from sessions.key import IsolationKey
from sessions.registry import Registry
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system

KEY = IsolationKey("ana", "t")


class RaisingOnce(Registry):
    """A registry whose first clean-up raises."""

    raised = False

    def cleanup_expired_sessions(self) -> int:
        if not self.raised:
            self.raised = True
            raise LookupError("once")
        return super().cleanup_expired_sessions()


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


def test_sweep_runs_in_the_background() -> None:
    """A started system closes a socket at the first sweep after its manager was due."""

    async def run() -> None:
        system, clock = make_system(Settings(connection_timeout_s=70))
        peer = Peer()
        async with system:
            await system.connector.connect(peer, "ana", "t")
            await clock.move(119)
            assert peer.close_code is None
            await clock.move(1)
            assert peer.close_code == 1001

    asyncio.run(run())


def test_sweep_goes_on_after_an_exception() -> None:
    """A sweep that raised is counted, and the next one comes."""

    async def run() -> None:
        system, clock = make_system()
        raising = ChatSystem(system.settings, clock, make_registry=RaisingOnce)
        async with raising:
            await clock.move(60)
            await clock.move(60)
            assert raising.metrics().sweep_errors == 1
            assert raising.census().tasks == ("sweep",)

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


def test_messages_that_continue_are_counted() -> None:
    """Of two messages on one thread the second continues a conversation."""

    async def run() -> None:
        system, _ = make_system()
        await system.router.message("ana", "one")
        await system.router.message("ana", "two")

        assert system.metrics().messages == 2
        assert system.metrics().messages_continued == 1

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
    asyncio.run(clock.sleep_until(clock.now() - 1))

    assert clock.now() == pytest.approx(time.time(), abs=60)
