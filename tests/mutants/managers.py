"""Factories of managers with one bug each."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.keys import Keys
from scenarios.limits import Limits
from tests.mutants.sessions import line

ForgetsManagers = line(
    "ForgetsManagers",
    "Invalidates a user's sessions, and leaves managers and sockets as they are.",
    "manager.WebSocketManagerFactory.end_user",
    old="self.release_due_of(user_id)",
    new="return",
    scenario=Conversation,
    memory_invalidate=2,
)
KeyFromConnection = line(
    "KeyFromConnection",
    "Keys a manager by its connection where there is one, so that no other finds it (seed 003).",
    "manager.WebSocketManagerFactory._generate_isolation_key",
    old="user_context.thread_id",
    new="user_context.websocket_connection_id or user_context.thread_id",
    scenario=Keys,
    keys_connect=1,
    keys_create_manager=1,
)
KeyFromRequest = line(
    "KeyFromRequest",
    "Keys a manager by the request, which is another one when it is cleaned up (seed 003).",
    "manager.WebSocketManagerFactory._generate_isolation_key",
    old="user_context.thread_id",
    new="user_context.request_id",
    scenario=Keys,
    keys_connect=1,
    keys_create_manager=1,
)
CleansUpElsewhere = line(
    "CleansUpElsewhere",
    "Creates a manager under one operation's thread id, cleans up under another's (seed 003).",
    "manager.WebSocketManagerFactory.cleanup_manager",
    old="manager = self.find(self._key_given(isolation_key, user_context))",
    new="user_id = self._key_given(isolation_key, user_context).user_id\n"
    "thread_id, _, _ = self._dependencies.ids.generate_user_context_ids(user_id, 'session')\n"
    "manager = self.find(IsolationKey(user_id, thread_id))",
    scenario=Keys,
    keys_cleanup_manager=2,
    memory_disconnect=2,
)
ClaimsToCleanUp = line(
    "ClaimsToCleanUp",
    "Answers that a manager was cleaned up, and removes nothing (seed 003).",
    "manager.WebSocketManagerFactory.cleanup_manager",
    old="manager is not None and self.end(manager, GOING_AWAY)",
    new="manager is not None",
    scenario=Keys,
    memory_cleanup_manager=2,
    memory_disconnect=2,
)
OneManagerOver = line(
    "OneManagerOver",
    "Compares with <= where the limit is reached, and so lets in one manager more.",
    "manager.WebSocketManagerFactory._check_limit",
    old="stay >=",
    new="stay >",
    scenario=Limits,
    memory_connect=3,
    memory_create_manager=3,
    isolation_create_manager=4,
)
RefusedLeavesSession = line(
    "RefusedLeavesSession",
    "Finds out that there is no room for a manager when the session is made already.",
    "manager.WebSocketManagerFactory.check_room",
    old="self._check_limit(user_id)",
    new="pass",
    scenario=Limits,
    memory_connect=3,
    memory_create_manager=3,
    memory_metrics=5,
)
EmergencyTakesLive = line(
    "EmergencyTakesLive",
    "Makes room in an emergency by the oldest manager, whoever is connected to it.",
    "manager.WebSocketManagerFactory._choose_for_emergency",
    old="[manager for manager in live if is_crowded and manager.is_idle]",
    new="live[:1] if is_crowded else []",
    scenario=Limits,
    keys_connect=3,
    keys_create_manager=3,
    memory_connect=3,
    memory_create_manager=3,
    isolation_create_manager=4,
    continuity_connect=5,
)
CountsDrift = line(
    "CountsDrift",
    "Counts a manager as created whenever it is asked for, as on each reconnect.",
    "manager.WebSocketManagerFactory.manager_of",
    old="return self.find(key) or",
    new="if found := self.find(key):\n    self._metrics.managers_created += 1\nreturn found or",
    scenario=Connections,
    memory_metrics=3,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
