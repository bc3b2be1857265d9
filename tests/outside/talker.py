"""A tab of a user: asks, notes what it is told, asks again what was refused, and checks it all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection

from sessions.event import Json
from tests.sessions_server import Server, on, receive, send


@dataclass(slots=True)
class Talker:
    """One socket on one thread, and what became of each question that it asked there.

    acknowledged: the positions that were told, by message_id. refused: the questions whose last
    word was an error. codes: how often each error was told. worst_s: the longest that one took.
    """

    server: Server
    headers: Mapping[str, str]
    thread_id: str
    far_end: ClientConnection
    asked: list[str] = field(default_factory=list)
    acknowledged: dict[str, Json] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0

    async def ask(self, count: int) -> None:
        """Ask something new, so many times, each once the last has its verdict."""
        for _ in range(count):
            name = f"{self.thread_id}-{len(self.asked)}"
            self.asked.append(name)
            await self._say(name)

    async def ask_again(self) -> None:
        """Ask again what was refused."""
        again, self.refused = self.refused, []
        for name in again:
            await self._say(name)

    async def ping(self) -> None:
        """Send a ping, and wait for its pong."""
        await send(self.far_end, "ping", message_id="ping")
        while (await receive(self.far_end))["message_id"] != "ping":
            pass

    async def check(self) -> None:
        """Assert that the thread has each question once, where it was told, and no second answer.

        So what was acknowledged is there, and what was refused, once it was asked again.
        """
        path = f"/threads/messages{on(self.thread_id)}&limit=500"
        status, shown = await self.server.ask("GET", path, self.headers)
        turns = shown["turns"]
        assert status == 200
        assert isinstance(turns, list)
        of_role: dict[str, list[tuple[Json, Json]]] = {"user": [], "agent": []}
        for number, turn in enumerate(turns, 1):
            assert isinstance(turn, dict)
            assert turn["position"] == number
            of_role[str(turn["role"])].append((turn["message_id"], number))
        assert sorted(str(name) for name, _ in of_role["user"] if name) == sorted(self.asked)
        assert set(self.acknowledged.items()) <= set(of_role["user"])
        answered = Counter(name for name, _ in of_role["agent"])
        assert set(answered.values()) <= {1}
        assert set(answered) <= set(self.asked)

    async def _say(self, name: str) -> None:
        began_s = time.monotonic()
        await send(self.far_end, "chat", message_id=name, payload={"text": name})
        while not self._is_verdict(name, await receive(self.far_end)):
            pass
        self.worst_s = max(self.worst_s, time.monotonic() - began_s)

    def _is_verdict(self, name: str, event: Mapping[str, Json]) -> bool:
        """Take note of an event, and return whether it is the last word on a question."""
        if event["message_id"] != name:
            return False
        kind = event["type"]
        if kind in ("agent_started", "already_handled"):
            assert self.acknowledged.setdefault(name, event["position"]) == event["position"]
        elif kind == "error":
            self.refused.append(name)
            self.codes[str(event["code"])] += 1
        return kind in ("error", "agent_completed", "already_handled")


@asynccontextmanager
async def talking(
    server: Server, headers: Mapping[str, str], thread_id: str
) -> AsyncIterator[Talker]:
    """Connect a tab to a thread."""
    async with server.connected(headers, on(thread_id)) as far_end:
        await receive(far_end)
        yield Talker(server, headers, thread_id, far_end)


async def ask_all(talkers: list[Talker], count: int) -> None:
    """Send so many questions of each, all talkers at once."""
    await asyncio.gather(*(each.ask(count) for each in talkers))
