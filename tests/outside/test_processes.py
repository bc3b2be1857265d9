"""Two processes on one database: one serves, the other is refused, and takes over when it may."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.outside.talker import Talker, talking
from tests.sessions_apps import ANA
from tests.sessions_databases import KINDS
from tests.sessions_server import Server, serving, stored

pytestmark = pytest.mark.slow

TAKEOVERS = 5
ASKED_MIN, ASKED_MAX = 5, 100  # questions before a process is killed: a history shows 500 turns


@pytest.mark.parametrize("kind", KINDS)
def test_second_process_is_refused_and_takes_over(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    """
    While one serves, running or stopped, another ends in one line with status 1.

    Once the first is killed, the next serves, and all that the first acknowledged is there.
    """

    async def run() -> str:
        kept: list[Talker] = []
        taken_s = []
        async with stored(tmp_path, kind) as options:
            for number in range(TAKEOVERS):
                began_s = time.monotonic()
                async with serving(*options) as server:
                    taken_s.append(time.monotonic() - began_s)
                    for each in kept:
                        each.server = server
                        await each.check()
                    kept.append(await served_alone(server, options, f"t{number}"))
        acknowledged = sum(len(each.acknowledged) for each in kept)
        return (
            f"{kind}: {2 * TAKEOVERS} second processes refused; {TAKEOVERS} times kill -9, and the "
            f"next serves within {max(taken_s):.1f} s; {acknowledged} acknowledged, none lost"
        )

    figures(asyncio.run(run()))


async def served_alone(server: Server, options: tuple[str, ...], thread_id: str) -> Talker:
    """Talk to a server that another would like to be, and kill it; return what was said."""
    async with talking(server, ANA, thread_id) as talker:
        refusing = asyncio.create_task(refused(options))
        while not refusing.done() or len(talker.asked) < ASKED_MIN:
            await (talker.ask(1) if len(talker.asked) < ASKED_MAX else talker.ping())
        await refusing
        os.kill(server.pid, signal.SIGSTOP)
        await refused(options)
        server.kill()
        with pytest.raises(ConnectionClosed):
            await talker.ask(1)
        talker.asked.pop()  # the process was stopped, and has not seen it
        assert talker.refused == []
        return talker


async def refused(options: tuple[str, ...]) -> None:
    """Start a server where another one is, and read why it does not serve."""
    async with serving(*options) as server:
        assert await server.ended() == 1
    assert server.address == ""
    assert [line for line in server.log if "is served by another process" in line] == server.log
    assert len(server.log) == 1
