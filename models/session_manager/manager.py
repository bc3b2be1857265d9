"""One thread's manager, its connections, and what waits for each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from threadline import Handle

from models.session_manager.context import Context
from models.session_manager.ids import Id, Key
from models.session_manager.settings import Settings

Event: TypeAlias = dict[str, object]
EVERY_EVENT = ("type", "thread_id", "run_id", "event_id", "message_id")

Tell: TypeAlias = Callable[[Handle, Event], None]
"""Notes that an event has arrived at a connection, or at whoever else is waited for."""


class Outgoing(NamedTuple):
    """An event on its way to one socket.

    is_own: of the socket's own thread, so that it outlives the socket. in_outbox: not sent by the
    connect itself, so that it counts for outbox_max.
    """

    event: Event
    is_own: bool
    in_outbox: bool


def size_bytes(event: Event) -> int:
    """Return how large an event is as JSON without the ids that each has."""
    own = {name: value for name, value in event.items() if name not in EVERY_EVENT}
    return len(json.dumps(own, separators=(",", ":"), default=str))


@dataclass(slots=True, eq=False)
class Connection:
    """A live socket, how its peer is, and what has not reached it yet.

    sending: when the send in flight began, and its place among those of one moment.
    """

    handle: Handle
    name: Id
    key: Key
    peer: str
    line: list[Outgoing] = field(default_factory=list)
    sending: tuple[float, int] | None = None

    def waiting(self) -> int:
        """Return how many events wait for the socket, with the one in flight."""
        return sum(outgoing.in_outbox for outgoing in self.line)

    def waiting_bytes(self) -> int:
        """Return how large those are."""
        return sum(size_bytes(outgoing.event) for outgoing in self.line if outgoing.in_outbox)

    def undelivered(self) -> list[Event]:
        return [outgoing.event for outgoing in self.line if outgoing.is_own]


@dataclass(slots=True, eq=False)
class Manager:
    """The connections of one thread, and the events that wait while it has none.

    context: the one that it was made for.
    """

    context: Context
    frame_s: float
    alone_s: float
    connections: list[Connection] = field(default_factory=list)
    queue: list[Event] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return self.context.key

    @property
    def is_idle(self) -> bool:
        return not self.connections and not self.queue

    def due_s(self, settings: Settings) -> float:
        """Return when it is gone, if nothing happens before."""
        times_out_s = self.frame_s + settings.connection_timeout_s
        if self.connections:
            return times_out_s
        return min(times_out_s, self.alone_s + settings.reconnect_grace_s)
