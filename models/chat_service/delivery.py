"""Who gets which event of a message (the contract, Connections and managers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from threadline import Handle

from models.session_manager.ids import Id, Key
from models.session_manager.manager import Connection, Event, Tell
from models.session_manager.state import State

STATUSES = {
    "bad_json": 400,
    "unauthorized": 401,
    "nothing_to_stop": 409,
    "too_large": 413,
    "bad_type": 422,
    "bad_payload": 422,
    "bad_id": 422,
    "session_limit": 429,
    "manager_limit": 429,
    "agent_failed": 502,
    "pool_timeout": 503,
    "queue_full": 503,
    "storage_error": 503,
    "agent_timeout": 504,
}
CANCELLED = 409
OF_A_RESPONSE = ("thread_id", "run_id", "message_id", "position", "answer_position", "response")


class Heading(NamedTuple):
    """What each event of one message says of where it belongs."""

    key: Key
    run: Id | None
    message: Id | None = None


@dataclass(slots=True, eq=False)
class Exchange:
    """An HTTP request that waits for what comes of a message.

    is_over: everything has come, or its client has left.
    """

    handle: Handle
    streams: bool
    is_over: bool = False


Asker: TypeAlias = Connection | Exchange


class Delivery:
    """Makes events, and brings them to connections and exchanges."""

    def __init__(self, state: State, tell: Tell) -> None:
        self.state = state
        self._tell = tell

    def publish(self, heading: Heading, asker: Asker | None, kind: str, **own: object) -> None:
        """Send an event to a thread, and to an asker who is elsewhere."""
        event = self._event(heading, kind, own)
        if isinstance(asker, Exchange):
            self._hand(asker, event)
        connection = self._live(asker)
        self.state.connections.publish(heading.key, event, connection)

    def answer(self, heading: Heading, asker: Asker | None, kind: str, **own: object) -> None:
        """Send an event to an asker alone, if it is still there."""
        event = self._event(heading, kind, own)
        if isinstance(asker, Exchange):
            self._hand(asker, event)
        elif connection := self._live(asker):
            self.state.connections.answer(connection, event)

    def refuse(self, exchange: Exchange, code: str) -> None:
        """Answer an exchange that is refused before it has a context."""
        self._respond(exchange, STATUSES[code], code=code, thread_id=None)

    def end(self, heading: Heading, asker: Asker | None) -> None:
        """End an exchange: its request is done, or was cancelled."""
        if not isinstance(asker, Exchange):
            return
        if asker.streams:
            self._arrive(asker, {"type": "end"})
            asker.is_over = True
        else:
            self._respond(asker, CANCELLED, code="agent_failed", thread_id=heading.key[1])

    def _event(self, heading: Heading, kind: str, own: dict[str, object]) -> Event:
        return {
            "type": kind,
            "thread_id": heading.key[1],
            "run_id": heading.run,
            "event_id": self.state.clock.another_handle("e"),
            "message_id": heading.message,
            **own,
        }

    def _live(self, asker: Asker | None) -> Connection | None:
        return self.state.connections.live.get(asker.handle) if asker else None

    def _hand(self, exchange: Exchange, event: Event) -> None:
        """Stream an event, or make the one response of what ends the request."""
        kind = event["type"]
        if exchange.streams:
            self._arrive(exchange, event)
        elif kind == "error":
            code = str(event["code"])
            self._respond(exchange, STATUSES[code], code=code, thread_id=event["thread_id"])
        elif kind in ("agent_completed", "already_handled"):
            body = {name: event[name] for name in OF_A_RESPONSE if name in event}
            already = {"already_handled": True} if kind == "already_handled" else {}
            self._respond(exchange, 200, **body, **already)

    def _respond(self, exchange: Exchange, status: int, **body: object) -> None:
        self._arrive(exchange, {"type": "response", "status": status, **body})
        exchange.is_over = True

    def _arrive(self, exchange: Exchange, event: Event) -> None:
        if not exchange.is_over:
            self._tell(exchange.handle, event)
