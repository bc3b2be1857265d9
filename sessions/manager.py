"""One thread's connections, and the events that wait while it has none."""

from __future__ import annotations

from collections import deque

from sessions.clock import Clock
from sessions.connection import Connection
from sessions.context import UserExecutionContext
from sessions.errors import ContextMismatchError
from sessions.event import Event
from sessions.key import IsolationKey
from sessions.metrics import Metrics
from sessions.settings import Settings


class IsolatedWebSocketManager:
    """Delivers one thread's events, and no other's (the contract, Connections and managers).

    key is the name that its factory found for it; context, that of its first connection.
    """

    def __init__(
        self,
        key: IsolationKey,
        context: UserExecutionContext,
        clock: Clock,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self.key = key
        self.context = context
        self.connections: dict[str, Connection] = {}
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._recovery: deque[Event] = deque()
        self._frame_at_s = clock.now()
        # A manager that awaits its first connection is in grace, as after a dropped one.
        self._alone_since_s = clock.now()

    @property
    def queued(self) -> int:
        """How many events wait for a reconnect."""
        return len(self._recovery)

    @property
    def is_idle(self) -> bool:
        """Whether nobody is connected and nothing waits for anybody."""
        return not self.connections and not self._recovery

    def due_at_s(self) -> float:
        """Return the clock second at which it is gone, if nothing happens before."""
        times_out_at_s = self._frame_at_s + self._settings.connection_timeout_s
        grace_ends_at_s = self._alone_since_s + self._settings.reconnect_grace_s
        return times_out_at_s if self.connections else min(times_out_at_s, grace_ends_at_s)

    def frame_arrived(self) -> None:
        """Note a sign of life of one of its connections."""
        self._frame_at_s = self._clock.now()

    def attach(self, connection: Connection, connected: Event) -> None:
        """Add a connection, tell it so, and replay to it what waited.

        Raises ContextMismatchError, and counts it, for a connection to another thread.
        """
        self._check_own(connection.context)
        self.frame_arrived()
        self.connections[connection.connection_id] = connection
        connection.hand_over(connected, recoverable=False)
        self._replay(connection)

    def detach(self, connection: Connection) -> None:
        """Remove a connection; the last one's undelivered events wait for the next."""
        self.connections.pop(connection.connection_id, None)
        if not self.connections:
            self._alone_since_s = self._clock.now()
            self._requeue_undelivered(connection.undelivered())

    def deliver(self, event: Event) -> None:
        """Send an event of this thread to each connection, or keep it while there is none."""
        connections = list(self.connections.values())
        for connection in connections:
            connection.offer(event, recoverable=True)
        if not connections:
            self._queue(event)

    def drop_queue(self) -> None:
        """Forget what waits, and count it."""
        self._metrics.events_dropped += len(self._recovery)
        self._recovery.clear()

    def _check_own(self, context: UserExecutionContext) -> None:
        own = (self.context.user_id, self.context.thread_id)
        if (context.user_id, context.thread_id) != own:
            self._metrics.mismatches += 1
            raise ContextMismatchError(
                f"the manager of {own!r} was handed a context of user {context.user_id!r}, "
                f"thread {context.thread_id!r}; hand it to that thread's manager"
            )

    def _replay(self, connection: Connection) -> None:
        while self._recovery:
            connection.hand_over(self._recovery.popleft(), recoverable=True)

    def _queue(self, event: Event) -> None:
        self._metrics.events_queued += 1
        self._recovery.append(event)
        self._drop_oldest()

    def _requeue_undelivered(self, events: list[Event]) -> None:
        self._metrics.events_queued += len(events)
        self._recovery.extendleft(reversed(events))
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self._recovery) > self._settings.recovery_max:
            self._recovery.popleft()
            self._metrics.events_dropped += 1
