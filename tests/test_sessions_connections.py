"""Connections and managers: coming, going, grace and timeouts."""

from __future__ import annotations

import asyncio

import pytest

from sessions.errors import (
    ConnectionTakenError,
    InvalidContextError,
    ManagerLimitError,
    RefusedError,
    SessionLimitError,
)
from sessions.key import IsolationKey
from sessions.settings import Settings
from sessions.system import ChatSystem
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system

KEY = IsolationKey("ana", "t")


async def connected(system: ChatSystem, thread_id: str = "t", name: str = "c1") -> Peer:
    """Connect ana's new peer to a thread, and let its events arrive."""
    peer = Peer()
    await system.connector.connect(peer, "ana", thread_id, name)
    await settle()
    return peer


def test_connect_tells_connection_and_thread() -> None:
    """The first event of a connection says what it is connected to, and that it is new."""

    async def run() -> None:
        system, _ = make_system()
        (event,) = (await connected(system)).received

        assert event["type"] == "connected"
        assert event["connection_id"] == "c1"
        assert event["thread_id"] == "t"
        assert event["resumed"] is False

    asyncio.run(run())


def test_connect_to_a_live_thread_resumes_it() -> None:
    """A connection to a thread with a session says that it resumed it, on the same run."""

    async def run() -> None:
        system, _ = make_system()
        session = system.registry.get_or_create_user_session("ana", "t")
        (event,) = (await connected(system)).received

        assert event["resumed"] is True
        assert event["run_id"] == session["run_id"]

    asyncio.run(run())


def test_connect_without_thread_begins_a_conversation() -> None:
    """A connection without a thread gets a new one, though the user has another."""

    async def run() -> None:
        system, _ = make_system()
        system.registry.get_or_create_user_session("ana", "t")
        context = await system.connector.connect(Peer(), "ana")

        assert context.thread_id == f"thread_{context.run_id}"

    asyncio.run(run())


def test_socket_carries_its_context() -> None:
    """The context of a connection is found on its socket."""

    async def run() -> None:
        system, _ = make_system()
        peer = Peer()
        context = await system.connector.connect(peer, "ana", "t")

        assert getattr(peer, "user_context") is context  # noqa: B009  # no socket declares it

    asyncio.run(run())


def test_two_tabs_share_a_manager() -> None:
    """Two connections of one thread are two connections of one manager."""

    async def run() -> None:
        system, _ = make_system()
        await connected(system, name="c1")
        await connected(system, name="c2")

        assert system.census().managers == (KEY,)
        assert system.census().connections == {"c1": KEY, "c2": KEY}

    asyncio.run(run())


def test_closing_one_tab_leaves_the_other() -> None:
    """A clean close of one connection leaves the manager to the other."""

    async def run() -> None:
        system, _ = make_system()
        first = await connected(system, name="c1")
        second = await connected(system, name="c2")
        await system.connector.handle_websocket_disconnect(first)
        await settle()

        assert system.census().connections == {"c2": KEY}
        assert second.close_code is None

    asyncio.run(run())


def test_clean_close_of_the_last_tab_ends_the_manager() -> None:
    """With its last connection closed by 1000 a manager is gone at once."""

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)

        assert await system.connector.handle_websocket_disconnect(peer, 1000)
        assert system.census().managers == ()

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


@pytest.mark.parametrize("user_id", ["ana", "ben"])
def test_live_connection_id_is_refused(user_id: str) -> None:
    """A connection id in use is refused, to its own user and to another."""

    async def run() -> None:
        system, _ = make_system()
        await connected(system)
        with pytest.raises(ConnectionTakenError):
            await system.connector.connect(Peer(), user_id, "s", "c1")

        assert system.census().connections == {"c1": KEY}
        assert list(system.registry.live()) == [KEY]

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


def test_release_of_a_lost_connection_spares_its_successor() -> None:
    """A sweep that frees a connection lost long ago leaves the one that took its id."""

    async def run() -> None:
        system, clock = make_system(Settings(connection_timeout_s=3))
        await system.connector.connect(StalledPeer(), "ana", "t", "c1")
        await clock.move(5)
        await system.connector.connect(Peer(), "ben", "t", "c1")
        system.sweep()

        assert system.census().connections == {"c1": IsolationKey("ben", "t")}
        assert system.connector.find("ben", "c1") is not None

    asyncio.run(run())


def test_checks_come_in_order() -> None:
    """Ids are checked before the connection id, then sessions, then managers."""

    async def run() -> None:
        system, _ = make_system(Settings(max_sessions_per_user=1, max_managers_per_user=1))
        await connected(system)
        connect = system.connector.connect
        with pytest.raises(InvalidContextError):
            await connect(Peer(), "ana", "null", "c1")
        with pytest.raises(ConnectionTakenError):
            await connect(Peer(), "ana", "s", "c1")
        with pytest.raises(SessionLimitError):
            await connect(Peer(), "ana", "s", "c2")

    asyncio.run(run())


def test_refused_connect_leaves_nothing() -> None:
    """A connect refused for the manager limit leaves no session."""

    async def run() -> None:
        system, _ = make_system(Settings(max_managers_per_user=1))
        await connected(system)
        before = system.census()
        with pytest.raises(ManagerLimitError):
            await system.connector.connect(Peer(), "ana", "s")

        assert system.census() == before

    asyncio.run(run())


def test_invalidation_ends_one_users_connections_only() -> None:
    """Invalidation closes that user's sockets with 4401, and nobody else's."""

    async def run() -> None:
        system, _ = make_system()
        mine = await connected(system)
        other = Peer()
        await system.connector.connect(other, "anabel", "t", "c2")

        assert await system.invalidate_user_sessions("ana") == 1
        await settle()
        assert (mine.close_code, other.close_code) == (4401, None)
        assert system.census().managers == (IsolationKey("anabel", "t"),)

    asyncio.run(run())


def test_every_refusal_has_a_reason_of_its_own() -> None:
    """No two refusals share their stable text."""
    reasons = [refusal.reason for refusal in RefusedError.__subclasses__()]

    assert sorted(reasons) == [
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
