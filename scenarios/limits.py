"""Small limits, often met: nothing grows over them, and nobody in use pays for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import FromWebsocket, Get, Invalidate
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    CreateManager,
    Deliver,
    Disconnect,
    ManagerCount,
    Message,
    Metrics,
    Wait,
)
from models.session_manager.peers import STALLED, WELL
from scenarios.population import (
    CONTEXTS,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    TEXTS,
    USERS,
    Key,
)

Text = str | Handle
THREADS = pool("t", "u", "v")


class Limits(Scenario):
    """What happens at each limit: one below, on it, and above it."""

    contract = SESSION_MANAGER
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "max_sessions_per_user": pool(2, 3, 5),
        "max_managers_per_user": pool(2, 3, 5),
        "outbox_max": pool(2, 3),
        "recovery_max": pool(2, 3),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(6),
        "session_ttl_s": pool(9),
        "sweep_interval_s": pool(1_000, 5),
    }

    @rule(user=USERS, thread=NOTHING | THREADS, weight=3)
    def get(self, user: str, thread: Text | None) -> Get:
        return Get(user, thread, None)

    @rule(user=USERS)
    def from_websocket(self, user: str) -> FromWebsocket:
        return FromWebsocket(user, None, ())

    @rule(user=USERS, thread=NOTHING | THREADS, peer=pool(WELL, WELL, STALLED), weight=6)
    def connect(self, user: str, thread: Text | None, peer: str) -> Connect:
        return Connect(user, thread, None, peer)

    @rule(connection=OPEN, code=pool(1006, 1006, 1000), weight=2)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(user=USERS, thread=NOTHING | THREADS, connection=NOTHING | OPEN, text=TEXTS, weight=2)
    def message(
        self, user: str, thread: Text | None, connection: Handle | None, text: str
    ) -> Message:
        return Message(user, thread, None, connection, text)

    @rule(key=MANAGER_KEYS, text=TEXTS, weight=3)
    def deliver(self, key: Key, text: str) -> Deliver:
        return Deliver(*key, text)

    @rule(context=NOTHING | CONTEXTS, user=USERS, weight=2)
    def create_manager(self, context: Handle | None, user: str) -> CreateManager:
        return CreateManager(context, user)

    @rule(key=MANAGER_KEYS)
    def clean_up(self, key: Key) -> CleanupManager:
        return CleanupManager(key, None)

    @rule(user=USERS)
    def manager_count(self, user: str) -> ManagerCount:
        return ManagerCount(user)

    @rule(user=USERS)
    def invalidate(self, user: str) -> Invalidate:
        return Invalidate(user)

    @rule(seconds=pool(1, 3, 4, 5, 9))
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule()
    def metrics(self) -> Metrics:
        return Metrics()
