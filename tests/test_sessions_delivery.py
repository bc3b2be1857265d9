"""Delivery: who receives what, in which order, and what waits for a reconnect."""

from __future__ import annotations

import asyncio

import pytest

from sessions.errors import InvalidContextError, UnknownConnectionError
from sessions.key import IsolationKey
from sessions.system import ChatSystem
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system

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


def test_event_reaches_every_connection_of_its_thread() -> None:
    """Both tabs of a thread receive an event, each once, in order."""

    async def run() -> None:
        system, _ = make_system()
        first, second = Peer(), Peer()
        await join(system, first, name="c1")
        await join(system, second, name="c2")
        await say(system, "one", "two")

        assert first.texts() == ["one", "two"]
        assert second.texts() == ["one", "two"]

    asyncio.run(run())


def test_event_reaches_nobody_else() -> None:
    """Neither another thread of the user nor the same thread of another user receives it."""

    async def run() -> None:
        system, _ = make_system()
        other_thread, other_user = Peer(), Peer()
        await join(system, other_thread, "s", "c1")
        await join(system, other_user, "t", "c2", user_id="ben")
        await say(system, "one")

        assert other_thread.texts() == []
        assert other_user.texts() == []

    asyncio.run(run())


def test_event_carries_its_ids() -> None:
    """An event carries thread, run, event id, and the id of the message that it answers."""

    async def run() -> None:
        system, _ = make_system()
        peer = Peer()
        await join(system, peer)
        context = await system.router.message("ana", "hi", "t", "r1", "c1", "m1")
        await settle()
        event = peer.received[-1]

        assert event.pop("event_id") != peer.received[0]["event_id"]
        assert event == {
            "type": "message",
            "thread_id": "t",
            "run_id": "r1",
            "message_id": "m1",
            "text": "hi",
        }
        assert context.run_id == "r1"

    asyncio.run(run())


def test_message_goes_to_the_thread_it_carries() -> None:
    """A message that carries a thread belongs there, and not to its connection's thread."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, Peer())
        context = await system.router.message("ana", "hi", "s", connection_id="c1")

        assert context.thread_id == "s"

    asyncio.run(run())


def test_message_goes_to_its_connections_thread() -> None:
    """A message without a thread belongs to its connection's, though another is later."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, Peer())
        system.registry.get_or_create_user_session("ana", "later")
        context = await system.router.message("ana", "hi", connection_id="c1")

        assert context.thread_id == "t"

    asyncio.run(run())


def test_message_without_connection_goes_to_the_latest_thread() -> None:
    """A message with neither thread nor connection belongs to the user's latest thread."""

    async def run() -> None:
        system, _ = make_system()
        system.registry.get_or_create_user_session("ana", "first")
        system.registry.get_or_create_user_session("ana", "latest")
        context = await system.router.message("ana", "hi")

        assert context.thread_id == "latest"

    asyncio.run(run())


def test_asker_on_another_thread_is_answered_once() -> None:
    """The asking connection receives an event of another thread, and that thread does as well."""

    async def run() -> None:
        system, _ = make_system()
        asker, there = Peer(), Peer()
        await join(system, asker, "t", "c1")
        await join(system, there, "s", "c2")
        await system.router.message("ana", "hi", "s", connection_id="c1")
        await settle()

        assert asker.texts() == ["hi"]
        assert there.texts() == ["hi"]

    asyncio.run(run())


def test_asker_on_the_same_thread_is_answered_once() -> None:
    """The asking connection receives an event of its own thread only once."""

    async def run() -> None:
        system, _ = make_system()
        asker = Peer()
        await join(system, asker)
        await system.router.message("ana", "hi", connection_id="c1")
        await settle()

        assert asker.texts() == ["hi"]

    asyncio.run(run())


def test_pong_goes_to_the_asker_only() -> None:
    """A ping is answered to the connection that sent it, and to no other of its thread."""

    async def run() -> None:
        system, _ = make_system()
        asker, other = Peer(), Peer()
        await join(system, asker, name="c1")
        await join(system, other, name="c2")
        await system.router.ping("ana", "c1")
        await settle()

        assert asker.kinds() == ["connected", "pong"]
        assert other.kinds() == ["connected"]

    asyncio.run(run())


def test_run_change_is_seen_by_the_manager() -> None:
    """Events carry the thread's current run, also one that came by another way."""

    async def run() -> None:
        system, _ = make_system()
        peer = Peer()
        await join(system, peer)
        system.registry.get_or_create_user_session("ana", "t", "r2")
        await say(system, "one")

        assert peer.received[-1]["run_id"] == "r2"

    asyncio.run(run())


@pytest.mark.parametrize("user_id", ["ana", "ben"])
def test_unknown_connection_is_refused(user_id: str) -> None:
    """A message over a connection that is not this user's changes nothing."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, Peer(), name="of cleo", user_id="cleo")
        with pytest.raises(UnknownConnectionError):
            await system.router.message(user_id, "hi", "t", connection_id="of cleo")

        assert list(system.registry.live()) == [("cleo", "t")]

    asyncio.run(run())


def test_refused_message_is_no_frame() -> None:
    """A message with a bad id does not keep its connection's manager."""

    async def run() -> None:
        system, clock = make_system()
        await join(system, Peer())
        clock.now_s += 1799
        with pytest.raises(InvalidContextError):
            await system.router.message("ana", "hi", "null", connection_id="c1")
        clock.now_s += 1

        assert system.census().managers == ()

    asyncio.run(run())


def test_slow_socket_delays_no_other() -> None:
    """A socket that takes nothing leaves the other tab its events."""

    async def run() -> None:
        system, _ = make_system()
        slow, quick = StalledPeer(), Peer()
        await join(system, slow, name="c1")
        await join(system, quick, name="c2")
        await say(system, "one", "two")

        assert slow.received == []
        assert quick.texts() == ["one", "two"]

    asyncio.run(run())


@pytest.mark.parametrize(("stalled_s", "live"), [(4, ["c1"]), (5, []), (6, [])])
def test_socket_has_five_seconds_to_take_an_event(stalled_s: float, live: list[str]) -> None:
    """A connection whose send takes five seconds is removed, and its manager waits in grace."""

    async def run() -> None:
        system, clock = make_system()
        await join(system, StalledPeer())
        await clock.move(stalled_s)

        assert list(system.census().connections) == live
        assert system.census().managers == (KEY,)

    asyncio.run(run())


@pytest.mark.parametrize(("waiting", "live"), [(99, ["c1"]), (100, ["c1"]), (101, [])])
def test_outbox_holds_a_hundred_events(waiting: int, live: list[str]) -> None:
    """A hundred events may wait for one socket; with one more it is dead."""

    async def run() -> None:
        system, _ = make_system()
        await join(system, StalledPeer())
        await say(system, *["text"] * waiting)

        assert list(system.census().connections) == live

    asyncio.run(run())


def test_sockets_share_no_object() -> None:
    """What one socket does to its copy of an event, no other sees."""

    async def run() -> None:
        system, _ = make_system()
        first, second = Peer(), Peer()
        await join(system, first, name="c1")
        await join(system, second, name="c2")
        await system.router.deliver("ana", "t", "agent_event", {"tags": ["a"]})
        await settle()
        first.received[-1].clear()

        assert second.received[-1]["tags"] == ["a"]
        assert second.received[-1]["type"] == "agent_event"

    asyncio.run(run())
