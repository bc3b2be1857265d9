"""One conversation after another: the same ids come back, whoever asks, until they end."""

from __future__ import annotations

from threadline import Handle, Now, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.ids import DEPTH_MAX
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


def _echoes_a_strangers_id(now: Now) -> bool:
    """Return whether two users have sessions on an id that the system has made for one of them."""
    made = [thread for _, thread in now.model.state.sessions.live if isinstance(thread, Handle)]
    return len(set(made)) < len(made)


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

    echoed = sometimes("two users have a thread of one generated id", _echoes_a_strangers_id)
    deepest = sometimes(
        "a context is as deep as allowed",
        lambda now: any(each.depth == DEPTH_MAX for each in now.model.state.contexts.kept.values()),
    )
