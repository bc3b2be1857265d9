"""The WebSocket endpoint: passes frames between a client and the service."""

from __future__ import annotations

import json
from contextlib import suppress

from starlette import websockets

from sessions.close_codes import ABNORMAL, INVALIDATED, LIMITED, REFUSED, TRY_AGAIN_LATER
from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.messages.error_codes import code_of, told
from sessions.service import ChatService
from sessions.web.requests import query_value
from sessions.web.tokens import Tokens

CLOSE_CODES = {
    "unauthorized": INVALIDATED,
    "bad_id": REFUSED,
    "session_limit": LIMITED,
    "manager_limit": LIMITED,
}


class Socket:
    """A WebSocket of the server, as the service knows sockets (sessions.event.WebSocket)."""

    def __init__(self, websocket: websockets.WebSocket) -> None:
        self._websocket = websocket
        self.user_context: UserExecutionContext | None = None
        self.db_session: object | None = None
        self.close_code = ABNORMAL

    async def send_json(self, data: dict[str, Json]) -> None:
        """Send an event; raises if the peer has gone."""
        await self._websocket.send_text(json.dumps(data, separators=(",", ":")))

    async def close(self, code: int) -> None:
        """Close; raises if it is closed already."""
        await self._websocket.close(code)

    async def frame(self) -> str | bytes | None:
        """Return what the peer sends next; None, and its code in close_code, once it is gone."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            self.close_code = message.get("code", ABNORMAL)
            return None
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        return data or b"" if text is None else text


class WebSocketRoute:
    """Serves one socket from its handshake to its end."""

    def __init__(self, service: ChatService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens

    async def serve(self, websocket: websockets.WebSocket) -> None:
        """Connect the peer if it may, and then hand on its frames until it is gone.

        Who may not is told why by an error event and by the close code.
        """
        await websocket.accept()
        socket = Socket(websocket)
        try:
            user_id = await self._connect(websocket, socket)
        except Exception as error:
            code = code_of(error)
            if code is None:
                raise
            await self._refuse(websocket, socket, code, told(error))
            return
        await self._converse(socket, user_id)

    async def _connect(self, websocket: websockets.WebSocket, socket: Socket) -> str:
        """Connect the peer, and return whose it is."""
        user_id = self._tokens.user_of(websocket)
        thread_id = self._thread_id(websocket)
        await self._service.handle_websocket_connection(socket, user_id, thread_id)
        return user_id

    async def _converse(self, socket: Socket, user_id: str) -> None:
        try:
            while (data := await socket.frame()) is not None:
                await self._service.until_room(user_id)
                await self._service.receive(socket, data)
        finally:
            await self._service.handle_websocket_disconnect(socket, socket.close_code)

    async def _refuse(
        self, websocket: websockets.WebSocket, socket: Socket, code: str, message: str
    ) -> None:
        thread_id = None if code in ("unauthorized", "bad_id") else self._thread_id(websocket)
        event: dict[str, Json] = {
            "type": "error",
            "thread_id": thread_id,
            "run_id": None,
            "event_id": self._service.system.ids.generate_base_id("event"),
            "message_id": None,
            "code": code,
            "message": message,
        }
        # A peer that has gone meanwhile need not be told.
        with suppress(websockets.WebSocketDisconnect):
            await socket.send_json(event)
            await socket.close(CLOSE_CODES.get(code, TRY_AGAIN_LATER))

    def _thread_id(self, websocket: websockets.WebSocket) -> str | None:
        return query_value(websocket, "thread_id") or None
