"""Look up managers and connections by every name that they go by."""

from __future__ import annotations

from collections.abc import Callable

from sessions.connection import Connection
from sessions.event import WebSocket
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager


class Directory:
    """The managers and connections of one system, in the order of their coming.

    It holds what is due as well, until that is released; whether it is due is not known here.
    Whatever else lives with a manager or a connection asks to be told of its end.
    """

    def __init__(self) -> None:
        self._managers: dict[IsolationKey, IsolatedWebSocketManager] = {}
        self._managers_by_user: dict[str, dict[IsolationKey, IsolatedWebSocketManager]] = {}
        self._connections: dict[str, Connection] = {}
        # By identity: a socket need not be hashable, and lives as long as its connection here.
        self._by_socket: dict[int, Connection] = {}
        self._on_manager_end: list[Callable[[IsolatedWebSocketManager], None]] = []
        self._on_connection_end: list[Callable[[Connection], None]] = []

    def tell_of_manager_ends(self, listener: Callable[[IsolatedWebSocketManager], None]) -> None:
        self._on_manager_end.append(listener)

    def tell_of_connection_ends(self, listener: Callable[[Connection], None]) -> None:
        self._on_connection_end.append(listener)

    def manager(self, key: IsolationKey) -> IsolatedWebSocketManager | None:
        return self._managers.get(key)

    def managers(self) -> list[IsolatedWebSocketManager]:
        return list(self._managers.values())

    def managers_of(self, user_id: str) -> list[IsolatedWebSocketManager]:
        return list(self._managers_by_user.get(user_id, {}).values())

    def add_manager(self, manager: IsolatedWebSocketManager) -> None:
        self._managers[manager.key] = manager
        self._managers_by_user.setdefault(manager.context.user_id, {})[manager.key] = manager

    def remove_manager(self, manager: IsolatedWebSocketManager) -> None:
        user_id = manager.context.user_id
        self._managers.pop(manager.key, None)
        mine = self._managers_by_user.get(user_id, {})
        mine.pop(manager.key, None)
        if not mine:
            self._managers_by_user.pop(user_id, None)
        for listener in self._on_manager_end:
            listener(manager)

    def connection(self, connection_id: str) -> Connection | None:
        return self._connections.get(connection_id)

    def connection_of(self, websocket: WebSocket) -> Connection | None:
        return self._by_socket.get(id(websocket))

    def add_connection(self, connection: Connection) -> None:
        self._connections[connection.connection_id] = connection
        self._by_socket[id(connection.websocket)] = connection

    def remove_connection(self, connection: Connection) -> None:
        """Forget this connection, but not a later one that took over its id or its socket."""
        if self.connection(connection.connection_id) is connection:
            del self._connections[connection.connection_id]
        if self.connection_of(connection.websocket) is connection:
            del self._by_socket[id(connection.websocket)]
        for listener in self._on_connection_end:
            listener(connection)
