"""Everything that ends by itself, at one second before its time, on it and after it."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import STALLED, WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    TEXTS,
    awaits_a_sweep,
    outlived_its_session,
)

ONE = pool("ana", identity=True)
THREADS = pool("t", "u", identity=True)
SEND_S, GRACE_S, IDLE_S, TTL_S = 2, 4, 7, 10
PAUSES_S = pool(*sorted({at + by for at in (SEND_S, GRACE_S, IDLE_S, TTL_S) for by in (-1, 0, 1)}))


def _is_in_its_last_second(now: Now) -> bool:
    """Return whether a session is due in a second, and lives."""
    state = now.model.state
    last_s = state.clock.now_s + 1 - state.settings.session_ttl_s
    return any(session.active_s == last_s for session in state.sessions.live.values())


class Expiry(Scenario[Sessions], bare=True):
    """What is due is gone, whether or not a sweep has run; and what is not due stays."""

    settings = {
        "send_timeout_s": pool(SEND_S),
        "reconnect_grace_s": pool(GRACE_S),
        "connection_timeout_s": pool(IDLE_S, 12),
        "session_ttl_s": pool(TTL_S, 6),
        "sweep_interval_s": pool(1_000, 5),
    }

    get = rule(Sessions.get, user=ONE, thread=NOTHING | THREADS, run=None, weight=2)
    existing = rule(Sessions.existing, user=ONE, thread=NOTHING | THREADS, weight=2)
    from_websocket = rule(Sessions.from_websocket, user=ONE, name=None, additional=())
    connect = rule(
        Sessions.connect,
        user=ONE,
        thread=NOTHING | THREADS,
        name=None,
        peer=pool(WELL, WELL, STALLED),
        weight=3,
    )
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES, weight=2)
    message = rule(
        Sessions.message,
        user=ONE,
        thread=NOTHING | THREADS,
        run=None,
        connection=OPEN,
        text=TEXTS,
        weight=2,
    )
    ping = rule(Sessions.ping, user=ONE, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    deliver = rule(Sessions.deliver, MANAGER_KEYS, text=TEXTS)
    create_manager = rule(Sessions.create_manager, context=CONTEXTS, user=None)
    manager_count = rule(Sessions.manager_count, user=ONE)
    wait = rule(Sessions.wait, seconds=PAUSES_S, weight=5)
    sweep = rule(Sessions.sweep)
    clean_up_sessions = rule(Sessions.clean_up_sessions)
    metrics = rule(Sessions.metrics)

    last_second = sometimes("a session is in its last second", _is_in_its_last_second)
    outlived = sometimes("a session came due while its manager lived", outlived_its_session)
    unswept = sometimes("a manager came due, and its sockets await a sweep", awaits_a_sweep)
