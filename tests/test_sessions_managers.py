"""Managers: grace, timeouts, and what ends with them."""

from __future__ import annotations

import asyncio

import pytest

from sessions.ids import IsolationKey
from sessions.session_manager import ChatSystem
from tests.sessions_clock import settle
from tests.sessions_peers import Peer, make_system

KEY = IsolationKey("ana", "t")


async def connected(system: ChatSystem, thread_id: str = "t", name: str = "c1") -> Peer:
    """Connect ana's new peer to a thread, and let its events arrive."""
    peer = Peer()
    await system.connector.connect(peer, "ana", thread_id, name)
    await settle()
    return peer


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


def test_log_tells_of_each_manager(caplog: pytest.LogCaptureFixture) -> None:
    """Making and ending a manager log the lines that the seeds watch for, with one thread."""
    caplog.set_level("INFO", "sessions.manager")

    async def run() -> None:
        system, _ = make_system()
        peer = await connected(system)
        await system.connector.handle_websocket_disconnect(peer)

    asyncio.run(run())

    assert caplog.messages == [
        "Creating WebSocket manager with consistent context: t",
        "WebSocket cleanup completed for context: t",
    ]
