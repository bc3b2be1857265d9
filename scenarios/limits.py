"""Small limits, often met: nothing grows over them, and nobody in use pays for it."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import STALLED, WELL
from scenarios.population import (
    CONTEXTS,
    MANAGER_KEYS,
    NOTHING,
    OPEN,
    TEXTS,
    USERS,
    has_all_his_sessions,
)

THREADS = pool("t", "u", "v", identity=True)


def _has_all_his_managers(now: Now) -> bool:
    """Return whether a user has as many managers as allowed."""
    connections, settings = now.model.state.connections, now.model.state.settings
    most = settings.max_managers_per_user
    return any(len(connections.of(user)) >= most for user, _ in connections.managers)


class Limits(Scenario[Sessions], bare=True):
    """What happens at each limit: one below, on it, and above it."""

    settings = {
        "max_sessions_per_user": pool(2, 3, 5),
        "max_managers_per_user": pool(2, 3, 5),
        "emergency_percent": pool(80, 50, 100),
        "outbox_max": pool(2, 3),
        "outbox_bytes_max": pool(1_048_576, 13, 14),  # {"text":"m9"} has 13, {"text":"m10"} 14
        "recovery_max": pool(2, 3),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(6),
        "session_ttl_s": pool(9),
        "sweep_interval_s": pool(1_000, 5),
    }

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS, run=None, weight=3)
    from_websocket = rule(Sessions.from_websocket, user=USERS, name=None, additional=())
    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=NOTHING | THREADS,
        name=None,
        peer=pool(WELL, WELL, STALLED),
        weight=6,
    )
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=pool(1006, 1006, 1000), weight=2)
    message = rule(
        Sessions.message,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        connection=NOTHING | OPEN,
        text=TEXTS,
        weight=2,
    )
    deliver = rule(Sessions.deliver, MANAGER_KEYS, text=TEXTS, weight=3)
    create_manager = rule(Sessions.create_manager, context=NOTHING | CONTEXTS, user=USERS, weight=2)
    clean_up = rule(Sessions.cleanup_manager, key=MANAGER_KEYS, context=None)
    manager_count = rule(Sessions.manager_count, user=USERS)
    invalidate = rule(Sessions.invalidate, user=USERS)
    wait = rule(Sessions.wait, seconds=pool(1, 3, 4, 5, 9))
    metrics = rule(Sessions.metrics)

    all_sessions = sometimes("a user has as many sessions as allowed", has_all_his_sessions)
    all_managers = sometimes("a user has as many managers as allowed", _has_all_his_managers)
    made_room = sometimes(
        "idle managers go to make room for another",
        lambda now: now.model.state.counts.emergency_cleanups > 0,
    )
