"""Connections: their sockets, and what races with their end."""

from __future__ import annotations

import asyncio

import pytest

from sessions.errors import (
    ConnectionTakenError,
    RefusedError,
)
from sessions.ids import IsolationKey
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system


async def connected(system: ChatSystem, thread_id: str = "t", name: str = "c1") -> Peer:
    """Connect ana's new peer to a thread, and let its events arrive."""
    peer = Peer()
    await system.connector.connect(peer, "ana", thread_id, name)
    await settle()
    return peer


def test_socket_carries_its_context() -> None:
    """The context of a connection is found on its socket."""

    async def run() -> None:
        system, _ = make_system()
        peer = Peer()
        context = await system.connector.connect(peer, "ana", "t")

        assert getattr(peer, "user_context") is context  # noqa: B009  # no socket declares it

    asyncio.run(run())


def test_disconnect_of_an_unknown_socket_does_nothing() -> None:
    """A socket that is not live is not found, the second time as well."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        await system.connector.handle_websocket_disconnect(peer)

        assert not await system.connector.handle_websocket_disconnect(peer)
        assert not await system.connector.handle_websocket_disconnect(Peer())

    asyncio.run(run())


def test_live_socket_is_refused() -> None:
    """A socket cannot be two connections."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        with pytest.raises(ConnectionTakenError):
            await system.connector.connect(peer, "ana", "t", "c2")

    asyncio.run(run())


def test_connection_id_is_free_after_the_timeout() -> None:
    """The id and the socket of a connection that timed out can be used again, unswept."""

    async def run() -> None:
        system, clock = make_system()
        peer = await connected(system)
        clock.now_s += 1800
        await system.connector.connect(peer, "ben", "t", "c1")
        system.sweep()

        assert system.census().connections == {"c1": IsolationKey("ben", "t")}
        assert await system.connector.handle_websocket_disconnect(peer)

    asyncio.run(run())


def test_every_refusal_has_a_reason_of_its_own() -> None:
    """No two refusals share their stable text."""
    reasons = [refusal.reason for refusal in RefusedError.__subclasses__()]

    assert sorted(reasons) == [
        "agent failed",
        "agent timeout",
        "bad message",
        "connection taken",
        "context mismatch",
        "invalid context",
        "invalid id request",
        "manager limit",
        "pool timeout",
        "queue full",
        "session limit",
        "thread ended",
        "unknown connection",
    ]


def test_sockets_share_no_object() -> None:
    """What one socket does to its copy of an event, no other sees."""

    async def run() -> None:
        system, _ = make_system()
        first, second = await connected(system, name="c1"), await connected(system, name="c2")
        await system.router.deliver("ana", "t", "agent_event", {"tags": ["a"]})
        await settle()
        first.received[-1].clear()

        assert second.received[-1]["tags"] == ["a"]
        assert second.received[-1]["type"] == "agent_event"

    asyncio.run(run())


def test_event_in_flight_at_the_disconnect_arrives_once() -> None:
    """A send that is given up at the disconnect does not arrive beside its replay."""

    async def run() -> None:
        system, _ = make_system()
        slow = StalledPeer()
        slow.reading.set()
        await system.connector.connect(slow, "ana", "t", "c1")
        await settle()
        slow.reading.clear()
        await system.router.deliver("ana", "t", "agent_event", {"text": "one"})
        await settle()
        slow.reading.set()
        await system.connector.handle_websocket_disconnect(slow, 1006)
        back = await connected(system, name="c2")

        assert slow.texts() == []
        assert back.texts() == ["one"]

    asyncio.run(run())


def test_cleanup_counts_an_expired_session_whose_manager_was_released() -> None:
    """The release of its manager takes nothing from the count of what expired before it."""

    async def run() -> None:
        system, clock = make_system(Settings(session_ttl_s=10, connection_timeout_s=20))
        await system.connector.connect(Peer(), "ana", "t")
        clock.now_s += 20
        system.factory.release_due()

        assert system.registry.cleanup_expired_sessions() == 1

    asyncio.run(run())
