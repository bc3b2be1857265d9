"""The getter as plain functions, on the process default."""

from __future__ import annotations

from sessions.context import UserExecutionContext
from sessions.default import default_system


def get_user_execution_context(
    user_id: str, thread_id: str | None = None, run_id: str | None = None
) -> UserExecutionContext:
    """See Contexts.get_user_execution_context."""
    return default_system().contexts.get_user_execution_context(user_id, thread_id, run_id)


def create_user_execution_context(
    user_id: str,
    thread_id: str | None = None,
    run_id: str | None = None,
    db_session: object | None = None,
    websocket_connection_id: str | None = None,
) -> UserExecutionContext:
    """Deprecated: see Contexts.create_user_execution_context."""
    return default_system().contexts.create_user_execution_context(
        user_id, thread_id, run_id, db_session, websocket_connection_id, stacklevel=3
    )
