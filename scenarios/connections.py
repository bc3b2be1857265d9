"""Several tabs, clean and dropped closes, slow and dead peers; each gets what is its own, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    Cut,
    Deliver,
    Disconnect,
    Mend,
    Message,
    Metrics,
    Ping,
    Resume,
    Stall,
    Sweep,
    Wait,
)
from scenarios.population import (
    CODES,
    ENDED,
    MADE,
    MANAGER_KEYS,
    NAMES,
    NOTHING,
    OPEN,
    OWN,
    PEERS,
    TEXTS,
    THREADS,
    USERS,
    Key,
)

Text = str | Handle


class Connections(Scenario):
    """What reaches which socket, however the peers of the others behave."""

    contract = SESSION_MANAGER
    settings: ClassVar[Mapping[str, Pool[Any]]] = {
        "outbox_max": pool(2, 3),
        "recovery_max": pool(2, 3),
        "send_timeout_s": pool(2),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(1_800, 6),
        "sweep_interval_s": pool(60, 5),
    }

    @rule(user=USERS, thread=NOTHING | THREADS | MADE, name=NAMES, peer=PEERS, weight=6)
    def connect(self, user: str, thread: Text | None, name: Text | None, peer: str) -> Connect:
        return Connect(user, thread, name, peer)

    @rule(key=MANAGER_KEYS, name=NAMES, peer=PEERS, weight=3)
    def reconnect(self, key: Key, name: Text | None, peer: str) -> Connect:
        return Connect(*key, name, peer)

    @rule(connection=OPEN, code=CODES, weight=2)
    def disconnect(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(connection=ENDED, code=CODES)
    def disconnect_again(self, connection: Handle, code: int) -> Disconnect:
        return Disconnect(connection, code)

    @rule(own=OWN, thread=NOTHING | THREADS | MADE, text=TEXTS, weight=6)
    def message(self, own: tuple[str, Handle], thread: Text | None, text: str) -> Message:
        user, connection = own
        return Message(user, thread, None, connection, text)

    @rule(
        user=USERS,
        thread=NOTHING | THREADS,
        connection=NOTHING | OPEN | ENDED,
        text=TEXTS,
        weight=2,
    )
    def message_over_any(
        self, user: str, thread: Text | None, connection: Handle | None, text: str
    ) -> Message:
        return Message(user, thread, None, connection, text)

    @rule(user=USERS, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    def ping(self, user: str, connection: Handle, thread: Text | None) -> Ping:
        return Ping(user, connection, thread)

    @rule(key=MANAGER_KEYS, text=TEXTS, weight=4)
    def deliver(self, key: Key, text: str) -> Deliver:
        return Deliver(*key, text)

    @rule(user=USERS, thread=THREADS, text=TEXTS)
    def deliver_anywhere(self, user: str, thread: Text, text: str) -> Deliver:
        return Deliver(user, thread, text)

    @rule(connection=OPEN, weight=2)
    def stall(self, connection: Handle) -> Stall:
        return Stall(connection)

    @rule(connection=OPEN)
    def resume(self, connection: Handle) -> Resume:
        return Resume(connection)

    @rule(connection=OPEN)
    def cut(self, connection: Handle) -> Cut:
        return Cut(connection)

    @rule(connection=OPEN)
    def mend(self, connection: Handle) -> Mend:
        return Mend(connection)

    @rule(key=MANAGER_KEYS)
    def clean_up(self, key: Key) -> CleanupManager:
        return CleanupManager(key, None)

    # A send is given up at 2 s, a manager left alone at 4: one below, on and above each.
    @rule(seconds=pool(1, 2, 3, 4, 5), weight=2)
    def wait(self, seconds: int) -> Wait:
        return Wait(seconds)

    @rule()
    def sweep(self) -> Sweep:
        return Sweep()

    @rule()
    def metrics(self) -> Metrics:
        return Metrics()
