"""Send events on a context: to its thread, or to the one who asked."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.connector import Connector
from sessions.context import UserExecutionContext
from sessions.event import Event, Json
from sessions.factory import WebSocketManagerFactory
from sessions.ids import UnifiedIdGenerator
from sessions.key import IsolationKey
from sessions.messages.exchange import Asker, Exchanges


class Sender:
    """Puts the ids of the context it is handed on every event (the contract, Messages).

    Nothing waits, and nothing is created or extended by an event.
    """

    def __init__(
        self,
        ids: UnifiedIdGenerator,
        factory: WebSocketManagerFactory,
        connector: Connector,
        exchanges: Exchanges,
    ) -> None:
        self._ids = ids
        self._factory = factory
        self._connector = connector
        self._exchanges = exchanges

    def publish(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        """Send an event to the connections of the thread, and to an asker who is elsewhere.

        While the thread's manager has no connection the event waits for one.
        """
        event = self._event(context, kind, fields, message_id)
        if manager := self._factory.find_of(context):
            manager.deliver(event)
        if asker and not (manager and asker in manager.connections):
            self._offer(context.user_id, asker, event)

    def answer(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        """Send an event to the asker only; to nobody, if that one has left."""
        if asker:
            self._offer(context.user_id, asker, self._event(context, kind, fields, message_id))

    def error(
        self,
        context: UserExecutionContext,
        code: str,
        text: str,
        message_id: str | None,
        asker: str | None,
    ) -> None:
        """Answer with an error, which ends nothing; text is for people."""
        self.answer(context, "error", {"code": code, "message": text}, message_id, asker)

    def _event(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
    ) -> Event:
        key = IsolationKey(context.user_id, context.thread_id)
        event_id = self._ids.generate_base_id("event")
        return Event(kind, key, context.run_id, event_id, message_id, fields)

    def _offer(self, user_id: str, asker: str, event: Event) -> None:
        found: Asker | None = self._exchanges.find(asker) or self._connector.find(user_id, asker)
        if found:
            found.offer(event, recoverable=False)
