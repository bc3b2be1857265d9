"""A session manager called by hand, with what no frame of a socket says."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import STALLED, WELL
from scenarios.parts import ADDITIONAL
from scenarios.population import (
    CODES,
    CONTEXTS,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
)
from scenarios.refusals import BAD, NO_USER

# Two tabs whose names are taken again, by whoever; and one that nobody has.
TABS = pool("tab", "pane")
NOBODY = pool("nobody", "")


def _is_named_again(now: Now) -> bool:
    """Return whether a connection has the name of one that has ended."""
    connections = now.model.state.connections
    return any(each.name in connections.ended.values() for each in connections.live.values())


def _has_full_outbox(now: Now) -> bool:
    """Return whether as many bytes wait for a connection as may."""
    state = now.model.state
    most = state.settings.outbox_bytes_max
    return any(each.waiting_bytes() >= most for each in state.connections.live.values())


class ByHand(Scenario[Sessions], bare=True):
    """Names that no connection has, values that are no plain data, limits that few bytes reach."""

    settings = {
        "outbox_max": pool(100, 3),
        "outbox_bytes_max": pool(26, 27, 28, 40),  # {"text":"m9"} has 13, {"text":"m10"} 14
        "send_timeout_s": pool(2),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(6, 1_800),
        "session_ttl_s": pool(9, 100),
        "sweep_interval_s": pool(1_000, 5),
        "max_sessions_per_user": pool(5, 100),
    }

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS, run=None)
    begin_with = rule(
        Sessions.begin_with, user=USERS | BAD, name=NOTHING | TABS | BAD, additional=ADDITIONAL
    )
    begin_manager = rule(Sessions.begin_manager, user=USERS | BAD, name=NOTHING | TABS | BAD)
    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=NOTHING | THREADS,
        name=TABS,
        peer=pool(WELL, STALLED),
        weight=6,
    )
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES, weight=2)
    write_over = rule(
        Sessions.write_over,
        user=USERS,
        thread=NOTHING | THREADS,
        run=RUNS,
        name=NOTHING | TABS,
        text=TEXTS,
        weight=4,
    )
    write_over_strange = rule(
        Sessions.write_over,
        user=USERS | BAD,
        thread=NOTHING | THREADS | BAD,
        run=RUNS | BAD,
        name=NOTHING | TABS | NOBODY | BAD,
        text=TEXTS,
        weight=2,
    )
    ping_over = rule(Sessions.ping_over, user=USERS, name=TABS, thread=NOTHING | THREADS, weight=2)
    ping_over_strange = rule(
        Sessions.ping_over,
        user=USERS | BAD | NO_USER,
        name=TABS | NOBODY | BAD,
        thread=NOTHING | THREADS | BAD,
    )
    attach_stranger = rule(Sessions.attach_stranger, context=CONTEXTS, other=CONTEXTS)
    deliver = rule(Sessions.deliver, MANAGER_KEYS, text=TEXTS, weight=5)
    stall = rule(Sessions.stall, connection=OPEN)
    resume = rule(Sessions.resume, connection=OPEN)
    wait = rule(Sessions.wait, seconds=pool(1, 2, 3, 4, 5, 6, 9), weight=3)
    sweep = rule(Sessions.sweep)
    metrics = rule(Sessions.metrics, weight=2)

    named_again = sometimes("a name is taken again", _is_named_again)
    full_outbox = sometimes("as many bytes wait for a connection as may", _has_full_outbox)
