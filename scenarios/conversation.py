"""One conversation after another: the same ids come back, whoever asks, until they end."""

from __future__ import annotations

from threadline import Scenario, pool, rule

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    KEYS,
    MADE,
    NAMES,
    NOTHING,
    OPEN,
    OWN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
)

# Three are enough for parts of parts; the limit of ten is met at once, on it and above it.
DEEP = pool(1, 3, 10, 11)
TAGS = pool((), ("a", "b"))


class Conversation(Scenario[Sessions], bare=True):
    """What two users do who keep to their threads, and write from wherever they are."""

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=5)
    get_session = rule(
        Sessions.get_session, user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=2
    )
    create = rule(Sessions.create, user=USERS, thread=NOTHING | THREADS, run=RUNS)
    existing = rule(Sessions.existing, user=USERS, thread=NOTHING | THREADS | MADE)
    from_websocket = rule(Sessions.from_websocket, user=USERS, name=NAMES, additional=TAGS)
    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=NOTHING | THREADS | MADE,
        name=None,
        peer=WELL,
        weight=3,
    )
    message = rule(Sessions.message, OWN, thread=NOTHING | THREADS, run=RUNS, text=TEXTS, weight=4)
    write = rule(
        Sessions.message,
        user=USERS,
        thread=NOTHING | THREADS | MADE,
        run=RUNS,
        connection=NOTHING | OPEN,
        text=TEXTS,
        weight=2,
    )
    ping = rule(Sessions.ping, user=USERS, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES)
    child = rule(Sessions.child, context=CONTEXTS, deep=DEEP)
    tamper = rule(Sessions.tamper, context=CONTEXTS)
    get_again = rule(Sessions.get, KEYS, run=None)
    invalidate = rule(Sessions.invalidate, user=USERS)
    wait = rule(Sessions.wait, seconds=pool(1, 60))
