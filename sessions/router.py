"""Bring messages to their thread, and events to those who are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from sessions.context import (
    UserExecutionContext,
    WebSocketContext,
    check_id,
    check_optional_id,
)
from sessions.dependencies import Dependencies
from sessions.errors import UnknownConnectionError
from sessions.event import Connection, Event, Json
from sessions.ids import IsolationKey
from sessions.manager import Connector, WebSocketManagerFactory


class Asked(Protocol):
    """What an event answers: a message, or the WebSocketContext of one that is not yet accepted."""

    @property
    def context(self) -> UserExecutionContext: ...

    @property
    def asker(self) -> str | None: ...

    @property
    def message_id(self) -> str | None: ...


class Router:
    """Which thread a message belongs to, and which sockets an event goes to.

    To be called on the event loop of the system. No call waits, and a refused one has changed
    nothing: it is no frame of its connection either. An event creates and extends nothing.
    responses are the HTTP requests that wait, which are answered like connections.
    """

    def __init__(
        self, dependencies: Dependencies, factory: WebSocketManagerFactory, connector: Connector
    ) -> None:
        self._dependencies = dependencies
        self._factory = factory
        self._connector = connector
        self._registry = dependencies.registry
        self.responses = PendingResponses()

    def publish(self, asked: Asked, kind: str, fields: Mapping[str, Json]) -> None:
        """Send an event to the connections of the thread, and to an asker who is elsewhere.

        While the thread's manager has no connection the event waits for one.
        """
        event, asker = self._event(asked, kind, fields), asked.asker
        if manager := self._factory.find(event.key):
            manager.deliver(event)
        if asker and not (manager and asker in manager.connections):
            self._offer(event, asker)

    def answer(self, asked: Asked, kind: str, fields: Mapping[str, Json]) -> None:
        """Send an event to the asker only; to nobody, if that one has left."""
        if asked.asker:
            self._offer(self._event(asked, kind, fields), asked.asker)

    def error(self, asked: Asked, code: str, text: str) -> None:
        """Answer with an error, which ends nothing; text is for people."""
        self.answer(asked, "error", {"code": code, "message": text})

    async def message(
        self,
        user_id: str,
        text: str,
        thread_id: str | None = None,
        run_id: str | None = None,
        connection_id: str | None = None,
        message_id: str | None = None,
    ) -> UserExecutionContext:
        """Accept a message, and send it back as an event to the thread and to the asker.

        Its thread is thread_id, or else that of its connection, or else the user's latest.
        Raises InvalidContextError, UnknownConnectionError and SessionLimitError.
        """
        self._check_ids(user_id, thread_id, run_id, connection_id)
        asker = self._live(user_id, connection_id) if connection_id else None
        own = asker.context if asker else None
        context = self._registry.accept(user_id, thread_id, run_id, own).context
        if asker:
            self._connector.frame_arrived(asker)
        asked = WebSocketContext(context, connection_id, message_id)
        self.publish(asked, "message", {"text": text})
        return context

    async def ping(
        self,
        user_id: str,
        connection_id: str,
        thread_id: str | None = None,
        message_id: str | None = None,
    ) -> None:
        """Extend the connection's manager and the thread's session; answer the asker with pong.

        A thread whose session is gone stays gone. Raises InvalidContextError and
        UnknownConnectionError.
        """
        check_id("connection_id", connection_id)
        self._check_ids(user_id, thread_id, None, connection_id)
        asker = self._live(user_id, connection_id)
        key = IsolationKey(user_id, thread_id or asker.context.thread_id)
        self._registry.extend(user_id, key.thread_id)
        self._connector.frame_arrived(asker)
        asker.offer(self._event_of_thread("pong", key, {}, message_id), recoverable=False)

    async def deliver(
        self, user_id: str, thread_id: str, kind: str, fields: Mapping[str, Json]
    ) -> None:
        """Send an event to a thread. Creates nothing and extends nothing.

        Raises InvalidContextError.
        """
        check_id("thread_id", thread_id)
        self._check_ids(user_id, thread_id, None, None)
        key = IsolationKey(user_id, thread_id)
        event = self._event_of_thread(kind, key, fields)
        if manager := self._factory.find(key):
            manager.deliver(event)

    def _check_ids(
        self, user_id: str, thread_id: str | None, run_id: str | None, connection_id: str | None
    ) -> None:
        check_id("user_id", user_id)
        check_optional_id("thread_id", thread_id)
        check_optional_id("run_id", run_id)
        check_optional_id("connection_id", connection_id)

    def _live(self, user_id: str, connection_id: str) -> Connection:
        asker = self._connector.find(user_id, connection_id)
        if asker is None:
            raise UnknownConnectionError(
                f"user {user_id!r} has no live connection {connection_id!r}; connect first"
            )
        return asker

    def _event(self, asked: Asked, kind: str, fields: Mapping[str, Json]) -> Event:
        """Return an event with the ids of the context that is answered (the contract, Messages)."""
        context, event_id = asked.context, self._dependencies.ids.generate_base_id("event")
        key = IsolationKey(context.user_id, context.thread_id)
        return Event(kind, key, context.run_id, event_id, asked.message_id, fields)

    def _event_of_thread(
        self,
        kind: str,
        key: IsolationKey,
        fields: Mapping[str, Json],
        message_id: str | None = None,
    ) -> Event:
        """Return an event with the run of the thread's session, or none once that has ended."""
        seen = self._registry.peek(*key)
        event_id = self._dependencies.ids.generate_base_id("event")
        return Event(kind, key, seen.run_id if seen else None, event_id, message_id, fields)

    def _offer(self, event: Event, asker: str) -> None:
        if response := self.responses.find(asker):
            response.offer(event)
        elif connection := self._connector.find(event.key.user_id, asker):
            connection.offer(event, recoverable=False)


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

    def message_gone(self, asked: Asked) -> None:
        """End the response to a message that nothing more can come of, if one waits."""
        self.finish(asked.asker)

    def finish_all(self) -> None:
        for name in list(self._open):
            self.finish(name)
