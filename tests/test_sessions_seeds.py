"""The test snippets of the seeds, with only their imports changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sessions.default import (
    RequestScopedSessionFactory,
    UnifiedIdGenerator,
    UserExecutionContext,
    WebSocketManagerFactory,
    create_user_execution_context,
    default_service,
    get_user_execution_context,
    handle_websocket_connection,
    handle_websocket_disconnect,
    set_default_service,
)
from tests.sessions_peers import Peer


@pytest.fixture(autouse=True)
def _new_default() -> Iterator[None]:
    """Give each snippet a process default that nobody has used."""
    set_default_service(None)
    yield
    set_default_service(None)


class WebSocket(Peer):
    """A socket that declares what the snippets look at."""

    user_context: UserExecutionContext


def test_context_continuity() -> None:
    """Test that context is preserved across messages."""
    user_id = "test_user"
    thread_id = "conversation_123"

    # First message
    context1 = get_user_execution_context(user_id, thread_id)
    original_run_id = context1.run_id  # noqa: F841  # the seed has it

    # Second message (same conversation)
    context2 = get_user_execution_context(user_id, thread_id)

    # CRITICAL: Must preserve conversation context
    assert context1.thread_id == context2.thread_id
    assert context1.run_id == context2.run_id  # Same session
    assert context1.user_id == context2.user_id


def test_consistent_thread_id_generation() -> None:
    """Verify SSOT context generation produces consistent IDs."""
    user_id = "test-user-123"

    # Create context using SSOT method
    context1 = UserExecutionContext.from_websocket_request(user_id)
    context2 = UserExecutionContext.from_websocket_request(user_id)

    # Different contexts should have different IDs (as expected)
    assert context1.thread_id != context2.thread_id

    # But within same context, thread_id and run_id should be consistent
    assert context1.run_id in context1.thread_id
    assert context2.run_id in context2.thread_id


def test_isolation_key_consistency() -> None:
    """Verify isolation keys are consistent for same context."""
    factory = WebSocketManagerFactory()
    context = UserExecutionContext.from_websocket_request("test-user")

    key1 = factory._generate_isolation_key(context)
    key2 = factory._generate_isolation_key(context)

    # Same context should generate identical isolation keys
    assert key1 == key2
    assert context.thread_id in key1


async def manager_creation_and_cleanup_with_ssot_context() -> None:
    """Test complete manager lifecycle with SSOT context."""
    factory = WebSocketManagerFactory()
    user_id = "integration-test-user"

    # Create context using SSOT method
    context = UserExecutionContext.from_websocket_request(user_id)

    # Create manager
    manager = await factory.create_manager(context)
    assert manager is not None

    # Verify manager is tracked
    manager_count = await factory.get_user_manager_count(user_id)
    assert manager_count == 1

    # Cleanup using SAME context
    isolation_key = factory._generate_isolation_key(context)
    await factory.cleanup_manager(isolation_key)

    # Verify cleanup succeeded
    final_count = await factory.get_user_manager_count(user_id)
    assert final_count == 0  # Should be 0 if cleanup worked


def test_manager_creation_and_cleanup_with_ssot_context() -> None:
    """Test complete manager lifecycle with SSOT context."""
    asyncio.run(manager_creation_and_cleanup_with_ssot_context())


def test_get_user_execution_context_uses_session_data() -> None:
    """Create UserExecutionContext with session-managed IDs (seed 000, 3.1)."""
    session_data = UnifiedIdGenerator.get_or_create_user_session(
        user_id="user", thread_id="thread", run_id="run"
    )
    context = get_user_execution_context("user", "thread")

    assert context.thread_id == session_data["thread_id"]
    assert context.run_id == session_data["run_id"]


def test_create_user_execution_context_is_deprecated() -> None:
    """For backward compatibility, fall back to session management (seed 002, step 3)."""
    context1 = get_user_execution_context("user", "thread")
    with pytest.warns(DeprecationWarning, match="create_user_execution_context is deprecated"):
        context2 = create_user_execution_context("user", "thread")

    assert context2.run_id == context1.run_id


def test_same_context_goes_to_all_components() -> None:
    """Pass SAME context to ALL components (seed 003, the correct pattern)."""

    async def run() -> None:
        websocket_factory = WebSocketManagerFactory()
        session_factory = RequestScopedSessionFactory()
        user_context = UserExecutionContext.from_websocket_request("user", "websocket")
        ws_manager = await websocket_factory.create_manager(user_context)
        db_session = await session_factory.create_session_from_context(user_context)

        assert ws_manager.context.thread_id == db_session.context.thread_id
        await default_service().stop()

    asyncio.run(run())


def test_websocket_entry_points_use_one_context() -> None:
    """Use SAME context for cleanup that was used for creation (seed 003, step 4)."""

    async def run() -> None:
        websocket = WebSocket()
        await handle_websocket_connection(websocket, "user")
        factory = WebSocketManagerFactory()
        isolation_key = factory._generate_isolation_key(websocket.user_context)
        assert await factory.get_manager(isolation_key) is not None

        await handle_websocket_disconnect(websocket)
        assert await factory.get_manager(isolation_key) is None
        await default_service().stop()

    asyncio.run(run())
