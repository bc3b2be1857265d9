"""Populations so small that every sequence of a few operations can be played."""

from __future__ import annotations

from threadline import Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import WELL
from scenarios.expiry import GRACE_S, IDLE_S, SEND_S, TTL_S
from scenarios.population import (
    CODES,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    OWN,
    TEXTS,
    awaits_a_sweep,
    joins_alike,
    shares_a_thread,
)

SHORT = {
    "send_timeout_s": pool(SEND_S),
    "reconnect_grace_s": pool(GRACE_S),
    "connection_timeout_s": pool(IDLE_S),
    "session_ttl_s": pool(TTL_S),
}
PAUSES_S = pool(1, GRACE_S - 1, GRACE_S, IDLE_S, TTL_S)
APART_USERS, APART_THREADS = pool("ana", "ben", symmetric=True), pool("t", "u")
# ("ana", "b:t") and ("ana:b", "t") meet when joined by a colon.
ALIKE_USERS, ALIKE_THREADS = pool("ana", "ana:b"), pool("t", "b:t")


class KeysApart(Scenario[Sessions], bare=True):
    """Two users and two threads that nothing could confuse."""

    get = rule(Sessions.get, user=APART_USERS, thread=NOTHING | APART_THREADS, run=None)
    connect = rule(
        Sessions.connect, user=APART_USERS, thread=NOTHING | APART_THREADS, name=None, peer=WELL
    )
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES)
    clean_up = rule(Sessions.cleanup_manager, key=MANAGER_KEYS, context=None)
    invalidate = rule(Sessions.invalidate, user=APART_USERS)

    shared = sometimes("two users have a thread of the same name", shares_a_thread)


class KeysAlike(KeysApart):
    """Two users and two threads whose keys meet when joined."""

    get = rule(Sessions.get, user=ALIKE_USERS, thread=NOTHING | ALIKE_THREADS, run=None)
    connect = rule(
        Sessions.connect, user=ALIKE_USERS, thread=NOTHING | ALIKE_THREADS, name=None, peer=WELL
    )
    invalidate = rule(Sessions.invalidate, user=ALIKE_USERS)

    joined_alike = sometimes("two sessions have keys that are one when joined", joins_alike)


class ExpiryApart(Scenario[Sessions], bare=True):
    """The same two users and threads, with time."""

    settings = SHORT
    existing = rule(Sessions.existing, user=APART_USERS, thread=APART_THREADS)
    connect = rule(
        Sessions.connect, user=APART_USERS, thread=NOTHING | APART_THREADS, name=None, peer=WELL
    )
    drop = rule(Sessions.disconnect, connection=OPEN, code=1006)
    message = rule(Sessions.message, OWN, thread=None, run=None, text=TEXTS)
    wait = rule(Sessions.wait, seconds=PAUSES_S)

    expired = sometimes(
        "a session came due, and is not freed", lambda now: now.model.state.sessions.expired
    )
    unswept = sometimes("a manager came due, and its sockets await a sweep", awaits_a_sweep)


class ExpiryAlike(ExpiryApart):
    """The users and threads whose keys meet when joined, with time."""

    existing = rule(Sessions.existing, user=ALIKE_USERS, thread=ALIKE_THREADS)
    connect = rule(
        Sessions.connect, user=ALIKE_USERS, thread=NOTHING | ALIKE_THREADS, name=None, peer=WELL
    )

    joined_alike = sometimes("two sessions have keys that are one when joined", joins_alike)
