"""Populations so small that every sequence of a few operations can be played."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.session_manager import SESSION_MANAGER
from models.session_manager.operations import Existing, Get, Invalidate
from models.session_manager.operations_connections import (
    CleanupManager,
    Connect,
    Disconnect,
    Message,
    Wait,
)
from models.session_manager.peers import WELL
from scenarios.expiry import GRACE_S, IDLE_S, SEND_S, TTL_S
from scenarios.population import CODES, MANAGER_KEYS, NOTHING, OPEN, OWN, TEXTS, Key

Text = str | Handle


def small_keys(users: Pool[str], threads: Pool[str]) -> type[Scenario]:
    """Return a scenario of sessions and managers under the keys that these make."""

    class SmallKeys(Scenario):
        contract = SESSION_MANAGER

        @rule(user=users, thread=NOTHING | threads)
        def get(self, user: str, thread: Text | None) -> Get:
            return Get(user, thread, None)

        @rule(user=users, thread=NOTHING | threads)
        def connect(self, user: str, thread: Text | None) -> Connect:
            return Connect(user, thread, None, WELL)

        @rule(connection=OPEN, code=CODES)
        def disconnect(self, connection: Handle, code: int) -> Disconnect:
            return Disconnect(connection, code)

        @rule(key=MANAGER_KEYS)
        def clean_up(self, key: Key) -> CleanupManager:
            return CleanupManager(key, None)

        @rule(user=users)
        def invalidate(self, user: str) -> Invalidate:
            return Invalidate(user)

    return SmallKeys


def small_expiry(users: Pool[str], threads: Pool[str]) -> type[Scenario]:
    """Return a scenario of what ends by itself under the keys that these make."""

    class SmallExpiry(Scenario):
        contract = SESSION_MANAGER
        settings: ClassVar[Mapping[str, Pool[Any]]] = {
            "send_timeout_s": pool(SEND_S),
            "reconnect_grace_s": pool(GRACE_S),
            "connection_timeout_s": pool(IDLE_S),
            "session_ttl_s": pool(TTL_S),
        }

        @rule(user=users, thread=threads)
        def existing(self, user: str, thread: Text | None) -> Existing:
            return Existing(user, thread)

        @rule(user=users, thread=NOTHING | threads)
        def connect(self, user: str, thread: Text | None) -> Connect:
            return Connect(user, thread, None, WELL)

        @rule(connection=OPEN)
        def drop(self, connection: Handle) -> Disconnect:
            return Disconnect(connection, 1006)

        @rule(own=OWN, text=TEXTS)
        def message(self, own: tuple[str, Handle], text: str) -> Message:
            user, connection = own
            return Message(user, None, None, connection, text)

        @rule(seconds=pool(1, GRACE_S - 1, GRACE_S, IDLE_S, TTL_S))
        def wait(self, seconds: int) -> Wait:
            return Wait(seconds)

    return SmallExpiry


APART = pool("ana", "ben", symmetric=True), pool("t", "u")
# ("ana", "b:t") and ("ana:b", "t") meet when joined by a colon.
ALIKE = pool("ana", "ana:b"), pool("t", "b:t")


class KeysApart(small_keys(*APART)):  # type: ignore[misc]  # a class made by a function
    """Two users and two threads that nothing could confuse."""


class KeysAlike(small_keys(*ALIKE)):  # type: ignore[misc]
    """Two users and two threads whose keys meet when joined."""


class ExpiryApart(small_expiry(*APART)):  # type: ignore[misc]
    """The same two users and threads, with time."""


class ExpiryAlike(small_expiry(*ALIKE)):  # type: ignore[misc]
    """The users and threads whose keys meet when joined, with time."""
