"""Sockets that ask, and never read: what they take of the server's memory, and for how long."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from sessions.settings import Settings
from tests.outside.quiet import has_no_peers
from tests.outside.test_outside import HANDSHAKE
from tests.sessions_apps import ANA, BEN
from tests.sessions_databases import KINDS
from tests.sessions_server import PATIENCE_S, Server, serving, stored

pytestmark = pytest.mark.slow

NEVER_READERS = 50
HISTORIES = 40  # that each asks for: 12 MiB, if all were kept
TURNS_BYTES = 5 * 2 * 30_000
# A masked text frame (RFC 6455, section 5.2), whose mask changes nothing.
HISTORY = b"\x81\x9e" + bytes(4) + b'{"type": "get_thread_history"}'
RAISED = (sys.executable, "-m", "tests.outside.raised")
# Sooner than the default, which only is how long the test takes.
LIMITS = '{"write_timeout_s": 5}'
# What waits (outbox_bytes_max and one event more), and one event on its way: as JSON, as a frame,
# and what the transport has left of it.
BYTES_A_SOCKET = Settings().outbox_bytes_max + 4 * TURNS_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_never_readers_take_a_bounded_memory(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """50 of them cost what outbox_bytes_max allows, lose their sockets, and hold up nobody."""

    async def run() -> str:
        command = (*RAISED, LIMITS)
        async with stored(tmp_path, kind) as options, serving(*options, command=command) as server:
            for _ in range(5):
                body = {"text": "x" * 30_000, "thread_id": "t"}
                assert (await server.ask("POST", "/agents/message", ANA, body))[0] == 200
            process = psutil.Process(server.pid)
            with ExitStack() as held:
                peers = [held.enter_context(await connected(server)) for _ in range(NEVER_READERS)]
                rss_bytes = reset_peak(process)
                began_s = time.monotonic()
                loop = asyncio.get_running_loop()
                for peer in peers:
                    await loop.sock_sendall(peer, HISTORIES * HISTORY)
                worst_s = await others_until(lambda: has_no_peers(process, server), server)
                took_s = time.monotonic() - began_s
            grown_bytes = (peak_bytes(process) - rss_bytes) / NEVER_READERS
            assert (await server.metrics())["sessions_connections_live"] == 0
            assert grown_bytes <= BYTES_A_SOCKET
        return (
            f"{kind}: {NEVER_READERS} never-readers gone after {took_s:.0f} s, at most "
            f"{grown_bytes / 2**20:.2f} MiB a socket; others answered within {worst_s:.2f} s"
        )

    figures(asyncio.run(run()))


async def connected(server: Server) -> socket.socket:
    """Return a socket that has read that it is connected."""
    loop = asyncio.get_running_loop()
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    peer.setblocking(False)
    async with asyncio.timeout(PATIENCE_S):
        await loop.sock_connect(peer, ("127.0.0.1", server.port))
        await loop.sock_sendall(peer, HANDSHAKE + b"\r\n")
        read = b""
        while b'"connected"' not in read:
            read += await loop.sock_recv(peer, 1_024)
    return peer


async def others_until(is_done: Callable[[], bool], server: Server) -> float:
    """Send questions of another user until it is so; return the longest wait for an answer."""
    worst_s = 0.0
    async with asyncio.timeout(PATIENCE_S):
        while not is_done():
            began_s = time.monotonic()
            answer = await server.ask("POST", "/agents/message", BEN, {"text": "hi"})
            worst_s = max(worst_s, time.monotonic() - began_s)
            assert answer[0] == 200
    return worst_s


def reset_peak(process: psutil.Process) -> int:
    """Reset the peak of a process's memory (proc(5), clear_refs); return it as it is then."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", "ascii")
    return peak_bytes(process)


def peak_bytes(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1_024
