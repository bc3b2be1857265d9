"""Make, find and end the managers."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sessions.close_codes import GOING_AWAY
from sessions.context import UserExecutionContext
from sessions.dependencies import Dependencies
from sessions.errors import ContextMismatchError, ManagerLimitError
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from sessions.validation import check_id, check_optional_id

logger = logging.getLogger(__name__)


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
        key = self._generate_isolation_key(user_context)
        return self.find(key) or self._create(key, user_context)

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
        self.renew(manager)
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
