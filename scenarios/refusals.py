"""Bad input among good: it is refused, and changes nothing at all."""

from __future__ import annotations

from typing import Any

from threadline import Now, Pool, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import WELL
from scenarios.population import (
    CONTEXTS,
    ENDED,
    NAMES,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
)

LONGEST = "x" * 256
# Blank, no text, a placeholder in disguise, too long, a control character, a lone surrogate.
BAD: Pool[Any] = pool(" ", 7, " Null ", "x" * 257, "a\x00", "a\ud800", "\x85b", "TODO")
# As strange, and good all the same.
ODD = pool(LONGEST, "x", "nullable", "\u00e9", "e\u0301", "\u202eb", "\U0001f600", "")
NO_USER: Pool[Any] = pool("", None)


def _has_longest(now: Now) -> bool:
    """Return whether a session is on a thread whose id is as long as allowed."""
    return any(thread == LONGEST for _, thread in now.model.state.sessions.live)


class Refusals(Scenario[Sessions], bare=True):
    """What a system answers to those who give it what it must not take."""

    get = rule(
        Sessions.get,
        user=USERS | BAD | NO_USER,
        thread=NOTHING | THREADS | ODD | BAD,
        run=RUNS | BAD,
        weight=3,
    )
    get_odd = rule(
        Sessions.get, user=USERS, thread=NOTHING | THREADS | ODD, run=RUNS | ODD, weight=3
    )
    get_session = rule(
        Sessions.get_session, user=USERS | BAD, thread=NOTHING | THREADS | BAD, run=RUNS | BAD
    )
    create = rule(Sessions.create, user=USERS | BAD, thread=NOTHING | THREADS | BAD, run=RUNS | BAD)
    existing = rule(Sessions.existing, user=USERS | BAD, thread=NOTHING | THREADS | ODD | BAD)
    from_websocket = rule(
        Sessions.from_websocket, user=USERS | BAD | NO_USER, name=NAMES | BAD | ODD, additional=()
    )
    connect = rule(
        Sessions.connect, user=USERS, thread=NOTHING | THREADS, name=NAMES, peer=WELL, weight=3
    )
    connect_badly = rule(
        Sessions.connect,
        user=USERS | BAD,
        thread=NOTHING | THREADS | BAD,
        name=NAMES | BAD | ODD,
        peer=WELL,
        weight=2,
    )
    write = rule(
        Sessions.message,
        user=USERS | BAD,
        thread=NOTHING | THREADS | BAD,
        run=RUNS | BAD,
        connection=None,
        text=TEXTS,
    )
    message = rule(
        Sessions.message,
        user=USERS,
        thread=NOTHING | BAD,
        run=RUNS | BAD,
        connection=OPEN | ENDED,
        text=TEXTS,
    )
    ping = rule(
        Sessions.ping, user=USERS | BAD, connection=OPEN | ENDED, thread=NOTHING | THREADS | BAD
    )
    deliver = rule(Sessions.deliver, user=USERS | BAD, thread=THREADS | BAD | NO_USER, text=TEXTS)
    invalidate = rule(Sessions.invalidate, user=USERS | BAD | NO_USER)
    create_manager = rule(
        Sessions.create_manager, context=CONTEXTS | NOTHING, user=USERS | BAD | NOTHING
    )
    get_manager = rule(
        Sessions.get_manager, key=pool(("ana", "t"), None), context=CONTEXTS | NOTHING
    )
    clean_up = rule(
        Sessions.cleanup_manager, key=pool(("ana", "t"), None), context=CONTEXTS | NOTHING
    )
    metrics = rule(Sessions.metrics)

    longest = sometimes("a thread has an id as long as allowed", _has_longest)
    mismatched = sometimes(
        "a context comes with the key of another",
        lambda now: now.model.state.counts.mismatches > 0,
    )
