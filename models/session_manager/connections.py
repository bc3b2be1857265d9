"""Which managers and connections live, and what they are sent (the contract, Connections)."""

from __future__ import annotations

from threadline import Handle, Refused

from models.session_manager.clock import Clock
from models.session_manager.context import Context
from models.session_manager.counts import Counts
from models.session_manager.ids import Id, Key
from models.session_manager.manager import Connection, Event, Manager, Outgoing, Tell
from models.session_manager.sessions import Sessions
from models.session_manager.settings import Settings
from models.session_manager.socket_faults import Sender

GOING_AWAY, UNDELIVERABLE, INVALIDATED = 1001, 1011, 4401
CLEAN = 1000
ENDED_KEPT = 4  # enough for a peer that does not know yet that its connection has ended


class Connections:
    """The live managers and connections: what is due ends here at that very second.

    closed: the sockets that the system closes in this step, with what code.
    awaiting_sweep: the sockets of managers that came due, which it may close until it sweeps.
    ended: the names of the connections that ended last.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        counts: Counts,
        sessions: Sessions,
        tell: Tell,
    ) -> None:
        self.managers: dict[Key, Manager] = {}
        self.live: dict[Handle, Connection] = {}
        self.closed: dict[Handle, int] = {}
        self.awaiting_sweep: dict[Handle, None] = {}
        self.ended: dict[Handle, Id] = {}
        self.sender = Sender(clock, counts, tell)
        self._by_name: dict[Id, Connection] = {}
        self._settings = settings
        self._clock = clock
        self._counts = counts
        self._sessions = sessions

    def of(self, user: str) -> list[Manager]:
        return [manager for manager in self.managers.values() if manager.key[0] == user]

    def named(self, name: Id | None) -> Connection | None:
        return self._by_name.get(name) if name else None

    def name_of(self, handle: Handle) -> Id:
        """Return the name of a connection; raises KeyError for one that ended long ago."""
        live = self.live.get(handle)
        return live.name if live else self.ended[handle]

    def connection(self, handle: Handle) -> Connection:
        """Return a live connection; raises KeyError for one that has ended."""
        return self.live[handle]

    def refuse(self, user: str, key: Key | None) -> Refused | None:
        """Refuse one manager more to a user at the limit, unless enough idle ones can go."""
        limit = self._settings.max_managers_per_user
        if key in self.managers or len(self.of(user)) - len(self._expendable(user)) < limit:
            return None
        self._counts.manager_limit_refusals += 1
        because = f"{user!r} has {limit} managers in use, the limit"
        return Refused("manager limit", because, says=(repr(user), str(limit)))

    def create(self, context: Context) -> Manager:
        """Make a manager; if the user has many, those that nobody would miss go first."""
        expendable = self._expendable(context.user)
        for manager in expendable:
            self.end(manager, GOING_AWAY)
        self._counts.emergency_cleanups += bool(expendable)
        now_s = self._clock.now_s
        manager = Manager(context, frame_s=now_s, alone_s=now_s)
        self.managers[context.key] = manager
        self._counts.managers_created += 1
        return manager

    def attach(self, manager: Manager, connection: Connection, connected: Event) -> None:
        """Add a connection; it is sent `connected`, then what waited for one."""
        manager.frame_s = self._clock.now_s
        manager.connections.append(connection)
        self.live[connection.handle] = connection
        self._by_name[connection.name] = connection
        replay = [Outgoing(event, is_own=True, in_outbox=False) for event in manager.queue]
        connection.line = [Outgoing(connected, is_own=False, in_outbox=False), *replay]
        manager.queue.clear()
        self.send(connection)

    def leave(self, connection: Connection, code: int) -> None:
        """Close the socket of a peer that leaves; a manager left alone by a clean close ends."""
        manager = self._detach(connection)
        if not manager.connections and code == CLEAN:
            self.end(manager, GOING_AWAY)

    def publish(self, key: Key, event: Event, asker: Connection | None) -> None:
        """Send an event to all connections of a thread, and to one that asked from elsewhere."""
        manager = self.managers.get(key)
        targets = manager.connections[:] if manager else []
        if manager and not targets:
            self._queue(manager, [*manager.queue, event], added=1)
        for connection in targets:
            self._offer(connection, Outgoing(event, is_own=True, in_outbox=True))
        if asker and asker.key != key:
            self._offer(asker, Outgoing(event, is_own=False, in_outbox=True))
            targets = [*targets, asker]
        for connection in targets:
            self.send(connection)

    def answer(self, asker: Connection, event: Event) -> None:
        """Send an event to the one who asked, and to nobody else."""
        self._offer(asker, Outgoing(event, is_own=False, in_outbox=True))
        self.send(asker)

    def send(self, connection: Connection) -> None:
        """Send what waits for a connection, which ends if its peer is found dead."""
        if connection.handle in self.live and not self.sender.send(connection):
            self._lose(connection)

    def end(self, manager: Manager, code: int) -> None:
        """End a manager with its connections, its queue, and a session that was never used."""
        self.closed |= self._release(manager, code)

    def next_due_s(self) -> float:
        """Return when the next manager, or the next send in flight, is due."""
        managers = [manager.due_s(self._settings) for manager in self.managers.values()]
        return min([*managers, *self._send_deadlines_s()], default=float("inf"))

    def end_due(self) -> None:
        """End the managers that are due, whose sockets stay open until they are swept."""
        for manager in list(self.managers.values()):
            if manager.due_s(self._settings) <= self._clock.now_s:
                self.awaiting_sweep |= dict.fromkeys(self._release(manager, GOING_AWAY))

    def sweep(self) -> None:
        """Close the sockets of the managers that came due."""
        self.closed |= dict.fromkeys(self.awaiting_sweep, GOING_AWAY)
        self.awaiting_sweep.clear()

    def time_out_sends(self) -> None:
        """End the connections whose send in flight is due, in the order of their begin."""
        sending = [each for each in self.live.values() if each.sending is not None]
        for connection in sorted(sending, key=lambda each: each.sending or (0.0, 0)):
            began_s, _ = connection.sending or (self._clock.now_s, 0)
            if began_s + self._settings.send_timeout_s <= self._clock.now_s:
                self._lose(connection)

    def _send_deadlines_s(self) -> list[float]:
        limit_s = self._settings.send_timeout_s
        return [each.sending[0] + limit_s for each in self.live.values() if each.sending]

    def _expendable(self, user: str) -> list[Manager]:
        """Return the managers without connection and queue, once a user has many."""
        mine = self.of(user)
        full = self._settings.max_managers_per_user * self._settings.emergency_percent
        return [manager for manager in mine if len(mine) * 100 >= full and manager.is_idle]

    def _offer(self, connection: Connection, outgoing: Outgoing) -> None:
        is_full = (
            connection.waiting() >= self._settings.outbox_max
            or connection.waiting_bytes() >= self._settings.outbox_bytes_max
        )
        connection.line.append(outgoing)
        if is_full:
            self._lose(connection)

    def _lose(self, connection: Connection) -> None:
        """End a connection whose peer is dead; its manager waits for another one."""
        self._detach(connection)
        self.closed[connection.handle] = UNDELIVERABLE

    def _detach(self, connection: Connection) -> Manager:
        """Take a connection away; what the last one did not get heads the queue."""
        manager = self.managers[connection.key]
        manager.connections.remove(connection)
        self._forget(connection)
        if not manager.connections:
            manager.alone_s = self._clock.now_s
            undelivered = connection.undelivered()
            self._queue(manager, [*undelivered, *manager.queue], added=len(undelivered))
        return manager

    def _queue(self, manager: Manager, events: list[Event], added: int) -> None:
        self._counts.events_queued += added
        surplus = max(0, len(events) - self._settings.recovery_max)
        manager.queue = events[surplus:]
        self._counts.events_dropped += surplus

    def _release(self, manager: Manager, code: int) -> dict[Handle, int]:
        """Remove a manager with all that it holds; return its sockets, to be closed."""
        del self.managers[manager.key]
        for connection in manager.connections:
            self._forget(connection)
        self._counts.cleanup_attempts += 1
        self._counts.managers_cleaned_up += 1
        self._counts.events_dropped += len(manager.queue)
        session = self._sessions.live.get(manager.key)
        if session and session.is_fleeting:
            self._sessions.end(manager.key)
        return {connection.handle: code for connection in manager.connections}

    def _forget(self, connection: Connection) -> None:
        del self.live[connection.handle]
        del self._by_name[connection.name]
        self.ended[connection.handle] = connection.name
        while len(self.ended) > ENDED_KEPT:
            del self.ended[next(iter(self.ended))]
