"""The service from outside, under attack: real sockets, both databases, seeded inputs."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.outside.hostile import Hostile
from tests.sessions_apps import ANA, BEN
from tests.sessions_databases import KINDS
from tests.sessions_server import PATIENCE_S, Server, serving, stored

pytestmark = pytest.mark.slow

SEED = 0
INPUTS_OF_A_SORT = 3_000  # four sorts
AT_ONCE = 8
FRAMES_OF_A_CONNECTION = 25
SECRET = "ben's secret"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
HANDSHAKE = b"""GET /ws?thread_id=t HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
"""
HEAD = b"""POST /agents/message HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Content-Length: 100\r
"""
SLOW = (HEAD, HEAD + b'\r\n{"text": ', HANDSHAKE)
SLOW_OF_A_SORT = 100


class Attack:
    """What was sent to a server, and what came back."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.hostile = Hostile(SEED)
        self.statuses: Counter[int] = Counter()
        self.came_back: list[bytes] = []

    async def frames(self, count: int) -> None:
        """Send frames, some on each connection, and hear all that comes of them."""
        for _ in range(count // FRAMES_OF_A_CONNECTION):
            async with self.server.connected(ANA) as far_end:
                hearing = asyncio.create_task(self._hear(far_end))
                with suppress(ConnectionClosed):
                    for _ in range(FRAMES_OF_A_CONNECTION):
                        await far_end.send(self.hostile.frame())
                    await far_end.send('{"type": "ping", "message_id": "last"}')
                await hearing

    async def _hear(self, far_end: ClientConnection) -> None:
        """Take in what comes, until the answer to the last frame, or the end."""
        with suppress(ConnectionClosed):
            message = b""
            while b'"message_id":"last"' not in message:
                message = await far_end.recv(decode=False)
                self.came_back.append(message)

    async def requests(self, count: int) -> None:
        for _ in range(count):
            await self._exchange(b"", self.hostile.request())

    async def http_bytes(self, count: int) -> None:
        for _ in range(count):
            await self._exchange(b"", self.hostile.http_bytes())

    async def websocket_bytes(self, count: int) -> None:
        for _ in range(count):
            await self._exchange(HANDSHAKE + b"\r\n", self.hostile.websocket_bytes())

    async def _exchange(self, first: bytes, then: bytes) -> None:
        """Send an input over its own connection, after a handshake or not; read to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        answer = b""
        try:
            if first:
                writer.write(first)
                answer = await reader.readuntil(b'"connected"')
            writer.write(then)
            writer.write_eof()
            answer += await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it was cut off, which is an answer too
        finally:
            writer.close()
        self.came_back.append(answer)
        self.statuses.update(int(each) for each in STATUS.findall(answer))


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs_come_to_nothing(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """Of 12,000 inputs none is answered by 5xx, none ends the server, none shows another's text."""

    async def run() -> tuple[Attack, str]:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            body = {"text": SECRET, "thread_id": "secret thread"}
            assert (await server.ask("POST", "/agents/message", BEN, body))[0] == 200
            attack = Attack(server)
            began_s = time.monotonic()
            await at_once(attack.frames)
            events = len(attack.came_back)
            await at_once(attack.requests)
            await at_once(attack.http_bytes)
            await at_once(attack.websocket_bytes)
            took_s = time.monotonic() - began_s
            assert await server.ask("GET", "/ready", {}) == (200, {"status": "ready"})
            shown = await server.ask("GET", "/threads/messages?thread_id=secret+thread", BEN)
            assert SECRET in str(shown)
        return attack, f"{4 * INPUTS_OF_A_SORT:,} inputs in {took_s:.0f} s; {events:,} events"

    attack, told = asyncio.run(run())
    statuses = ", ".join(f"{count} x {each}" for each, count in sorted(attack.statuses.items()))
    figures(f"{kind}: {told}; {statuses}")

    assert [each for each in attack.statuses if each >= 500] == []
    assert [each for each in attack.came_back if SECRET.encode() in each] == []
    assert [line for line in attack.server.log if "Traceback" in line] == []


async def at_once(attack: Callable[[int], Awaitable[None]]) -> None:
    share = INPUTS_OF_A_SORT // AT_ONCE
    await asyncio.gather(*(attack(share) for _ in range(AT_ONCE)))


@pytest.mark.parametrize("kind", KINDS)
def test_slow_clients_are_sent_away(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """300 clients that never finish what they began are told so; others are served meanwhile."""

    async def run() -> str:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            slow = [asyncio.create_task(sent_away(server, each)) for each in SLOW * SLOW_OF_A_SORT]
            began_s = time.monotonic()
            times_s = await served_meanwhile(server, slow)
            took_s = time.monotonic() - began_s
            await asyncio.gather(*slow)
            assert await server.ask("GET", "/ready", {}) == (200, {"status": "ready"})
        return (
            f"{kind}: {len(slow)} slow clients sent away in {took_s:.0f} s; {len(times_s)} others "
            f"answered meanwhile, each within {max(times_s):.2f} s"
        )

    figures(asyncio.run(run()))


async def served_meanwhile(server: Server, tasks: list[asyncio.Task[None]]) -> list[float]:
    """Ask something, again and again, until the tasks are done; return what each answer took."""
    times_s = []
    while not all(task.done() for task in tasks):
        began_s = time.monotonic()
        answer = await server.ask("POST", "/agents/message", BEN, {"text": "hi"})
        times_s.append(time.monotonic() - began_s)
        assert answer[0] == 200
    return times_s


async def sent_away(server: Server, sent: bytes) -> None:
    """Send the beginning of something, and wait to be told that it took too long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()
