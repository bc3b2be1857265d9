"""What somebody might send who means no good: frames, requests, and bytes that are neither."""

from __future__ import annotations

import json
from random import Random
from urllib.parse import quote

from sessions.messages.message import PAYLOADS

PATHS = (
    *("/agents/message", "/agents/stream", "/threads", "/threads/messages", "/sessions"),
    *("/health", "/ready", "/metrics", "/openapi.json", "/ws", "/", "/threads/", "/../threads"),
)
METHODS = (
    *(("GET", "POST", "DELETE") * 5),
    "PUT",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "get",
    "X" * 60,
)
TOKENS = (
    *(("Bearer ana's token",) * 15),
    "Bearer ",
    "Bearer x",
    "Basic YTpi",
    "bearer ana's token",
    "",
)
# Another user's thread and name are among them: they are no secret, what was said there is.
IDS = (
    *("t", "secret thread", "", " ", "null", "a:b", "ana", "ben", "\x00", "\ud800", "é" * 200),
    *("x" * 256, "x" * 257, "../t", "'; DROP TABLE turns; --", "\u202e", "🧵"),
)
TEXTS = ("hi", "", "\x00", "\ud800", "x" * 40_000, "é" * 9_000, "{}", "'; DROP TABLE turns; --")


class Hostile:
    """Makes inputs of each sort; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def frame(self) -> str | bytes:
        """Return a frame: a message, a message with something wrong, or anything."""
        draw = self._random
        if draw.random() < 0.1:
            return draw.choice((draw.randbytes(draw.randrange(200)), "[" * 100_000))
        text = json.dumps(self._message())
        if draw.random() < 0.2:
            text = self._damaged(text.encode()).decode("utf-8", "replace")
        return text if draw.random() < 0.8 else text.encode()

    def request(self) -> bytes:
        """Return a whole request, whose parts need not fit each other."""
        draw = self._random
        body = json.dumps(self._fields(("text", "references", "limit"))).encode()
        if draw.random() < 0.2:
            body = self._damaged(body)
        body = b"" if draw.random() < 0.3 else body
        query = "&".join(
            f"{name}={quote(draw.choice(IDS), errors='surrogatepass')}"
            for name in draw.sample(("thread_id", "limit", "user_id", "x"), draw.randrange(4))
        )
        lines = [
            f"{draw.choice(METHODS)} {draw.choice(PATHS)}?{query} HTTP/1.1",
            "Host: test",
            f"Authorization: {draw.choice(TOKENS)}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if draw.random() < 0.1:
            lines.insert(1, f"X-{'y' * draw.randrange(50)}: {'z' * draw.randrange(20_000)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def http_bytes(self) -> bytes:
        """Return what is nearly a request, or a handshake."""
        whole = self.request() if self._random.random() < 0.7 else self.handshake()
        return self._damaged(whole)

    def handshake(self) -> bytes:
        draw = self._random
        lines = [
            f"GET /ws?thread_id={quote(draw.choice(IDS), errors='surrogatepass')} HTTP/1.1",
            *("Host: test", "Connection: Upgrade", "Upgrade: websocket"),
            f"Authorization: {draw.choice(TOKENS)}",
            f"Sec-WebSocket-Version: {draw.choice((13, 13, 13, 8, 'x'))}",
            f"Sec-WebSocket-Key: {draw.choice(('AAAAAAAAAAAAAAAAAAAAAA==', 'A', ''))}",
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def websocket_bytes(self) -> bytes:
        """Return bytes that are a frame, or nearly (RFC 6455, section 5.2)."""
        draw = self._random
        payload = draw.randbytes(draw.choice((0, 1, 16, 125)))
        if draw.random() < 0.5:
            payload = b'{"type": "ping"}'
        first = draw.choice((0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, 0xF1, draw.randrange(256)))
        length = draw.choice((len(payload), len(payload), 126, 127))
        mask = 0x80 if draw.random() < 0.9 else 0
        return bytes((first, mask | length)) + bytes(4) + payload

    def _message(self) -> dict[str, object]:
        draw = self._random
        kind = draw.choice((*PAYLOADS, "error", "connected", 7, None))
        fields = PAYLOADS[kind].model_fields if isinstance(kind, str) and kind in PAYLOADS else ()
        whole = self._fields(tuple(fields))
        payload: object = draw.choice((whole, whole, whole, [], None))
        return {"type": kind, "payload": payload, **self._ids()}

    def _fields(self, names: tuple[str, ...]) -> dict[str, object]:
        return {name: self._value() for name in names if self._random.random() < 0.8} | self._ids()

    def _ids(self) -> dict[str, object]:
        draw = self._random
        names = ("thread_id", "run_id", "message_id", "user_id")
        return {name: draw.choice((*IDS, 1, [], None)) for name in names if draw.random() < 0.3}

    def _value(self) -> object:
        draw = self._random
        deep: object = "x"
        for _ in range(draw.choice((1, 50, 300)) if draw.random() < 0.05 else 0):
            deep = [deep]
        return draw.choice((*TEXTS, "subscribe", 1, 50, -1, 10**30, 1.5, True, None, [], {}, deep))

    def _damaged(self, data: bytes) -> bytes:
        """Cut, repeat, or overwrite a piece."""
        draw = self._random
        at = draw.randrange(len(data) + 1)
        match draw.randrange(4):
            case 0:
                return data[:at]
            case 1:
                return data[:at] + data[at // 2 :]
            case 2:
                return data[:at] + draw.randbytes(draw.randrange(1, 20)) + data[at:]
        return data.replace(b"\r\n", b"\n") if draw.random() < 0.5 else data[at:]
