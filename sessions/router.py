"""Bring messages to their thread, and events to those who are there."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.connection import Connection
from sessions.connector import Connector
from sessions.context import UserExecutionContext
from sessions.errors import UnknownConnectionError
from sessions.event import Event, Json
from sessions.factory import WebSocketManagerFactory
from sessions.key import IsolationKey
from sessions.parts import Parts
from sessions.rules import check_id, check_optional_id


class Router:
    """Which thread a message belongs to, and which sockets an event goes to.

    To be called on the event loop of the system. No call waits, and a refused one has changed
    nothing: it is no frame of its connection either.
    """

    def __init__(
        self, parts: Parts, factory: WebSocketManagerFactory, connector: Connector
    ) -> None:
        self._parts = parts
        self._factory = factory
        self._connector = connector
        self._registry = parts.registry

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
        asked_for = thread_id or (asker.context.thread_id if asker else None)
        visit = self._registry.accept(user_id, asked_for, run_id)
        if asker:
            self._connector.frame_arrived(asker)
        key = IsolationKey(user_id, visit.thread_id)
        self._publish(self._event("message", key, {"text": text}, message_id), asker)
        return self._parts.contexts.context_of(visit, connection_id)

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
        pong = self._event("pong", key, {}, message_id)
        asker.offer(pong, recoverable=False)

    async def deliver(
        self, user_id: str, thread_id: str, kind: str, fields: Mapping[str, Json]
    ) -> None:
        """Send an event to a thread. Creates nothing and extends nothing.

        Raises InvalidContextError.
        """
        check_id("thread_id", thread_id)
        self._check_ids(user_id, thread_id, None, None)
        self._publish(self._event(kind, IsolationKey(user_id, thread_id), fields), None)

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

    def _event(
        self,
        kind: str,
        key: IsolationKey,
        fields: Mapping[str, Json],
        message_id: str | None = None,
    ) -> Event:
        event_id = self._parts.ids.generate_base_id("event")
        return Event(kind, key, self._current_run(key), event_id, message_id, fields)

    def _current_run(self, key: IsolationKey) -> str | None:
        """Return the run of the thread's session, or None once that has ended."""
        seen = self._registry.peek(key.user_id, key.thread_id)
        return seen.run_id if seen else None

    def _publish(self, event: Event, asker: Connection | None) -> None:
        if manager := self._factory.find(event.key):
            manager.deliver(event)
        if asker and asker.context.thread_id != event.key.thread_id:
            asker.offer(event, recoverable=False)
