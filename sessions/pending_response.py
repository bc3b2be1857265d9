"""One HTTP request that waits for what comes of a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from sessions.event import Event


class Asker(Protocol):
    """Whoever sent a message and can be answered: a connection, or an exchange."""

    def offer(self, event: Event, *, recoverable: bool) -> None:
        """Hand over an event; it never waits."""
        ...


class Exchange:
    """The events of one message, in order, until nothing more can come of it."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    def offer(self, event: Event, *, recoverable: bool) -> None:  # noqa: ARG002  # never replayed
        self._events.put_nowait(event)

    def finish(self) -> None:
        """Mark the end: no event comes any more."""
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        while event := await self._events.get():
            yield event


class Exchanges:
    """The HTTP requests that wait, by the name under which they asked."""

    def __init__(self) -> None:
        self._open: dict[str, Exchange] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, name: str) -> Exchange:
        exchange = self._open[name] = Exchange()
        return exchange

    def find(self, name: str) -> Exchange | None:
        return self._open.get(name)

    def finish(self, name: str | None) -> None:
        """End the exchange of this name, if there is one."""
        if name is not None and (exchange := self._open.pop(name, None)):
            exchange.finish()

    def finish_all(self) -> None:
        for name in list(self._open):
            self.finish(name)
