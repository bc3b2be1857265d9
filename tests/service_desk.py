"""A chat service for a test: on SQLite in a file, a manual clock, and peers in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sessions.agents.agent import AgentRequest, RuleBasedAgent
from sessions.agents.fault_injecting import Fault, FaultInjectingAgent
from sessions.event import Json
from sessions.service import ChatService
from sessions.settings import Settings
from sessions.storage.database import Database
from tests.sessions_clock import ManualClock
from tests.sessions_peers import make_system

PATIENCE_S = 20  # after which a test that waits for an event fails, instead of hanging


class Waiting:
    """A socket that takes everything, and lets a test wait for what comes."""

    def __init__(self) -> None:
        self.received: list[dict[str, Json]] = []
        self.close_code: int | None = None
        self._changed = asyncio.Event()

    async def send_json(self, data: dict[str, Json]) -> None:
        self.received.append(data)
        self._changed.set()

    async def close(self, code: int) -> None:
        self.close_code = code
        self._changed.set()

    def kinds(self) -> list[Json]:
        return [event["type"] for event in self.received]

    async def until(self, kind: str, count: int = 1) -> dict[str, Json]:
        """Return the so-many-th event of a kind, once it is there."""
        await self._until(lambda: self.kinds().count(kind) >= count)
        return [event for event in self.received if event["type"] == kind][count - 1]

    async def until_closed(self) -> int:
        await self._until(lambda: self.close_code is not None)
        assert self.close_code is not None
        return self.close_code

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


@dataclass(slots=True)
class ServiceDesk:
    """A running service, its clock, and the fault of the agent for each text."""

    service: ChatService
    clock: ManualClock
    faults: dict[str, Fault]

    async def connect(self, user_id: str = "ana", thread_id: str | None = "t") -> Waiting:
        peer = Waiting()
        await self.service.handle_websocket_connection(peer, user_id, thread_id)
        return peer

    async def send(self, peer: Waiting, kind: str, **payload: Json) -> None:
        """Send a frame; ids among the payload are found there."""
        await self.service.receive(peer, json.dumps({"type": kind, "payload": payload}))

    async def ask(self, peer: Waiting, text: str, **ids: Json) -> dict[str, Json]:
        """Send a chat, and return the event that completes it."""
        done = peer.kinds().count("agent_completed")
        await self.send(peer, "chat", text=text, **ids)
        return await peer.until("agent_completed", done + 1)


@asynccontextmanager
async def serving(folder: Path, settings: Settings | None = None) -> AsyncIterator[ServiceDesk]:
    """Run a service on the database in a folder, which may be there from before."""
    system, clock = make_system(settings)
    faults: dict[str, Fault] = {}

    def fault_of(request: AgentRequest) -> Fault:
        return faults.get(request.text, Fault.NONE)

    agent = FaultInjectingAgent(RuleBasedAgent(), fault_of)
    url = f"sqlite+aiosqlite:///{folder / 'sessions.db'}"
    database = Database(clock, system.settings, url)
    async with ChatService(system, database=database, agent=agent) as service:
        yield ServiceDesk(service, clock, faults)
