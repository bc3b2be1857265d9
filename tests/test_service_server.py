"""The end of a server, and of requests whose peer has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.types import Message

from sessions.agents.agent import RuleBasedAgent
from sessions.agents.fault_injecting import Fault, FaultInjectingAgent
from sessions.app import create_app
from sessions.event import Json
from sessions.web.responses import stream_of
from sessions.web.server import bound, make_server
from tests.sessions_apps import make_service

ASK = b"""POST /agents/stream HTTP/1.1\r
Host: test\r
Authorization: Bearer ana's token\r
Content-Length: 14\r
\r
{"text": "hi"}"""


def test_request_under_way_ends_with_its_server(tmp_path: Path) -> None:
    """A server that is told to end waits for no agent: the stream has its end at once."""

    async def run() -> None:
        agent = FaultInjectingAgent(RuleBasedAgent(), lambda _: Fault.NEVER_ENDS)
        service = make_service(tmp_path, agent=agent)
        server = make_server(create_app(service), service)
        listening = bound(0)
        serving = asyncio.create_task(server.serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(ASK)
        await reader.readuntil(b'"agent_thinking"')
        server.should_exit = True
        rest = await reader.read()
        await serving
        writer.close()

        assert rest.endswith(b"\r\n0\r\n\r\n")
        assert b"agent_completed" not in rest

    asyncio.run(run())


def test_stream_ends_when_its_peer_has_gone() -> None:
    """What feeds it is closed as soon as a line cannot be sent."""
    ends: list[str] = []

    async def events() -> AsyncIterator[dict[str, Json]]:
        try:
            yield {"type": "agent_started"}
            yield {"type": "agent_thinking"}
        finally:
            ends.append("closed")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the peer has gone")

    async def run() -> None:
        scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
        try:
            await stream_of(events())(scope, receive, send)
        except Exception:
            ends.append("raised")

    asyncio.run(run())

    assert sorted(ends) == ["closed", "raised"]
