"""The WebSocket entry as plain functions, on the process default."""

from __future__ import annotations

from sessions.close_codes import CLEAN
from sessions.context import UserExecutionContext
from sessions.default import default_service
from sessions.event import WebSocket


async def handle_websocket_connection(
    websocket: WebSocket, user_id: str, thread_id: str | None = None
) -> UserExecutionContext:
    """See ChatService.handle_websocket_connection."""
    return await default_service().handle_websocket_connection(websocket, user_id, thread_id)


async def handle_websocket_disconnect(websocket: WebSocket, code: int = CLEAN) -> bool:
    """See ChatService.handle_websocket_disconnect."""
    return await default_service().handle_websocket_disconnect(websocket, code)
