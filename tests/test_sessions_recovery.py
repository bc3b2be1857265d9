"""Sockets that fail, and what waits for a reconnect."""

from __future__ import annotations

import asyncio

import pytest

from sessions.key import IsolationKey
from sessions.settings import Settings
from sessions.system import ChatSystem
from tests.sessions_clock import settle
from tests.sessions_peers import BrokenPeer, Peer, StalledPeer, make_system

KEY = IsolationKey("ana", "t")


async def join(
    system: ChatSystem, peer: Peer, thread_id: str = "t", name: str = "c1", user_id: str = "ana"
) -> None:
    """Connect a peer, and let its events arrive."""
    await system.connector.connect(peer, user_id, thread_id, name)
    await settle()


async def say(system: ChatSystem, *texts: str, thread_id: str = "t") -> None:
    """Deliver one event a text to a thread of ana's, and let them arrive."""
    for text in texts:
        await system.router.deliver("ana", thread_id, "agent_event", {"text": text})
    await settle()


def test_broken_socket_is_removed_and_closed() -> None:
    """A connection whose send raised is removed, and its socket closed."""

    async def run() -> None:
        system, _ = make_system()
        broken = BrokenPeer()
        await join(system, broken)
        await say(system, "one")

        assert system.census().connections == {}
        assert broken.close_code == 1011

    asyncio.run(run())


def test_events_wait_for_a_reconnect() -> None:
    """What a thread is told while nobody listens is replayed in order, once, after connected."""

    async def run() -> None:
        system, _ = make_system()
        first, second, third = Peer(), Peer(), Peer()
        await join(system, first)
        await system.connector.handle_websocket_disconnect(first, 1006)
        await say(system, "one", "two")
        await join(system, second, name="c2")
        await join(system, third, name="c3")

        assert second.kinds() == ["connected", "agent_event", "agent_event"]
        assert second.texts() == ["one", "two"]
        assert third.texts() == []

    asyncio.run(run())


def test_undelivered_events_head_the_queue() -> None:
    """What the last socket did not take comes before what was told later."""

    async def run() -> None:
        system, _ = make_system()
        broken, back = BrokenPeer(), Peer()
        await join(system, broken)
        await say(system, "one")
        await say(system, "two")
        await join(system, back, name="c2")

        assert back.texts() == ["one", "two"]

    asyncio.run(run())


def test_undelivered_replay_waits_again() -> None:
    """A replay that the socket did not take is kept, still in order."""

    async def run() -> None:
        system, _ = make_system()
        await system.factory.create_manager(system.contexts.get_user_execution_context(*KEY))
        await say(system, "one", "two")
        await join(system, BrokenPeer())
        back = Peer()
        await join(system, back, name="c2")

        assert back.texts() == ["one", "two"]

    asyncio.run(run())


def test_pong_is_not_kept_for_a_reconnect() -> None:
    """A direct answer that was not taken dies with its socket."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, BrokenPeer())
        await system.router.ping("ana", "c1")
        await settle()

        assert system.census().queued == {KEY: 0}

    asyncio.run(run())


def test_undelivered_events_of_one_of_two_tabs_are_not_kept() -> None:
    """While another tab is connected, what one socket did not take is not queued."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, BrokenPeer(), name="c1")
        await join(system, Peer(), name="c2")
        await say(system, "one")

        assert system.census().queued == {KEY: 0}

    asyncio.run(run())


@pytest.mark.parametrize(("told", "kept", "dropped"), [(99, 99, 0), (100, 100, 0), (101, 100, 1)])
def test_recovery_queue_holds_a_hundred_events(told: int, kept: int, dropped: int) -> None:
    """A hundred events wait for a reconnect; with one more the oldest is dropped and counted."""

    async def run() -> None:
        system, _ = make_system()
        await system.factory.create_manager(system.contexts.get_user_execution_context(*KEY))
        await say(system, *[str(number) for number in range(told)])
        back = Peer()

        assert system.census().queued == {KEY: kept}
        assert system.metrics().events_dropped == dropped
        await join(system, back)
        assert back.texts()[0] == str(dropped)

    asyncio.run(run())


def test_replay_does_not_fill_the_outbox() -> None:
    """A long replay leaves room for the events that follow at once."""

    async def run() -> None:
        system, _ = make_system(Settings(outbox_max=1, recovery_max=5))
        await system.factory.create_manager(system.contexts.get_user_execution_context(*KEY))
        await say(system, "one", "two")
        back = Peer()
        await system.connector.connect(back, "ana", "t", "c1")
        await say(system, "three")

        assert back.texts() == ["one", "two", "three"]

    asyncio.run(run())


def test_nothing_waits_without_a_manager() -> None:
    """An event of a thread without a manager is queued nowhere, and makes no session."""

    async def run() -> None:
        system, _ = make_system()
        await say(system, "one")

        assert system.census().queued == {}
        assert system.registry.live() == {}

    asyncio.run(run())


def test_end_of_a_manager_drops_its_queue() -> None:
    """A manager that ends counts what waited as dropped."""

    async def run() -> None:
        system, clock = make_system()
        await system.factory.create_manager(system.contexts.get_user_execution_context(*KEY))
        await say(system, "one", "two")
        clock.now_s += 60

        assert system.metrics().events_dropped == 2

    asyncio.run(run())


def test_event_in_flight_at_the_disconnect_arrives_once() -> None:
    """A send that is given up at the disconnect does not arrive beside its replay."""

    async def run() -> None:
        system, _ = make_system()
        slow, back = StalledPeer(), Peer()
        slow.reading.set()
        await join(system, slow)
        slow.reading.clear()
        await say(system, "one")
        slow.reading.set()
        await system.connector.handle_websocket_disconnect(slow, 1006)
        await join(system, back, name="c2")

        assert slow.texts() == []
        assert back.texts() == ["one"]

    asyncio.run(run())
