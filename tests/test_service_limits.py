"""What peers may take of a server, over real sockets: time, bytes and connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from sessions.app import create_app
from sessions.settings import Settings
from sessions.web.server import bound, make_server
from tests.sessions_apps import ANA, BEN, make_service, served

HEAD = b"""POST /agents/message HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Content-Length: 100\r
"""
HEALTH = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"
DESCRIPTION = b"GET /openapi.json HTTP/1.1\r\nHost: test\r\n\r\n"
TEXT = b'{"thread_id": "t", "text": "' + b"x" * 32_000 + b'"}'
SAID = (
    b"POST /agents/message HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ana's token\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(TEXT)
) + TEXT
HANDSHAKE = b"""GET /ws?thread_id=t HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
"""
# A masked text frame (RFC 6455, section 5.2), whose mask changes nothing.
PING = b"\x81\x90" + bytes(4) + b'{"type": "ping"}'
HISTORY = b"\x81\x9e" + bytes(4) + b'{"type": "get_thread_history"}'
NONE_REFUSED = {"connections_max": 0, "user_connections_max": 0, "requests_max": 0}
PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Listener:
    """A server in this process, to be met through real sockets."""

    port: int
    refused: Callable[[], Mapping[str, int]]

    @asynccontextmanager
    async def met(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def answer(self, sent: bytes) -> bytes:
        """Send what may be no whole request, and return all that comes until the server closes."""
        async with asyncio.timeout(PATIENCE_S), self.met() as (reader, writer):
            writer.write(sent)
            return await reader.read()


@asynccontextmanager
async def listening(folder: Path, **limits: float) -> AsyncIterator[Listener]:
    service = make_service(folder, Settings(**limits))  # type: ignore[arg-type]  # each is a number
    server = make_server(create_app(service), service)
    opened = bound(0)
    # Little is under way in the network, so that a peer who does not read is soon noticed.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    port = opened.getsockname()[1]
    serving = asyncio.create_task(server.serve([opened]))
    try:
        yield Listener(port, service.refusals.counts)
    finally:
        server.should_exit = True
        await serving


def run(work: Coroutine[object, object, None]) -> None:
    asyncio.run(work)


def status(answer: bytes) -> bytes:
    return answer.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "sent",
    [HEAD, HEAD + b'\r\n{"text": ', HEALTH + HEAD],
    ids=["head", "body", "second head"],
)
def test_request_that_takes_too_long_is_answered(tmp_path: Path, sent: bytes) -> None:
    """A head or a body that does not end is 408, and the connection is closed."""

    async def told() -> None:
        async with listening(tmp_path, request_timeout_s=0.05) as server:
            answers = (await server.answer(sent)).split(b"HTTP/1.1 ")
            assert answers[-1].startswith(b"408 ")
            assert b"connection: close" in answers[-1].lower()

    run(told())


def test_connection_that_says_nothing_is_closed(tmp_path: Path) -> None:
    """Who does not begin a request has its time as well, and is closed without a word."""

    async def told() -> None:
        async with listening(tmp_path, request_timeout_s=0.05) as server:
            assert await server.answer(b"") == b""

    run(told())


def test_handshake_that_does_not_end_is_answered(tmp_path: Path) -> None:
    """The handshake of a WebSocket has the time of a request."""

    async def told() -> None:
        async with listening(tmp_path, request_timeout_s=0.05) as server:
            assert status(await server.answer(HANDSHAKE)).startswith(b"HTTP/1.1 408 ")

    run(told())


def test_connected_socket_outlives_the_time_of_its_handshake(tmp_path: Path) -> None:
    """Only requests have that time: a WebSocket is still there after it."""

    async def heard() -> None:
        async with (
            listening(tmp_path, request_timeout_s=0.05) as server,
            server.met() as (reader, writer),
        ):
            writer.write(HANDSHAKE + b"\r\n")
            await reader.readuntil(b'"connected"')
            # As long as a connection lasts that says nothing, which began later.
            await server.answer(b"")
            writer.write(PING)
            await reader.readuntil(b'"pong"')

    run(heard())


@pytest.mark.parametrize("size", [8_193, 16_000])
def test_handshake_with_a_long_line_is_refused(tmp_path: Path, size: int) -> None:
    """What is no handshake to the WebSocket, though it was a request, is answered and closed."""

    async def told() -> None:
        async with listening(tmp_path) as server:
            long = b"X: " + b"x" * size + b"\r\n\r\n"
            assert status(await server.answer(HANDSHAKE + long)) == b"HTTP/1.1 400 Bad Request"

    run(told())


def test_handshake_with_an_odd_key_is_refused(tmp_path: Path) -> None:
    """A key that is not ASCII is the peer's fault, not the server's."""

    async def told() -> None:
        async with listening(tmp_path) as server:
            odd = HANDSHAKE.replace(b"AAAA==", b"\xd0AAA==") + b"\r\n"
            assert status(await server.answer(odd)).startswith(b"HTTP/1.1 400 ")

    run(told())


def test_head_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """A head of more than head_bytes_max is not waited for to its end."""

    async def told() -> None:
        async with listening(tmp_path, head_bytes_max=1_000) as server:
            sent = HEAD + b"X: " + b"x" * 1_000
            assert status(await server.answer(sent)).startswith(b"HTTP/1.1 400 ")

    run(told())


def test_peer_that_never_reads_is_cut_off(tmp_path: Path) -> None:
    """Who goes on asking over HTTP, and reads nothing of the answers, loses the connection."""

    async def cut_off() -> None:
        async with listening(tmp_path, write_timeout_s=0.1) as server:
            await asks_until_cut_off(server, [(DESCRIPTION, b"HTTP/1.1")], DESCRIPTION)

    run(cut_off())


def test_socket_that_never_reads_is_cut_off(tmp_path: Path) -> None:
    """A WebSocket that is dead to the service, and cannot even be closed, is not left open."""

    async def cut_off() -> None:
        async with listening(tmp_path, write_timeout_s=0.1, send_timeout_s=0.05) as server:
            await server.answer(SAID)
            met = (HANDSHAKE + b"\r\n", b'"connected"')
            await asks_until_cut_off(server, [met, (9 * HISTORY, b'"thread_history"')], PING)

    run(cut_off())


async def asks_until_cut_off(
    server: Listener, exchanged: list[tuple[bytes, bytes]], then: bytes
) -> None:
    """Send, and read until an answer begins, some times; then only send, to the end."""
    loop = asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        peer.connect(("127.0.0.1", server.port))
        peer.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            for sent, answer in exchanged:
                await loop.sock_sendall(peer, sent)
                read = b""
                while answer not in read:
                    read += await loop.sock_recv(peer, 1_024)
            with pytest.raises(ConnectionError):
                await endless(loop, peer, then)


async def endless(loop: asyncio.AbstractEventLoop, peer: socket.socket, data: bytes) -> None:
    while True:
        await loop.sock_sendall(peer, data)


def test_one_request_too_many_is_refused(tmp_path: Path) -> None:
    """With as many connections as there may be, one more is answered 503."""

    async def told() -> None:
        async with (
            listening(tmp_path, requests_max=2, connections_max=1) as server,
            AsyncExitStack() as others,
        ):
            await asked(server, others)
            await asked(server, others)
            assert status(await asked(server, others)) == b"HTTP/1.1 200 OK"
            refused = await server.answer(HEALTH)
            assert status(refused) == b"HTTP/1.1 503 Service Unavailable"
            assert server.refused() == {**NONE_REFUSED, "requests_max": 1}

    run(told())


def test_far_too_many_connections_are_cut_off(tmp_path: Path) -> None:
    """Only a hundred more than are served are told anything."""

    async def told() -> None:
        async with (
            listening(tmp_path, requests_max=1, connections_max=0) as server,
            AsyncExitStack() as others,
        ):
            for _ in range(101):
                await others.enter_async_context(server.met())
            assert await refused(server)
            assert server.refused() == {**NONE_REFUSED, "requests_max": 1}

    run(told())


async def asked(server: Listener, held: AsyncExitStack) -> bytes:
    """Ask for the health over a connection that stays, and return the head of the answer."""
    reader, writer = await held.enter_async_context(server.met())
    writer.write(HEALTH)
    return await reader.readuntil(b"\r\n\r\n")


async def refused(server: Listener) -> bool:
    """Return whether a request was cut off unanswered."""
    try:
        return await server.answer(HEALTH) == b""
    except ConnectionError:
        return True


def close_code(app: TestClient, headers: dict[str, str]) -> int | None:
    """Return the code by which a socket that was opened is closed at once, or None if it lives."""
    try:
        with app.websocket_connect("/ws", headers=headers) as far_end:
            assert far_end.receive_json()["type"] == "connected"
    except WebSocketDisconnect as closed:
        return closed.code
    return None


def test_one_socket_of_a_user_too_many_is_sent_away(tmp_path: Path) -> None:
    """It is closed with 1013, and another user's is not; with one gone there is room again."""
    with (
        served(make_service(tmp_path, Settings(user_connections_max=2))) as app,
        app.websocket_connect("/ws", headers={**ANA}),
    ):
        with app.websocket_connect("/ws", headers={**ANA}):
            assert close_code(app, {**ANA}) == 1013
            assert close_code(app, {**BEN}) is None
        assert close_code(app, {**ANA}) is None
        assert 'refused_total{limit="user_connections_max"} 1.0' in app.get("/metrics").text


def test_one_socket_in_all_too_many_is_sent_away(tmp_path: Path) -> None:
    """It is closed with 1013, whoever's it is."""
    with (
        served(make_service(tmp_path, Settings(connections_max=2))) as app,
        app.websocket_connect("/ws", headers={**ANA}),
    ):
        with app.websocket_connect("/ws", headers={**BEN}):
            assert close_code(app, {**ANA}) == 1013
            assert close_code(app, {**BEN}) == 1013
        assert close_code(app, {**BEN}) is None
        assert 'refused_total{limit="connections_max"} 2.0' in app.get("/metrics").text
