"""An ASGI app in the loop of a driver: HTTP and WebSockets in memory, as uvicorn serves them.

ASGI is a protocol of plain dicts, so that nothing here knows a framework.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Headers: TypeAlias = Mapping[str, str]
Frame: TypeAlias = str | bytes

CLEAN, ABNORMAL, INTERNAL_ERROR = 1000, 1006, 1011  # RFC 6455, 7.4.1
UNREAD_MAX = 16  # frames that a client has not read, above which the app's send waits; our choice


class PeerGone(OSError):
    """The app sends to a client that has left; Starlette makes a WebSocketDisconnect of it."""


class Closed(Exception):
    """A client waits for a frame, and the app has closed the socket with this code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code}{f': {reason}' if reason else ''}")
        self.code = code
        self.reason = reason


class Rejected(Exception):
    """The app has closed a socket before it was accepted: a server answers with this status."""

    def __init__(self, status: int = 403) -> None:
        super().__init__(f"rejected with status {status}")
        self.status = status


class StartFailed(RuntimeError):
    """The app says in its lifespan that it could not start."""


@dataclass(slots=True)
class Response:
    """An answer; of one that the app did not end, as it raised, `is_cut` holds.

    `error` is what the app has raised, if it did: before the answer began, the status is 500 then.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    is_cut: bool = False
    error: BaseException | None = None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as what it is in JSON; raises ValueError for anything else."""
        return json.loads(self.body)


async def at_once() -> None:
    """Take no time."""


class Client:
    """Calls an app: `await client.request(...)`, `await client.websocket(...)`.

    `io` is awaited for each message on its way; give it the `io` of a driver, so that messages take
    a drawn time where operations overlap. Each request runs in a task of its own, as on a server,
    and goes on when the caller has left: the app is told by `http.disconnect`.
    """

    def __init__(self, app: App, io: Callable[[], Awaitable[None]] = at_once) -> None:
        self.io = io
        self._app = app
        self._lifespan: _Lifespan | None = None
        self._state: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin the app's lifespan; an app that has none is served all the same.

        Raises StartFailed.
        """
        self._lifespan = _Lifespan(self._app, self._state)
        await self._lifespan.start()

    async def stop(self) -> None:
        """End the app's lifespan."""
        if self._lifespan is not None:
            await self._lifespan.stop()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        json: Any = None,  # anything that JSON can hold
        headers: Headers | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the answer to a request; a body is bytes, or what JSON can hold."""
        given = dict(headers or {})
        if json is not None:
            body = _json(json)
            given.setdefault("content-type", "application/json")
        scope = self._scope("http", path, given, query)
        scope |= {"method": method.upper(), "http_version": "1.1", "scheme": "http"}
        exchange = _Exchange(body, self.io)
        self._run(scope, exchange.receive, exchange.send, exchange.ended)
        try:
            return await exchange.response
        except asyncio.CancelledError:
            exchange.leave()
            raise

    async def websocket(
        self,
        path: str,
        *,
        headers: Headers | None = None,
        query: Mapping[str, str] | None = None,
        subprotocols: Iterable[str] = (),
        on_frame: Callable[[Frame], object] | None = None,
    ) -> Socket:
        """Return a socket that the app has accepted; raises Rejected.

        With `on_frame`, each frame is given to it as it arrives, and none is to be received.
        """
        scope = self._scope("websocket", path, dict(headers or {}), query)
        scope |= {"http_version": "1.1", "scheme": "ws", "subprotocols": list(subprotocols)}
        socket = Socket(self.io, on_frame)
        self._run(scope, socket._app_receives, socket._app_sends, socket._app_ended)
        try:
            await socket._accepted
        except asyncio.CancelledError:
            socket.drop()
            raise
        return socket

    def _scope(
        self, kind: str, path: str, headers: Headers, query: Mapping[str, str] | None
    ) -> dict[str, Any]:
        names = {name.lower(): value for name, value in headers.items()}
        given = {"host": "testserver", **names}
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "path": path,
            "raw_path": quote(path).encode("ascii"),
            "root_path": "",
            "query_string": urlencode(query or {}).encode("ascii"),
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in given.items()],
            "client": ("testclient", 50_000),
            "server": ("testserver", 80),
            "state": dict(self._state),
        }

    def _run(
        self,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        async def serve() -> None:
            try:
                await self._app(scope, receive, send)
            except asyncio.CancelledError:
                ended(None)
                raise
            except Exception as error:
                ended(error)  # as a server, which logs it and goes on
            else:
                ended(None)

        task = asyncio.create_task(serve(), name=f"{scope['type']} {scope['path']}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Exchange:
    """One request, and what the app has answered so far."""

    def __init__(self, body: bytes, io: Callable[[], Awaitable[None]]) -> None:
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._io = io
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._answer: Response | None = None

    def leave(self) -> None:
        """Send the app `http.disconnect`: the client closes the connection."""
        self._gone.set()

    async def receive(self) -> Message:
        if self._body is not None:
            await self._io()
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._gone.is_set():
            return  # as uvicorn does: what comes after the end is lost
        await self._io()
        if message["type"] == "http.response.start":
            headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]]
            self._answer = Response(message["status"], headers)
        elif message["type"] == "http.response.body":
            if self._answer is None:
                raise RuntimeError("the app sent a body before http.response.start")
            self._answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                self._finish(self._answer)

    def ended(self, error: BaseException | None) -> None:
        if self._answer is None:
            self._finish(Response(500, body=b"Internal Server Error", error=error))
        else:
            self._answer.error = error
            self._answer.is_cut = not self.response.done()
            self._finish(self._answer)

    def _finish(self, answer: Response) -> None:
        self._gone.set()
        if not self.response.done():
            self.response.set_result(answer)


class Socket:
    """The client's end of a WebSocket that the app has accepted."""

    def __init__(
        self, io: Callable[[], Awaitable[None]], on_frame: Callable[[Frame], object] | None
    ) -> None:
        self.close_code: int | None = None  # by which the app has closed it
        self._io = io
        self._on_frame = on_frame
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sent: deque[Message] = deque([{"type": "websocket.connect"}])
        self._arrived: deque[Frame] = deque()
        self._changed = asyncio.Condition()
        self._reason = ""
        self._has_left = False

    async def send(self, frame: Frame) -> None:
        """Send text or bytes; raises Closed where the app has closed the socket."""
        self._check_open()
        await self._io()
        key = "text" if isinstance(frame, str) else "bytes"
        await self._put({"type": "websocket.receive", key: frame})

    async def send_json(self, value: Any) -> None:
        """Send what JSON can hold, as text."""
        await self.send(_json(value).decode("ascii"))

    async def receive(self) -> Frame:
        """Return the next frame; raises Closed once there is none any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._arrived or self.close_code is not None)
            if not self._arrived:
                raise Closed(self.close_code or ABNORMAL, self._reason)
            self._changed.notify_all()
            return self._arrived.popleft()

    async def close(self, code: int = CLEAN) -> None:
        """Leave with a code."""
        if not self._has_left and self.close_code is None:
            await self._io()
            self.drop(code)
            await asyncio.sleep(0)

    def drop(self, code: int = ABNORMAL) -> None:
        """Leave without a word: the app is told 1006."""
        if not self._has_left:
            self._has_left = True
            self._sent.append({"type": "websocket.disconnect", "code": code, "reason": ""})
            self._wake()

    def _check_open(self) -> None:
        if self.close_code is not None:
            raise Closed(self.close_code, self._reason)
        if self._has_left:
            raise RuntimeError("this client has left; make another socket")

    async def _put(self, message: Message) -> None:
        async with self._changed:
            self._sent.append(message)
            self._changed.notify_all()

    def _wake(self) -> None:
        async def wake() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._waking = asyncio.ensure_future(wake())  # kept, or it could be collected

    async def _app_receives(self) -> Message:
        async with self._changed:
            await self._changed.wait_for(lambda: self._sent)
            return self._sent.popleft()

    async def _app_sends(self, message: Message) -> None:
        kind = message["type"]
        if self.close_code is not None:
            raise RuntimeError(f"unexpected ASGI message {kind!r}, after the socket was closed")
        if kind == "websocket.accept":
            await self._io()
            if not self._accepted.done():
                self._accepted.set_result(None)
        elif kind == "websocket.close":
            await self._end(message.get("code", CLEAN), message.get("reason") or "")
        elif kind == "websocket.send":
            if not self._accepted.done():
                raise RuntimeError("the app sent a frame before it accepted the socket")
            text = message.get("text")
            await self._deliver(message.get("bytes") if text is None else text)

    async def _deliver(self, frame: Any) -> None:
        """Bring a frame to the client, once it has read most of those before."""
        if self._has_left:
            raise PeerGone("the client has left")
        await self._io()
        if self._on_frame is not None:
            if not self._has_left:
                self._on_frame(frame)
            return
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._arrived) < UNREAD_MAX or self._has_left)
            if self._has_left:
                raise PeerGone("the client has left")
            self._arrived.append(frame)
            self._changed.notify_all()

    async def _end(self, code: int, reason: str) -> None:
        await self._io()
        async with self._changed:
            if not self._accepted.done():
                self._accepted.set_exception(Rejected())
            self.close_code, self._reason = code, reason
            self._sent.append({"type": "websocket.disconnect", "code": code, "reason": reason})
            self._changed.notify_all()

    def _app_ended(self, error: BaseException | None) -> None:
        """Close what the app has left open: as uvicorn, with 1011 where it has raised."""
        if not self._accepted.done():
            self._accepted.set_exception(Rejected(500))
        if self.close_code is None:
            self.close_code = INTERNAL_ERROR if error is not None else CLEAN
            self._wake()


class _Lifespan:
    """The start and the end of an app."""

    def __init__(self, app: App, state: dict[str, Any]) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[str | None] = asyncio.Queue()
        self._failure = ""
        self._is_over = False
        self._task = asyncio.create_task(self._live(app, {**scope, "state": state}))

    async def start(self) -> None:
        self._messages.put_nowait({"type": "lifespan.startup"})
        if await self._said.get() == "lifespan.startup.failed":
            raise StartFailed(f"the app could not start: {self._failure or 'it says no more'}")

    async def stop(self) -> None:
        if not self._is_over:
            self._messages.put_nowait({"type": "lifespan.shutdown"})
            await self._said.get()
        await asyncio.wait((self._task,))

    async def _live(self, app: App, scope: MutableMapping[str, Any]) -> None:
        try:
            await app(scope, self._messages.get, self._send)
        except Exception as error:
            # As uvicorn takes it: an app that raises here knows no lifespan.
            self._failure = self._failure or str(error)
        finally:
            self._is_over = True
            self._said.put_nowait(None)

    async def _send(self, message: Message) -> None:
        self._failure = message.get("message", "")
        self._said.put_nowait(message["type"])


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")
