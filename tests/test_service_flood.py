"""A user who sends more than is handled holds up nobody but himself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from threadline.asgi import Client, Socket

from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.agents.agent import AgentReply, AgentRequest
from sessions.app import create_app
from sessions.service import ChatService
from sessions.storage.database import Database

TOKENS = {"a": "ana", "b": "ben"}


class Gate:
    """An agent that answers one user's questions once the gate is open, and others' at once."""

    name = "gate"

    def __init__(self, user: str) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self._user = user

    async def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentReply]:
        if context.user_id == self._user:
            self.begun.set()
            await self.open.wait()
        yield AgentReply(request.text)


def make_client(folder: Path, gate: Gate, **limits: float) -> Client:
    settings = Settings(tokens=TOKENS, **limits)  # type: ignore[arg-type]
    system = ChatSystem(settings)
    database = Database(system.clock, settings, f"sqlite+aiosqlite:///{folder / 'sessions.db'}")
    return Client(create_app(ChatService(system, database=database, agent=gate)))


async def socket_of(client: Client, token: str, thread: str = "t") -> Socket:
    return await client.websocket(
        "/ws", headers={"authorization": f"Bearer {token}"}, query={"thread_id": thread}
    )


async def say(socket: Socket, text: str, thread: str | None = None) -> None:
    await socket.send_json(
        {"type": "user_message", "payload": {"text": text}, "thread_id": thread, "message_id": text}
    )


async def until(socket: Socket, kind: str, message: str) -> list[str]:
    """Return what comes up to an event of a message, each as its type or error code."""
    kinds: list[str] = []
    while True:
        event = json.loads(await socket.receive())
        kinds.append(event.get("code", event["type"]))
        if kinds[-1] == kind and event["message_id"] == message:
            return kinds


def test_socket_is_not_read_while_its_users_line_is_full(tmp_path: Path) -> None:
    """No frame is refused that finds room in time, though more come than the line holds."""

    async def run() -> None:
        gate = Gate("ana")
        client = make_client(tmp_path, gate, queue_max_per_user=1, queue_wait_s=600)
        await client.start()
        socket = await socket_of(client, "a")
        for text in ("one", "two", "three"):
            await say(socket, text)
        await gate.begun.wait()
        gate.open.set()
        came = await until(socket, "agent_completed", "three")
        assert came.count("agent_completed") == 3
        assert "queue_full" not in came
        await client.stop()

    asyncio.run(run())


def test_full_line_is_told_when_it_stays_full(tmp_path: Path) -> None:
    async def run() -> None:
        gate = Gate("ana")
        client = make_client(tmp_path, gate, queue_max_per_user=1, queue_wait_s=0)
        await client.start()
        socket = await socket_of(client, "a")
        await say(socket, "one")
        await gate.begun.wait()
        await say(socket, "two")
        assert "agent_completed" not in await until(socket, "queue_full", "two")
        await client.stop()

    asyncio.run(run())


def test_a_flood_of_slow_questions_leaves_a_worker_to_others(tmp_path: Path) -> None:
    """Ana's agents take every worker that she may have; ben is answered meanwhile."""

    async def run() -> None:
        gate = Gate("ana")
        client = make_client(tmp_path, gate, queue_workers=2, queue_workers_per_user=1)
        await client.start()
        ana, ben = await socket_of(client, "a"), await socket_of(client, "b")
        for number in range(20):
            await say(ana, f"m{number}", f"t{number}")
        await gate.begun.wait()
        await say(ben, "hello")
        assert "agent_completed" in await until(ben, "agent_completed", "hello")
        gate.open.set()
        await client.stop()

    asyncio.run(run())
