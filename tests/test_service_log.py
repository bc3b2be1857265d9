"""What a real server logs of peers that break off, or send what is none of their protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.sessions_apps import ANA
from tests.sessions_server import close_code, receive, serving

CUT_SHORT = b"""POST /agents/message HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Content-Length: 100\r
\r
{"text": """
NOT_UTF8 = b"\xff\xfe"


def database(folder: Path) -> tuple[str, str]:
    return "--database", f"sqlite+aiosqlite:///{folder / 'sessions.db'}"


def test_body_cut_short_is_one_line(tmp_path: Path) -> None:
    """A peer that leaves in the middle of its body is told of in one line of the log."""

    async def run() -> list[str]:
        async with serving(*database(tmp_path)) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(CUT_SHORT)
            await writer.drain()
            writer.close()
            await server.logged("POST '/agents/message'")
        return server.log

    log = asyncio.run(run())

    assert [line for line in log if "body" in line] == [
        "WARNING:  a body came to no end: POST '/agents/message'"
    ]
    assert [line for line in log if "Traceback" in line or "Error" in line] == []


def test_text_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    """A text frame that is not UTF-8 closes its socket with 1007, and is one line of the log."""

    async def run() -> list[str]:
        async with serving(*database(tmp_path)) as server:
            async with server.connected(ANA) as far_end:
                await receive(far_end)
                await far_end.send(NOT_UTF8, text=True)
                assert await close_code(far_end) == 1007
            await server.logged("UTF-8")
        return server.log

    log = asyncio.run(run())

    assert [line for line in log if "UTF-8" in line] == [
        "WARNING:  Invalid UTF-8 sequence received from client."
    ]
    assert [line for line in log if "Traceback" in line or "Error" in line] == []
