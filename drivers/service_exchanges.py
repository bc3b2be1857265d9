"""HTTP requests that wait for their answer, each in a task as a server would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Mapping
from functools import partial
from types import coroutine
from typing import Any

from sessions.routes import AgentRoute, Reply

Body = Mapping[str, Any]
Arrive = Callable[[object, dict[str, object]], None]


class Exchange:
    """One request; what comes back is told to `arrive`, with it as the receiver.

    on_begin is called just before it is sent, in its own task; on_wait as soon as that waits, and
    at its end.
    """

    def __init__(self, arrive: Arrive) -> None:
        self.on_begin: Callable[[], object] = lambda: None
        self.on_wait: Callable[[], object] = lambda: None
        self._arrive = arrive
        self.task: asyncio.Task[None] | None = None

    async def post(self, route: AgentRoute, user: str, body: Body) -> None:
        """Send a message, and go on while its answer is waited for."""
        self._begin(self._respond(route, user, body))

    async def post_stream(self, route: AgentRoute, user: str, body: Body) -> None:
        """Send a message, and go on while its events come."""
        self._begin(self._stream(route, user, body))

    def leave(self) -> None:
        """Stop waiting, as a client does that closes its connection."""
        if self.task is not None:
            self.task.cancel()

    def is_open(self) -> bool:
        """Return whether its client waits: it has been sent, and not all has come."""
        return self.task is not None and not self.task.done()

    def is_over(self) -> bool:
        """Return whether it was sent, and nobody waits any more."""
        return self.task is not None and self.task.done()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.create_task(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self.on_begin()
        await _watched(work, self.on_wait)

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


@coroutine
def _watched(
    work: Coroutine[Any, Any, None], on_wait: Callable[[], object]
) -> Generator[Any, Any, None]:
    """Do the work, and call on_wait in the very step in which it waits or ends."""
    step = partial(work.send, None)
    while True:
        try:
            waits_for = step()
        except StopIteration:
            return
        finally:
            on_wait()
        try:
            yield waits_for
        except BaseException as error:
            step = partial(work.throw, error)
        else:
            step = partial(work.send, None)


def _response(reply: Reply) -> dict[str, object]:
    return {"type": "response", "status": reply.status, **reply.body}
