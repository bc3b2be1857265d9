"""Managers, one for each thread in use: how they are found, connected to sockets, and ended."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from sessions.clock import Clock
from sessions.context import UserExecutionContext, check_id, check_optional_id
from sessions.dependencies import Dependencies
from sessions.errors import ConnectionTakenError, ContextMismatchError, ManagerLimitError
from sessions.event import CLEAN, GOING_AWAY, UNDELIVERABLE, Connection, Event, WebSocket
from sessions.ids import IsolationKey
from sessions.metrics import Metrics
from sessions.settings import Settings

logger = logging.getLogger(__name__)


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

    def attach(self, connection: Connection) -> None:
        """Add a connection, and replay to it what waited.

        Raises ContextMismatchError, and counts it, for a connection to another thread.
        """
        self._check_own(connection.context)
        self.frame_arrived()
        self.connections[connection.connection_id] = connection
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


class WebSocketManagerFactory:
    """One manager for each thread in use (the contract, Connections and managers).

    A manager that is due is gone for every caller from that moment; a sweep, or a manager made
    anew for its user, releases it. on_manager_end is called with each that has ended.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._settings = dependencies.settings
        self._metrics = dependencies.metrics
        self._registry = dependencies.registry
        self._managers: dict[IsolationKey, IsolatedWebSocketManager] = {}
        self._by_user: dict[str, dict[IsolationKey, IsolatedWebSocketManager]] = {}
        self.on_manager_end: Callable[[IsolatedWebSocketManager], None] = lambda _: None

    async def create_manager(
        self,
        user_context: UserExecutionContext | None = None,
        user_id: str | None = None,
        websocket_id: str | None = None,
    ) -> IsolatedWebSocketManager:
        """Return the manager of a context's thread, or of a new conversation of user_id.

        The context wins if both are given. Raises ValueError if neither is; and
        InvalidContextError, SessionLimitError and ManagerLimitError, having changed nothing.
        """
        if user_context is None:
            if user_id is None:
                raise ValueError("create_manager was given nothing; give user_context or user_id")
            user_context = self._begin_conversation(user_id, websocket_id)
        manager = self.manager_of(user_context)
        self.renew(manager)
        return manager

    async def get_manager(
        self,
        isolation_key: IsolationKey | None = None,
        user_context: UserExecutionContext | None = None,
    ) -> IsolatedWebSocketManager | None:
        """Return the live manager under a key, or a context's; None if there is none."""
        return self.find(self._key_given(isolation_key, user_context))

    async def cleanup_manager(
        self,
        isolation_key: IsolationKey | None = None,
        user_context: UserExecutionContext | None = None,
    ) -> bool:
        """End a manager and close its sockets with 1001; return whether there was one."""
        manager = self.find(self._key_given(isolation_key, user_context))
        return manager is not None and self.end(manager, GOING_AWAY)

    async def get_user_manager_count(self, user_id: str) -> int:
        """Return how many managers of a user are live: each can be reached by its key."""
        return len(self.live_of(user_id))

    def find(self, key: IsolationKey) -> IsolatedWebSocketManager | None:
        manager = self._managers.get(key)
        return manager if manager and self._clock.now() < manager.due_at_s() else None

    def find_of(self, context: UserExecutionContext) -> IsolatedWebSocketManager | None:
        """Return the live manager that a context's events go through, or None."""
        return self.find(self._generate_isolation_key(context))

    def manager_of(self, context: UserExecutionContext) -> IsolatedWebSocketManager:
        """Return the live manager of a context's thread, made if there is none.

        The caller renews it, after what it is made for is attached. Raises ManagerLimitError.
        """
        key = self._generate_isolation_key(context)
        return self.find(key) or self._create(key, context)

    def live(self) -> list[IsolatedWebSocketManager]:
        return [manager for manager in self._managers.values() if not self._is_due(manager)]

    def live_of(self, user_id: str) -> list[IsolatedWebSocketManager]:
        mine = self._by_user.get(user_id, {})
        return [manager for manager in mine.values() if not self._is_due(manager)]

    def managers(self) -> list[IsolatedWebSocketManager]:
        """Return all that were not released yet, due ones too, in the order of their coming."""
        return list(self._managers.values())

    def check_room(self, user_id: str, thread_id: str | None = None) -> None:
        """Raise SessionLimitError, or else ManagerLimitError, if a connection has no room.

        Without a thread it would begin a conversation. Changes nothing.
        """
        self._registry.check_room(user_id, thread_id)
        if not thread_id or self.find(IsolationKey(user_id, thread_id)) is None:
            self._check_limit(user_id)

    def renew(self, manager: IsolatedWebSocketManager) -> None:
        """Renew the lease of the session that may end with this manager."""
        context = manager.context
        self._registry.lease(context.user_id, context.thread_id, manager.due_at_s())

    def release_due(self) -> None:
        """End all managers that are due, closing their sockets with 1001."""
        for manager in self.managers():
            if self._is_due(manager):
                self.end(manager, GOING_AWAY)

    def release_due_of(self, user_id: str) -> None:
        """End the managers of one user that are due."""
        for manager in list(self._by_user.get(user_id, {}).values()):
            if self._is_due(manager):
                self.end(manager, GOING_AWAY)

    def end_user(self, user_id: str, close_code: int) -> None:
        """End all managers of a user, closing their sockets with the code."""
        self.release_due_of(user_id)
        for manager in list(self._by_user.get(user_id, {}).values()):
            self.end(manager, close_code)

    def end(self, manager: IsolatedWebSocketManager, close_code: int) -> bool:
        """Release all that a manager holds: connections, queue, and a session never used."""
        self._metrics.cleanup_attempts += 1
        for connection in manager.connections.values():
            connection.end(close_code)
        manager.connections.clear()
        manager.drop_queue()
        context = manager.context
        self._managers.pop(manager.key, None)
        mine = self._by_user.get(context.user_id, {})
        mine.pop(manager.key, None)
        if not mine:
            self._by_user.pop(context.user_id, None)
        self.on_manager_end(manager)
        self._metrics.managers_cleaned_up += 1
        self._registry.manager_ended(context.user_id, context.thread_id)
        logger.info("WebSocket cleanup completed for context: %s", context.thread_id)
        return True

    def _generate_isolation_key(self, user_context: UserExecutionContext) -> IsolationKey:
        return IsolationKey(user_context.user_id, user_context.thread_id)

    def _key_given(
        self, isolation_key: IsolationKey | None, user_context: UserExecutionContext | None
    ) -> IsolationKey:
        if user_context is None:
            if isolation_key is None:
                raise ValueError("no manager is named; give isolation_key or user_context")
            return isolation_key
        key = self._generate_isolation_key(user_context)
        if isolation_key not in (None, key):
            self._metrics.mismatches += 1
            raise ContextMismatchError(f"{isolation_key!r} is not the key of the context, {key!r}")
        return key

    def _begin_conversation(self, user_id: str, websocket_id: str | None) -> UserExecutionContext:
        check_id("user_id", user_id)
        check_optional_id("websocket_id", websocket_id)
        self.check_room(user_id)
        return self._dependencies.contexts.from_websocket_request(user_id, websocket_id)

    def _create(self, key: IsolationKey, context: UserExecutionContext) -> IsolatedWebSocketManager:
        idle = self._check_limit(context.user_id)
        self.release_due_of(context.user_id)
        for manager in idle:
            self.end(manager, GOING_AWAY)
        self._metrics.emergency_cleanups += bool(idle)
        logger.info("Creating WebSocket manager with consistent context: %s", context.thread_id)
        manager = IsolatedWebSocketManager(key, context, self._clock, self._settings, self._metrics)
        self._managers[key] = manager
        self._by_user.setdefault(context.user_id, {})[key] = manager
        self._metrics.managers_created += 1
        return manager

    def _is_due(self, manager: IsolatedWebSocketManager) -> bool:
        return self._clock.now() >= manager.due_at_s()

    def _check_limit(self, user_id: str) -> list[IsolatedWebSocketManager]:
        """Return the user's managers that make way for a new one; raises ManagerLimitError."""
        live = self.live_of(user_id)
        idle = self._choose_for_emergency(live)
        stay = len(live) - len(idle)
        limit = self._settings.max_managers_per_user
        if stay >= limit:
            self._metrics.manager_limit_refusals += 1
            raise ManagerLimitError(f"user {user_id!r} has {limit} managers in use, the limit")
        return idle

    def _choose_for_emergency(
        self, live: list[IsolatedWebSocketManager]
    ) -> list[IsolatedWebSocketManager]:
        """Return the managers that nobody would miss, once a user has many."""
        full_at = self._settings.max_managers_per_user * self._settings.emergency_percent
        is_crowded = len(live) * 100 >= full_at
        return [manager for manager in live if is_crowded and manager.is_idle]


class Connector:
    """Connects, disconnects, and finds live connections.

    To be called on the event loop of the system. Each change is made without waiting, so that
    calls which overlap cannot see half of it. on_connection_end is called with each connection
    that ends.
    """

    def __init__(self, dependencies: Dependencies, factory: WebSocketManagerFactory) -> None:
        self._dependencies = dependencies
        self._factory = factory
        self._connections: dict[str, Connection] = {}
        # By identity: a socket need not be hashable, and lives as long as its connection here.
        self._by_socket: dict[int, Connection] = {}
        self.on_connection_end: Callable[[Connection], None] = lambda _: None

    async def connect(
        self,
        websocket: WebSocket,
        user_id: str,
        thread_id: str | None = None,
        connection_id: str | None = None,
    ) -> UserExecutionContext:
        """Resume a thread, or begin a conversation without one; send connected, then the replay.

        The context is kept as websocket.user_context. Raises, in this order and before any
        change, InvalidContextError, ConnectionTakenError, SessionLimitError, ManagerLimitError.
        """
        check_id("user_id", user_id)
        check_optional_id("thread_id", thread_id)
        check_optional_id("connection_id", connection_id)
        self._check_connection_id(websocket, connection_id)
        self._factory.check_room(user_id, thread_id)
        self._release_due(user_id, websocket, connection_id)
        registry = self._dependencies.registry
        visit = registry.visit_by_connection(user_id, thread_id, connection_id)
        context = visit.context
        manager = self._factory.manager_of(context)
        self._attach(manager, context, websocket, resumed=visit.resumed)
        setattr(websocket, "user_context", context)  # noqa: B010  # no socket declares it
        return context

    async def handle_websocket_disconnect(self, websocket: WebSocket, code: int = CLEAN) -> bool:
        """Remove a socket that its peer has closed; return whether it was live.

        With its last connection closed by code 1000 a manager ends; after any other code it
        waits out its grace.
        """
        connection = self._by_socket.get(id(websocket))
        if connection is None or self._manager_of(connection) is None:
            return False
        left_alone = self._remove(connection, close_code=None)
        if left_alone and code == CLEAN:
            await self._factory.cleanup_manager(user_context=connection.context)
        return True

    def find(self, user_id: str, connection_id: str) -> Connection | None:
        """Return a live connection of this user, or None."""
        connection = self._connections.get(connection_id)
        if connection is None or connection.context.user_id != user_id:
            return None
        return connection if self._manager_of(connection) else None

    def frame_of(self, websocket: WebSocket) -> Connection | None:
        """Take note of a frame; return the live connection that it came by, or None."""
        connection = self._by_socket.get(id(websocket))
        return connection if connection and self.frame_arrived(connection) else None

    def frame_arrived(self, connection: Connection) -> bool:
        """Restart the timeout of a connection's manager, and renew an unused session's lease.

        Returns whether the connection is live.
        """
        if manager := self._manager_of(connection):
            manager.frame_arrived()
            self._factory.renew(manager)
        return manager is not None

    def _check_connection_id(self, websocket: WebSocket, connection_id: str | None) -> None:
        for taken in self._holders(websocket, connection_id):
            if self._manager_of(taken):
                raise ConnectionTakenError(
                    f"connection {connection_id!r} is live, or its socket is; give new ones"
                )

    def _release_due(self, user_id: str, websocket: WebSocket, connection_id: str | None) -> None:
        """Release what is due under the names that the connection is about to take."""
        self._factory.release_due_of(user_id)
        for taken in self._holders(websocket, connection_id):
            self._factory.release_due_of(taken.context.user_id)

    def _holders(self, websocket: WebSocket, connection_id: str | None) -> list[Connection]:
        """Return the connections, due ones too, of this id and of this socket."""
        named = self._connections.get(connection_id or "")
        same = self._by_socket.get(id(websocket))
        return [connection for connection in (named, same) if connection]

    def _attach(
        self,
        manager: IsolatedWebSocketManager,
        context: UserExecutionContext,
        websocket: WebSocket,
        *,
        resumed: bool,
    ) -> None:
        dependencies = self._dependencies
        connected = self._connected(context, resumed=resumed)
        connection = Connection(
            context, websocket, dependencies.settings, dependencies.metrics, self._lost, self._ended
        )
        connection.hand_over(connected, recoverable=False)
        manager.attach(connection)
        self._connections[connection.connection_id] = connection
        self._by_socket[id(websocket)] = connection
        self._factory.renew(manager)
        dependencies.tasks.start(connection.run(), f"connection {connection.connection_id}")

    def _connected(self, context: UserExecutionContext, *, resumed: bool) -> Event:
        return Event(
            kind="connected",
            key=IsolationKey(context.user_id, context.thread_id),
            run_id=context.run_id,
            event_id=self._dependencies.ids.generate_base_id("event"),
            message_id=None,
            fields={"connection_id": context.websocket_connection_id, "resumed": resumed},
        )

    def _manager_of(self, connection: Connection) -> IsolatedWebSocketManager | None:
        return self._factory.find_of(connection.context)

    def _ended(self, connection: Connection) -> None:
        """Forget a connection, but not a later one that took over its id or its socket."""
        if self._connections.get(connection.connection_id) is connection:
            del self._connections[connection.connection_id]
        if self._by_socket.get(id(connection.websocket)) is connection:
            del self._by_socket[id(connection.websocket)]
        self.on_connection_end(connection)

    def _lost(self, connection: Connection) -> None:
        """Remove a connection that could not be sent to; a manager that is due ends whole."""
        self._factory.release_due_of(connection.context.user_id)
        self._remove(connection, close_code=UNDELIVERABLE)

    def _remove(self, connection: Connection, close_code: int | None) -> bool:
        """Take a connection away from its manager; return whether it was the last one."""
        manager = self._manager_of(connection)
        if manager:
            manager.detach(connection)
            self._factory.renew(manager)
        connection.end(close_code)
        return manager is not None and not manager.connections
