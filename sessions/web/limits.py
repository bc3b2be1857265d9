"""What a peer may take of the server: time to send a request or to read, and connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sessions.metrics import Refusals
from sessions.settings import Settings

# Connections beside those that are served, which are told that there are too many; our choice.
REFUSED_AT_ONCE_MAX = 100
UNANSWERED = (h11.IDLE, h11.SEND_RESPONSE)
NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Deadline:
    """Calls a function once a number of seconds has passed since its start, unless stopped."""

    def __init__(self, limit_s: float, then: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._then = then
        self._timer: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        """Begin, or begin again."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._limit_s, self._then)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpProtocol(H11Protocol):
    """HTTP for peers that send their requests, and read the answers, within the limits.

    The head of a request, and then its body, each may take request_timeout_s; who takes longer is
    answered 408 if that can be, and closed. Who leaves unread for write_timeout_s what was sent is
    cut off. The size of a head, and the time between two requests, are limits of the server's, as
    is the number of connections, by which it answers 503: of that only note is taken here.
    """

    def __init__(self, settings: Settings, refusals: Refusals, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusals = refusals
        self._connections_max = served_max(settings) + REFUSED_AT_ONCE_MAX
        self._arriving = Deadline(settings.request_timeout_s, self._took_too_long)
        self._unread = Deadline(settings.write_timeout_s, lambda: self.transport.abort())
        self._head_of: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn narrows the type as well.
        super().connection_made(transport)
        if len(self.connections) > self._connections_max:
            self._refusals.note("requests_max")
            transport.abort()
            return
        # Else what waits in the buffer, up to this limit, could wait for ever.
        transport.set_write_buffer_limits(high=0)
        self._arriving.start()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def handle_events(self) -> None:
        limit, before = self.limit_concurrency or 0, self.cycle
        is_full = len(self.connections) >= limit or len(self.tasks) >= limit
        super().handle_events()
        if is_full and self.cycle is not before:
            self._refusals.note("requests_max")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in UNANSWERED:
            super().send_400_response(msg)
        else:
            # Two requests at once, the second of them malformed: there is one answer already.
            self.transport.close()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Refuse a handshake that the WebSocket library would take for a fault of its own."""
        own = (value for name, value in self.headers if name.startswith(b"sec-websocket-"))
        if all(value.isascii() for value in own):
            self._stop()
            super().handle_websocket_upgrade(event)
        else:
            self.send_400_response("Invalid WebSocket handshake received.")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.start()

    def resume_writing(self) -> None:
        self._unread.stop()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Measure the time of whatever the peer has to send next, each part from its beginning."""
        is_ours = self.transport.get_protocol() is self and not self.transport.is_closing()
        if not is_ours or self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._arriving.stop()
        elif not self._arriving.runs or self._head_of is not self.cycle:
            self._arriving.start()
        self._head_of = self.cycle

    def _took_too_long(self) -> None:
        has_begun = self.conn.trailing_data[0] or self.conn.their_state is h11.SEND_BODY
        if has_begun and self.conn.our_state in UNANSWERED:
            headers = [("connection", "close"), ("content-length", "0")]
            told = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
            for event in (told, h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _stop(self) -> None:
        self._arriving.stop()
        self._unread.stop()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets of peers that read within write_timeout_s, and whose handshake is one."""

    def __init__(self, settings: Settings, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = Deadline(settings.write_timeout_s, lambda: self.transport.abort())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:
            # It came whole, and was no handshake: nobody would answer it, or close.
            self.transport.write(NO_HANDSHAKE)
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.start()

    def resume_writing(self) -> None:
        self._unread.stop()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unread.stop()
        super().connection_lost(exc)


def served_max(settings: Settings) -> int:
    """Return how many connections are served at once, of either kind."""
    return settings.connections_max + settings.requests_max


def server_options(settings: Settings, refusals: Refusals) -> dict[str, Any]:
    """Return the limits in the words of uvicorn.Config, and the protocols that keep the others."""
    return {
        "http": partial(HttpProtocol, settings, refusals),
        "ws": partial(WebSocketProtocol, settings),
        # One byte too many is answered, and only more than that closes the connection.
        "ws_max_size": settings.message_bytes_max + 1,
        # Frames of a chat are short: to compress them costs time, and some 30 KB a socket.
        "ws_per_message_deflate": False,
        "h11_max_incomplete_event_size": settings.head_bytes_max,
        # uvicorn refuses from this number on.
        "limit_concurrency": served_max(settings) + 1,
    }


class Admissions:
    """How many WebSockets there are, in all and of each user."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._of_user: Counter[str] = Counter()

    def passed_by(self, user_id: str) -> str | None:
        """Return the limit that one more of a user would pass, or None."""
        if self._of_user.total() >= self._settings.connections_max:
            return "connections_max"
        if self._of_user[user_id] >= self._settings.user_connections_max:
            return "user_connections_max"
        return None

    @contextmanager
    def admitted(self, user_id: str) -> Iterator[None]:
        """Count one for as long as the block runs."""
        self._of_user[user_id] += 1
        try:
            yield
        finally:
            self._of_user[user_id] -= 1
            if not self._of_user[user_id]:
                del self._of_user[user_id]
