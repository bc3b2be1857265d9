"""What ends by itself while something else of it is still under way."""

from __future__ import annotations

import asyncio

from sessions.settings import Settings
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, StalledPeer, make_system

EXPIRES_BEFORE_ITS_MANAGER = Settings(session_ttl_s=10, connection_timeout_s=20)


def test_event_of_a_thread_without_session_has_no_run() -> None:
    """An event carries the run of the live session, and none once that has expired."""

    async def run() -> None:
        system, clock = make_system(EXPIRES_BEFORE_ITS_MANAGER)
        peer = Peer()
        await system.connector.connect(peer, "ana", "t")
        clock.now_s += 10
        await system.router.deliver("ana", "t", "agent_thinking", {})
        await settle()

        assert peer.received[-1]["run_id"] is None

    asyncio.run(run())


def test_cleanup_counts_a_session_that_expired_before_its_manager_ended() -> None:
    """The later end of its manager takes nothing from the count."""

    async def run() -> None:
        system, clock = make_system(EXPIRES_BEFORE_ITS_MANAGER)
        await system.connector.connect(Peer(), "ana", "t")
        clock.now_s += 20

        assert system.registry.cleanup_expired_sessions() == 1

    asyncio.run(run())


def test_cleanup_counts_an_expired_session_whose_manager_was_released() -> None:
    """The same holds if the manager was released before the clean-up."""

    async def run() -> None:
        system, clock = make_system(EXPIRES_BEFORE_ITS_MANAGER)
        await system.connector.connect(Peer(), "ana", "t")
        clock.now_s += 20
        system.factory.release_due()

        assert system.registry.cleanup_expired_sessions() == 1

    asyncio.run(run())


def test_socket_of_a_due_manager_is_told_so_though_its_send_fails_first() -> None:
    """A manager that timed out closes its sockets with 1001, whatever their sends come to."""

    async def run() -> None:
        system, clock = make_system(Settings(connection_timeout_s=3, send_timeout_s=5))
        peer = StalledPeer()
        await system.connector.connect(peer, "ana", "t")
        await clock.move(5)

        assert peer.close_code == 1001

    asyncio.run(run())
