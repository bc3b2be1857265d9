"""What the claims of the seeds are tried on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import wraps
from itertools import count
from threading import Timer
from typing import ParamSpec

import pytest

from drivers.disk import Process, make_disk
from sessions import ChatService, ChatSystem
from sessions.agents.agent import Agent
from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.settings import Settings
from sessions.storage.database import Database
from tests.sessions_clock import ManualClock, settle
from tests.sessions_peers import Peer

# More than any handful of messages needs, each of which takes one or two.
RESTS_MAX = 20
LIMIT_S = 600  # after which a claim has failed, as what it waits for does not come

P = ParamSpec("P")


class Subject:
    """Makes systems and services on a clock that stands still."""

    def make_system(self, settings: Settings | None = None) -> tuple[ChatSystem, ManualClock]:
        """Return a system on a manual clock, with the same entropy each time, and the clock."""
        clock = ManualClock()
        made = count()
        system = ChatSystem(
            settings, clock, entropy=lambda size: next(made).to_bytes(max(8, size), "big")[-size:]
        )
        return system, clock

    @asynccontextmanager
    async def chat(
        self, settings: Settings | None = None, agent: Agent | None = None
    ) -> AsyncIterator[Chat]:
        """Serve on a disk of its own, for as long as a block runs."""
        system, clock = self.make_system(settings)
        disk = make_disk()
        make_engine = Process(disk).make_engine
        database = Database(clock, system.settings, disk.url, make_engine=make_engine)
        try:
            async with ChatService(system, database=database, agent=agent) as service:
                yield Chat(service, clock)
        finally:
            disk.remove()


class Chat:
    """A running service, and the users who talk to it."""

    def __init__(self, service: ChatService, clock: ManualClock) -> None:
        self.service = service
        self.system = service.system
        self.clock = clock

    async def connect(self, user_id: str = "ana", thread_id: str | None = None) -> Peer:
        peer = Peer()
        await self.service.handle_websocket_connection(peer, user_id, thread_id)
        await settle()
        return peer

    async def send(self, peer: Peer, frame: str) -> list[dict[str, Json]]:
        """Send one frame, and return the events that come of it."""
        before = len(peer.received)
        await self.service.receive(peer, frame)
        await self.rest()
        return peer.received[before:]

    async def rest(self) -> None:
        """Handle every message that can be handled now."""
        for _ in range(RESTS_MAX):
            await settle()
            if not any(name.startswith("message ") for name in self.system.census().tasks):
                return

    async def ask(
        self, peer: Peer, kind: str, payload: dict[str, Json] | None = None, /, **ids: str
    ) -> list[dict[str, Json]]:
        return await self.send(peer, frame(kind, payload, **ids))

    async def say(self, peer: Peer, text: str, **ids: str) -> list[dict[str, Json]]:
        return await self.ask(peer, "user_message", {"text": text}, **ids)

    async def turns(self, peer: Peer, **ids: str) -> list[Json]:
        """Return the texts of a thread's stored turns."""
        (event,) = await self.ask(peer, "get_thread_history", **ids)
        turns = event["turns"]
        assert isinstance(turns, list)
        return [turn["text"] for turn in turns if isinstance(turn, dict)]


def frame(kind: str, payload: dict[str, Json] | None = None, /, **ids: str) -> str:
    return json.dumps({"type": kind, "payload": payload or {}, **ids})


def same(context: UserExecutionContext) -> UserExecutionContext:
    """Return a context without what differs in each request, so that the rest can be compared."""
    return replace(context, request_id="q", websocket_connection_id=None)


def places(events: list[dict[str, Json]]) -> set[tuple[Json, Json]]:
    """Return the threads and runs that events tell of."""
    return {(event["thread_id"], event["run_id"]) for event in events}


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect what the package logs in a block."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, collector = logging.getLogger("sessions"), Collector()
    level = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.setLevel(level)
        logger.removeHandler(collector)


def on_a_loop(claim: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Make a plain test of an asynchronous one."""

    @wraps(claim)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def whole() -> None:
            # The loop's own timers may stand still (ManualClock).
            task, loop = asyncio.ensure_future(claim(*args, **kwargs)), asyncio.get_running_loop()
            guard = Timer(LIMIT_S, loop.call_soon_threadsafe, (task.cancel,))
            guard.start()
            try:
                await task
            finally:
                guard.cancel()

        asyncio.run(whole())

    return run


@pytest.fixture
def subject() -> Subject:
    """tests/test_seed_blindness.py hands one to the same tests, with a known bug in force."""
    return Subject()
