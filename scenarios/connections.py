"""Several tabs, clean and dropped closes, slow and dead peers; each gets what is its own, once."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
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
    is_stuck_alone,
)


def _keeps_all_it_may(now: Now) -> bool:
    """Return whether as many events wait for a connection to come back as may."""
    state = now.model.state
    most = state.settings.recovery_max
    return any(len(each.queue) >= most for each in state.connections.managers.values())


class Connections(Scenario[Sessions], bare=True):
    """What reaches which socket, however the peers of the others behave."""

    settings = {
        "outbox_max": pool(2, 3),
        "recovery_max": pool(2, 3),
        "send_timeout_s": pool(2),
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(1_800, 6),
        "sweep_interval_s": pool(60, 5),
    }

    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=NOTHING | THREADS | MADE,
        name=NAMES,
        peer=PEERS,
        weight=6,
    )
    reconnect = rule(Sessions.connect, MANAGER_KEYS, name=NAMES, peer=PEERS, weight=3)
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES, weight=2)
    disconnect_again = rule(Sessions.disconnect, connection=ENDED, code=CODES)
    message = rule(
        Sessions.message, OWN, thread=NOTHING | THREADS | MADE, run=None, text=TEXTS, weight=6
    )
    message_over_any = rule(
        Sessions.message,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        connection=NOTHING | OPEN | ENDED,
        text=TEXTS,
        weight=2,
    )
    ping = rule(Sessions.ping, user=USERS, connection=OPEN, thread=NOTHING | THREADS, weight=2)
    deliver = rule(Sessions.deliver, MANAGER_KEYS, text=TEXTS, weight=4)
    deliver_anywhere = rule(Sessions.deliver, user=USERS, thread=THREADS, text=TEXTS)
    stall = rule(Sessions.stall, connection=OPEN, weight=2)
    resume = rule(Sessions.resume, connection=OPEN)
    cut = rule(Sessions.cut, connection=OPEN)
    mend = rule(Sessions.mend, connection=OPEN)
    clean_up = rule(Sessions.cleanup_manager, key=MANAGER_KEYS, context=None)
    # A send is given up at 2 s, a manager left alone at 4: one below, on and above each.
    wait = rule(Sessions.wait, seconds=pool(1, 2, 3, 4, 5), weight=2)
    sweep = rule(Sessions.sweep)
    metrics = rule(Sessions.metrics)

    stuck = sometimes("one connection of a thread takes nothing, and another does", is_stuck_alone)
    kept = sometimes("as many events wait for a thread's next connection as may", _keeps_all_it_may)
