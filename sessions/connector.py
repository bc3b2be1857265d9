"""Connects and disconnects sockets."""

from __future__ import annotations

from collections.abc import Callable

from sessions.close_codes import CLEAN, UNDELIVERABLE
from sessions.connection import Connection
from sessions.context import UserExecutionContext
from sessions.dependencies import Dependencies
from sessions.errors import ConnectionTakenError
from sessions.event import Event, WebSocket
from sessions.factory import WebSocketManagerFactory
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from sessions.session import Visit
from sessions.validation import check_id, check_optional_id


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
        self._check_ids(user_id, thread_id, connection_id)
        self._check_connection_id(websocket, connection_id)
        self._factory.check_room(user_id, thread_id)
        self._release_due(user_id, websocket, connection_id)
        visit = self._dependencies.registry.visit_by_connection(user_id, thread_id)
        context = self._context(visit, connection_id)
        manager = await self._factory.create_manager(context)
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

    def _check_ids(self, user_id: str, thread_id: str | None, connection_id: str | None) -> None:
        check_id("user_id", user_id)
        check_optional_id("thread_id", thread_id)
        check_optional_id("connection_id", connection_id)

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

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        ids, contexts = self._dependencies.ids, self._dependencies.contexts
        name = connection_id or ids.generate_websocket_connection_id(visit.user_id)
        return contexts.context_of(visit, name)

    def _attach(
        self,
        manager: IsolatedWebSocketManager,
        context: UserExecutionContext,
        websocket: WebSocket,
        *,
        resumed: bool,
    ) -> None:
        dependencies = self._dependencies
        connection = Connection(
            context, websocket, dependencies.settings, dependencies.metrics, self._lost, self._ended
        )
        manager.attach(connection, self._connected(context, resumed=resumed))
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
