"""HTTP requests that wait for their answer, each in a task as a server would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from sessions.routes import AgentRoute, Reply

Body = Mapping[str, Any]
Arrive = Callable[[object, dict[str, object]], None]


class Exchange:
    """One request; what comes back is told to `arrive`, with it as the receiver.

    on_begin is called just before it is sent, in its own task.
    """

    def __init__(self, arrive: Arrive) -> None:
        self.on_begin: Callable[[], object] = lambda: None
        self._arrive = arrive
        self.task: asyncio.Task[None] | None = None

    async def post(self, route: AgentRoute, user: str, body: Body) -> None:
        """Send a message, and go on while its answer is waited for."""
        self._begin(self._respond(route, user, body))

    async def post_stream(self, route: AgentRoute, user: str, body: Body) -> None:
        """Send a message, and go on while its events come."""
        self._begin(self._stream(route, user, body))

    def is_open(self) -> bool:
        return self.task is not None and not self.task.done()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.create_task(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.on_begin()
        await work

    async def _respond(self, route: AgentRoute, user: str, body: Body) -> None:
        self._arrive(self, _response(await route.process_agent_message(user, body)))

    async def _stream(self, route: AgentRoute, user: str, body: Body) -> None:
        answered = await route.stream_response(user, body)
        if isinstance(answered, Reply):
            self._arrive(self, _response(answered))
            return
        async for event in answered:
            self._arrive(self, dict(event))
        self._arrive(self, {"type": "end"})


def _response(reply: Reply) -> dict[str, object]:
    return {"type": "response", "status": reply.status, **reply.body}
