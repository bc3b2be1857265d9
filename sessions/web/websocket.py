"""The WebSocket endpoint: passes frames between a client and the service."""

from __future__ import annotations

import json
from contextlib import suppress

from starlette import websockets

from sessions.context import UserExecutionContext
from sessions.errors import BadMessageError
from sessions.event import ABNORMAL, INVALIDATED, LIMITED, REFUSED, TRY_AGAIN_LATER, Json
from sessions.messages.error_codes import code_of, told
from sessions.service import ChatService
from sessions.web.limits import Admissions
from sessions.web.requests import Tokens, query_value

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
        self._admissions = Admissions(service.settings)

    async def serve(self, websocket: websockets.WebSocket) -> None:
        """Connect the peer if it may, and then hand on its frames until it is gone.

        Who may not is told why by an error event and by the close code; who is one too many, by
        the close code alone, as the server has nothing left for more.
        """
        await websocket.accept()
        socket = Socket(websocket)
        try:
            user_id = self._tokens.user_of(websocket)
        except BadMessageError as error:
            await self._refuse(websocket, socket, error)
            return
        if limit := self._admissions.passed_by(user_id):
            self._service.refusals.note(limit)
            with suppress(websockets.WebSocketDisconnect):
                await websocket.close(TRY_AGAIN_LATER, "too many connections; try again later")
            return
        with self._admissions.admitted(user_id):
            if await self._connected(websocket, socket, user_id):
                await self._converse(socket, user_id)

    async def _connected(
        self, websocket: websockets.WebSocket, socket: Socket, user_id: str
    ) -> bool:
        thread_id = self._thread_id(websocket)
        try:
            await self._service.handle_websocket_connection(socket, user_id, thread_id)
        except Exception as error:
            if code_of(error) is None:
                raise
            await self._refuse(websocket, socket, error)
            return False
        return True

    async def _converse(self, socket: Socket, user_id: str) -> None:
        try:
            while (data := await socket.frame()) is not None:
                await self._service.until_room(user_id)
                await self._service.receive(socket, data)
        finally:
            await self._service.handle_websocket_disconnect(socket, socket.close_code)

    async def _refuse(
        self, websocket: websockets.WebSocket, socket: Socket, error: Exception
    ) -> None:
        code = code_of(error) or ""  # each of these has one
        thread_id = None if code in ("unauthorized", "bad_id") else self._thread_id(websocket)
        event: dict[str, Json] = {
            "type": "error",
            "thread_id": thread_id,
            "run_id": None,
            "event_id": self._service.system.ids.generate_base_id("event"),
            "message_id": None,
            "code": code,
            "message": told(error),
        }
        # A peer that has gone meanwhile need not be told.
        with suppress(websockets.WebSocketDisconnect):
            await socket.send_json(event)
            await socket.close(CLOSE_CODES.get(code, TRY_AGAIN_LATER))

    def _thread_id(self, websocket: websockets.WebSocket) -> str | None:
        return query_value(websocket, "thread_id") or None
