"""Everything that ends by itself, at one second before its time, on it and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import CleanUpSessions, Existing, FromWebsocket, Get
from models.session_manager.operations_connections import (
    Connect,
    CreateManager,
    Deliver,
    Disconnect,
    ManagerCount,
    Message,
    Metrics,
    Ping,
    Sweep,
    Wait,
)
from models.session_manager.peers import STALLED, WELL
from scenarios.population import CODES, CONTEXTS, MANAGER_KEYS, NOTHING, OPEN, TEXTS, Key

Text = str | Handle
ONE = pool("ana")
THREADS = pool("t", "u")
SEND_S, GRACE_S, IDLE_S, TTL_S = 2, 4, 7, 10
PAUSES_S = pool(*sorted({at + by for at in (SEND_S, GRACE_S, IDLE_S, TTL_S) for by in (-1, 0, 1)}))


class Expiry(Scenario):
    """What is due is gone, whether or not a sweep has run; and what is not due stays."""

    contract = SESSION_MANAGER
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "send_timeout_s": pool(SEND_S),
        "reconnect_grace_s": pool(GRACE_S),
        "connection_timeout_s": pool(IDLE_S, 12),
        "session_ttl_s": pool(TTL_S, 6),
        "sweep_interval_s": pool(1_000, 5),
    }

    @rule(user=ONE, thread=NOTHING | THREADS, weight=2)
    def get(self, user: str, thread: Text | None) -> Get:
        return Get(user, thread, None)

    @rule(user=ONE, thread=NOTHING | THREADS, weight=2)
    def existing(self, user: str, thread: Text | None) -> Existing:
        return Existing(user, thread)

    @rule(user=ONE)
    def from_websocket(self, user: str) -> FromWebsocket:
        return FromWebsocket(user, None, ())

    @rule(user=ONE, thread=NOTHING | THREADS, peer=pool(WELL, WELL, STALLED), weight=3)
    def connect(self, user: str, thread: Text | None, peer: str) -> Connect:
        return Connect(user, thread, None, peer)

    @rule(connection=OPEN, code=CODES, weight=2)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(user=ONE, thread=NOTHING | THREADS, connection=OPEN, text=TEXTS, weight=2)
    def message(self, user: str, thread: Text | None, connection: Handle, text: str) -> Message:
        return Message(user, thread, None, connection, text)

    @rule(user=ONE, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    def ping(self, user: str, connection: Handle, thread: Text | None) -> Ping:
        return Ping(user, connection, thread)

    @rule(key=MANAGER_KEYS, text=TEXTS)
    def deliver(self, key: Key, text: str) -> Deliver:
        return Deliver(*key, text)

    @rule(context=CONTEXTS)
    def create_manager(self, context: Handle) -> CreateManager:
        return CreateManager(context, None)

    @rule(user=ONE)
    def manager_count(self, user: str) -> ManagerCount:
        return ManagerCount(user)

    @rule(seconds=PAUSES_S, weight=5)
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule()
    def sweep(self) -> Sweep:
        return Sweep()

    @rule()
    def clean_up_sessions(self) -> CleanUpSessions:
        return CleanUpSessions()

    @rule()
    def metrics(self) -> Metrics:
        return Metrics()
