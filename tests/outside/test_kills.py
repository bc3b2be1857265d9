"""Forty times kill -9, and every question that was acknowledged is answered in the end, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed

from tests.sessions_apps import ANA
from tests.sessions_databases import KINDS
from tests.sessions_server import PATIENCE_S, Server, on, receive, send, serving, stored

KILLS = 40
THREADS = 5
QUESTIONS = 5  # on each thread, between one kill and the next: a history shows 500 turns


@dataclass(slots=True)
class Client:
    """One tab: what it asked on its thread, and what it was told of it."""

    thread_id: str
    asked: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    resent: int = 0

    async def flood(self, server: Server, told: asyncio.Queue[str]) -> None:
        """Ask again what was not acknowledged, and then more, until the server is gone."""
        try:
            async with server.connected(ANA, on(self.thread_id)) as far_end:
                again = [name for name in self.asked if name not in self.acknowledged]
                self.resent += len(again)
                first = len(self.asked)
                self.asked += [f"{self.thread_id}-{first + n}" for n in range(QUESTIONS)]
                for name in [*again, *self.asked[first:]]:
                    await send(far_end, "chat", message_id=name, payload={"text": name})
                while True:
                    event = await receive(far_end)
                    if event["type"] in ("agent_started", "already_handled"):
                        self.acknowledged.add(str(event["message_id"]))
                        told.put_nowait(str(event["message_id"]))
        except (ConnectionClosed, OSError):
            return

    async def settle(self, server: Server) -> None:
        """Ask all again, and wait for the answer to each."""
        async with server.connected(ANA, on(self.thread_id)) as far_end:
            for name in self.asked:
                await send(far_end, "chat", message_id=name, payload={"text": name})
            waiting = set(self.asked)
            while waiting:
                event = await receive(far_end)
                if event["type"] == "agent_completed" or "response" in event:
                    waiting.discard(str(event["message_id"]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_acknowledged_questions_are_answered_once(
    tmp_path: Path, kind: str, figures: Callable[[str], None]
) -> None:
    random = Random(f"kills/{kind}")
    clients = [Client(f"t{number}") for number in range(THREADS)]

    async def run() -> list[list[tuple[int, str, str]]]:
        async with stored(tmp_path, kind) as options:
            for _ in range(KILLS):
                async with serving(*options) as server:
                    told: asyncio.Queue[str] = asyncio.Queue()
                    floods = [asyncio.create_task(each.flood(server, told)) for each in clients]
                    async with asyncio.timeout(PATIENCE_S):
                        for _ in range(random.randint(1, THREADS * QUESTIONS)):
                            await told.get()
                    server.kill()
                    await asyncio.gather(*floods)
            async with serving(*options) as server:
                for each in clients:
                    await each.settle(server)
                return [await turns_of(server, each.thread_id) for each in clients]

    stories = asyncio.run(run())
    for client, turns in zip(clients, stories, strict=True):
        assert [position for position, _, _ in turns] == list(range(1, len(turns) + 1))
        roles = [Counter(name for _, role, name in turns if role == of) for of in ("user", "agent")]
        assert set(roles[0]) == set(roles[1]) == set(client.asked)
        assert {*roles[0].values(), *roles[1].values()} == {1}
    acknowledged = sum(len(each.acknowledged) for each in clients)
    resent = sum(each.resent for each in clients)
    figures(
        f"{kind}: {KILLS} kills, {acknowledged:,} acknowledged, {resent:,} sent again, none lost"
    )


async def turns_of(server: Server, thread_id: str) -> list[tuple[int, str, str]]:
    """Return position, role and message_id of all turns of a thread."""
    found: list[tuple[int, str, str]] = []
    _, shown = await server.ask("GET", f"/threads/messages{on(thread_id)}&limit=500", ANA)
    turns = shown["turns"]
    assert isinstance(turns, list)
    for turn in turns:
        assert isinstance(turn, dict)
        found.append((int(str(turn["position"])), str(turn["role"]), str(turn["message_id"])))
    return found
