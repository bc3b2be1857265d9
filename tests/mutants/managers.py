"""Factories of managers with one bug each."""

from __future__ import annotations

from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.keys import Keys
from scenarios.limits import Limits
from sessions.context import UserExecutionContext
from sessions.factory import WebSocketManagerFactory
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from tests.mutants.sessions import mutant


@mutant("make_factory", Conversation, memory_invalidate=2)
class ForgetsManagers(WebSocketManagerFactory):
    """Invalidates a user's sessions, and leaves managers and sockets as they are."""

    def end_user(self, user_id: str, close_code: int) -> None:
        return


@mutant("make_factory", Keys, keys_connect=1, keys_create_manager=1)
class KeyFromConnection(WebSocketManagerFactory):
    """Keys a manager by its connection where there is one, so that no other finds it (seed 003)."""

    def _generate_isolation_key(self, user_context: UserExecutionContext) -> IsolationKey:
        name = user_context.websocket_connection_id or user_context.thread_id
        return IsolationKey(user_context.user_id, name)


@mutant("make_factory", Keys, keys_connect=1, keys_create_manager=1)
class KeyFromRequest(WebSocketManagerFactory):
    """Keys a manager by the request, which is another one when it is cleaned up (seed 003)."""

    def _generate_isolation_key(self, user_context: UserExecutionContext) -> IsolationKey:
        return IsolationKey(user_context.user_id, user_context.request_id)


@mutant("make_factory", Keys, keys_cleanup_manager=2, memory_disconnect=2)
class CleansUpElsewhere(WebSocketManagerFactory):
    """Creates a manager under one operation's thread id, cleans up under another's (seed 003)."""

    async def cleanup_manager(
        self,
        isolation_key: IsolationKey | None = None,
        user_context: UserExecutionContext | None = None,
    ) -> bool:
        key = self._key_given(isolation_key, user_context)
        thread_id, _, _ = self._parts.ids.generate_user_context_ids(key.user_id, "session")
        return await super().cleanup_manager(IsolationKey(key.user_id, thread_id))


@mutant("make_factory", Keys, memory_cleanup_manager=2, memory_disconnect=2)
class ClaimsToCleanUp(WebSocketManagerFactory):
    """Answers that a manager was cleaned up, and removes nothing (seed 003)."""

    async def cleanup_manager(
        self,
        isolation_key: IsolationKey | None = None,
        user_context: UserExecutionContext | None = None,
    ) -> bool:
        return self.find(self._key_given(isolation_key, user_context)) is not None


@mutant(
    "make_factory", Limits, memory_connect=3, memory_create_manager=3, isolation_create_manager=4
)
class OneManagerOver(WebSocketManagerFactory):
    """Compares with <= where the limit is reached, and so lets in one manager more."""

    def _has_room(self, managers: int) -> bool:
        return managers <= self._settings.max_managers_per_user


@mutant("make_factory", Limits, memory_connect=3, memory_create_manager=3, memory_metrics=5)
class RefusedLeavesSession(WebSocketManagerFactory):
    """Finds out that there is no room for a manager when the session is made already."""

    def check_room(self, user_id: str, thread_id: str | None = None) -> None:
        self._registry.check_room(user_id, thread_id)


@mutant(
    "make_factory",
    Limits,
    keys_connect=3,
    keys_create_manager=3,
    memory_connect=3,
    memory_create_manager=3,
    isolation_create_manager=4,
    continuity_connect=5,
)
class EmergencyTakesLive(WebSocketManagerFactory):
    """Makes room in an emergency by the oldest manager, whoever is connected to it."""

    def _choose_for_emergency(
        self, live: list[IsolatedWebSocketManager]
    ) -> list[IsolatedWebSocketManager]:
        full_at = self._settings.max_managers_per_user * self._settings.emergency_percent
        return live[:1] if len(live) * 100 >= full_at else []


@mutant("make_factory", Connections, memory_metrics=3)
class CountsDrift(WebSocketManagerFactory):
    """Counts a manager as created whenever it is asked for, as on each reconnect."""

    async def create_manager(
        self,
        user_context: UserExecutionContext | None = None,
        user_id: str | None = None,
        websocket_id: str | None = None,
    ) -> IsolatedWebSocketManager:
        before = self._metrics.managers_created
        manager = await super().create_manager(user_context, user_id, websocket_id)
        self._metrics.managers_created = before + 1
        return manager


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        ForgetsManagers,
        KeyFromConnection,
        KeyFromRequest,
        CleansUpElsewhere,
        ClaimsToCleanUp,
        OneManagerOver,
        RefusedLeavesSession,
        EmergencyTakesLive,
        CountsDrift,
    ),
)
