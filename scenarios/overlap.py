"""Users at once: what one does begins while what others do goes on."""

from __future__ import annotations

from threadline import Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.connections import CLEAN
from models.session_manager.socket_faults import STALLED, WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    MADE,
    MANAGER_KEYS,
    NAMES,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
    awaits_a_sweep,
    has_all_his_sessions,
    has_tabs,
    is_stuck_alone,
    outlived_its_session,
    waits_for_a_tab,
)


class Overlap(Scenario[Sessions], bare=True):
    """What tabs and threads of few users do at the same time; counts are read by nobody."""

    overlap = True
    settings = {"reconnect_grace_s": pool(4), "send_timeout_s": pool(2)}

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS, run=None, weight=2)
    connect = rule(Sessions.connect, user=USERS, thread=THREADS, name=NAMES, peer=WELL, weight=6)
    reconnect = rule(Sessions.connect, MANAGER_KEYS, name=NAMES, peer=WELL, weight=3)
    # Of what was on its way when a connection breaks, nobody knows whether it has arrived: it comes
    # again, under the same event id.
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CLEAN, weight=3)
    message = rule(
        Sessions.message,
        user=USERS,
        thread=THREADS | MADE,
        run=None,
        connection=NOTHING | OPEN,
        text=TEXTS,
        weight=4,
    )
    deliver = rule(Sessions.deliver, MANAGER_KEYS, text=TEXTS, weight=4)
    create_manager = rule(Sessions.create_manager, context=CONTEXTS, user=None, weight=2)
    clean_up = rule(Sessions.cleanup_manager, key=MANAGER_KEYS, context=None, weight=2)
    invalidate = rule(Sessions.invalidate, user=USERS)
    sweep = rule(Sessions.sweep)

    tabs = sometimes("a thread has two connections", has_tabs)
    kept = sometimes("an event waits for a connection of its thread", waits_for_a_tab)


class OverlapCancelled(Overlap):
    """Some of whom leave before what they asked for is done."""

    cancels = True


class OverlapStalled(Overlap):
    """Some tabs take nothing until they are read again, and nobody else waits for them."""

    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=THREADS,
        name=NAMES,
        peer=pool(WELL, WELL, STALLED),
        weight=6,
    )
    resume = rule(Sessions.resume, connection=OPEN, weight=2)

    stuck = sometimes("one connection of a thread takes nothing, and another does", is_stuck_alone)


class OverlapExpiry(Overlap):
    """Sessions and managers come due meanwhile; no send does, however long it is on its way."""

    settings = {
        "reconnect_grace_s": pool(4),
        "connection_timeout_s": pool(7, 12),
        "session_ttl_s": pool(10, 6),
        "sweep_interval_s": pool(100_000, 5),
        "send_timeout_s": pool(100_000),
    }

    wait = rule(Sessions.wait, seconds=pool(1, 3, 4, 5, 6, 7, 9, 10), weight=5)

    outlived = sometimes("a session came due while its manager lived", outlived_its_session)
    unswept = sometimes("a manager came due, and its sockets await a sweep", awaits_a_sweep)


class OverlapReconnects(OverlapExpiry):
    """Connections break, too, and come back within their grace or after it; nothing is said."""

    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES, weight=4)
    message = deliver = None

    kept = None  # as nothing is said, nothing is kept
    alone = sometimes(
        "a thread waits for its connection to come back",
        lambda now: any(
            not each.connections for each in now.model.state.connections.managers.values()
        ),
    )


class Threads(Scenario[Sessions], bare=True):
    """What threads do at the same time with what promises to be safe there."""

    overlap = True
    settings = {"max_sessions_per_user": pool(2, 3)}

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=3)
    get_session = rule(
        Sessions.get_session, user=USERS, thread=NOTHING | THREADS, run=RUNS, weight=3
    )
    existing = rule(Sessions.existing, user=USERS, thread=NOTHING | THREADS | MADE, weight=2)
    invalidate = rule(Sessions.invalidate, user=USERS)
    clean_up_sessions = rule(Sessions.clean_up_sessions)
    base_id = rule(Sessions.base_id, prefix=pool("id"), random_length=pool(8))

    all_sessions = sometimes("a user has as many sessions as allowed", has_all_his_sessions)
