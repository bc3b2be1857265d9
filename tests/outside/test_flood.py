"""One user sends 12,000 frames as fast as they are taken, and another one talks meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import quantiles

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.sessions_apps import ANA, BEN
from tests.sessions_databases import KINDS
from tests.sessions_server import Server, on, receive, send, serving, stored

FRAMES = 12_000
THREADS = 50  # of the one who floods
MESSAGES = 100  # of the other
# Each of the other's two transactions waits for those of the 4 workers that one user may have, and
# more may be told meanwhile; 10 times 4 is our choice.
AHEAD_MAX = 40


class Flood:
    """A socket that sends without waiting, and how many of its questions were answered."""

    def __init__(self) -> None:
        self.answered = 0
        self.begun = asyncio.Event()

    async def run(self, far_end: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(far_end))
                tasks.create_task(self._write(far_end))

    async def _write(self, far_end: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            for number in range(FRAMES):
                thread = f"t{number % THREADS}"
                await send(far_end, "chat", thread_id=thread, payload={"text": f"m{number}"})

    async def _read(self, far_end: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in far_end:
                if json.loads(frame)["type"] == "agent_completed":
                    self.answered += 1
                    self.begun.set()


async def talk(server: Server, flood: Flood) -> tuple[list[float], list[int]]:
    """Return the seconds that each message took, and how many of the flood's came in between."""
    took, ahead = [], []
    async with server.connected(BEN, on("quiet")) as far_end:
        await receive(far_end)
        for number in range(MESSAGES):
            began, before = time.perf_counter(), flood.answered
            await send(far_end, "chat", payload={"text": f"text {number}"})
            while (await receive(far_end))["type"] != "agent_completed":
                pass
            took.append(time.perf_counter() - began)
            ahead.append(flood.answered - before)
    return took, ahead


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_holds_up_nobody_else(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    async def run() -> None:
        async with stored(tmp_path, kind) as options, serving(*options) as server:
            flood = Flood()
            alone, _ = await talk(server, flood)
            async with server.connected(ANA) as far_end:
                flooding = asyncio.create_task(flood.run(far_end))
                await flood.begun.wait()
                beside, ahead = await talk(server, flood)
                answered = flood.answered
            await flooding
        p99s = [quantiles(each, n=100)[98] * 1_000 for each in (alone, beside)]
        figures(
            f"{kind}: p99 {p99s[0]:.0f} ms alone, {p99s[1]:.0f} ms beside a flood, of which "
            f"{answered} were answered meanwhile, at most {max(ahead)} for one message"
        )
        assert answered < FRAMES
        assert max(ahead) <= AHEAD_MAX

    asyncio.run(run())
