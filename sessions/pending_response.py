"""One HTTP request that waits for what comes of a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sessions.event import Event


class PendingResponse:
    """The events of one message, in order, until nothing more can come of it."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    def offer(self, event: Event) -> None:
        self._events.put_nowait(event)

    def finish(self) -> None:
        """Mark the end: no event comes any more."""
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        while event := await self._events.get():
            yield event


class PendingResponses:
    """The HTTP requests that wait, by the name under which they asked."""

    def __init__(self) -> None:
        self._open: dict[str, PendingResponse] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, name: str) -> PendingResponse:
        response = self._open[name] = PendingResponse()
        return response

    def find(self, name: str) -> PendingResponse | None:
        return self._open.get(name)

    def finish(self, name: str | None) -> None:
        """End the response of this name, if there is one."""
        if name is not None and (response := self._open.pop(name, None)):
            response.finish()

    def finish_all(self) -> None:
        for name in list(self._open):
            self.finish(name)
