"""What is stored outlives the service; and a pool of places that is small enough to be full."""

from __future__ import annotations

from threadline import Now, Scenario, pool, rule, sometimes

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.databases import HOWS
from models.session_manager.socket_faults import WELL
from scenarios.population import (
    CODES,
    MADE,
    NOTHING,
    OPEN,
    RUNS,
    TEXTS,
    THREADS,
    USERS,
)
from scenarios.service_population import (
    BLOCKS,
    CLOSED,
    DATABASES,
    GOOD_AGENTS,
    LIMITS,
    MESSAGES,
    OWNERS,
    READERS,
    WRITERS,
)


def _is_stored_alone(now: Now) -> bool:
    """Return whether a conversation is kept that has no session."""
    service = now.model.service
    return any(
        key not in service.core.sessions.live and service.is_kept(found)
        for key, found in service.turns.stored.items()
    )


def _cannot_commit(now: Now) -> bool:
    """Return whether a database session has written while no commit succeeds."""
    service = now.model.service
    return bool(service.turns.fails and service.storage.writers.is_full)


class Database(Scenario[Chat], bare=True):
    """What is there after a stop, a crash and a disk that fails, and who waits for a place."""

    settings = {
        "pool_size": pool(2, 1, 10),
        "pool_timeout_s": pool(3, 2, 4),
        "retention_s": pool(2_592_000, 12, 8),
        "session_ttl_s": pool(100, 10, 8),
        "sweep_interval_s": pool(1_000, 5, 5),
    }

    connect = rule(
        Chat.connect, user=USERS, thread=NOTHING | THREADS | MADE, name=None, peer=WELL, weight=4
    )
    disconnect = rule(Chat.disconnect, connection=OPEN, code=CODES)
    get = rule(Chat.get, user=USERS, thread=NOTHING | THREADS | MADE, run=RUNS, weight=2)
    say_stored = rule(
        Chat.say,
        connection=OPEN,
        thread=NOTHING | THREADS,
        run=RUNS,
        message=MESSAGES,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=8,
    )
    post_stored = rule(
        Chat.post,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        message=None,
        text=TEXTS,
        agent=GOOD_AGENTS,
        weight=2,
    )
    history = rule(
        Chat.history, connection=OPEN, thread=NOTHING | THREADS | MADE, limit=LIMITS, weight=2
    )
    threads = rule(Chat.threads, user=USERS, weight=2)
    thread_messages = rule(
        Chat.thread_messages, user=USERS, thread=THREADS | MADE, limit=LIMITS, weight=2
    )
    delete_thread = rule(Chat.delete_thread, user=USERS, thread=THREADS | MADE)
    invalidate = rule(Chat.invalidate, user=USERS)
    restart = rule(Chat.restart)
    crash = rule(Chat.crash)
    storage_fails = rule(Chat.storage_fails)
    storage_recovers = rule(Chat.storage_recovers, weight=2)
    open_database_session = rule(
        Chat.open_database_session, context=OWNERS, how=pool(*HOWS), weight=3
    )
    write_database = rule(Chat.write_database, session=WRITERS, weight=3)
    read_database = rule(Chat.read_database, session=READERS, weight=3)
    write_closed = rule(Chat.write_database, session=CLOSED)
    commit_database = rule(Chat.commit_database, session=DATABASES | CLOSED, weight=2)
    roll_back_database = rule(Chat.roll_back_database, session=DATABASES | CLOSED)
    close_database = rule(Chat.close_database, session=DATABASES | CLOSED, weight=2)
    raise_in_database = rule(Chat.raise_in_database, session=BLOCKS)
    cancel_database = rule(Chat.cancel_database, session=BLOCKS)
    sweep = rule(Chat.sweep)
    metrics = rule(Chat.metrics, weight=2)
    # A place is waited for 2 to 4 s, a session ends at 8 or 10, a conversation at 8 or 12.
    wait = rule(Chat.wait, seconds=pool(1, 2, 3, 4, 7, 8, 12), weight=3)

    in_line = sometimes(
        "a request waits for a place", lambda now: now.model.service.requests.storing() > 0
    )
    stored_alone = sometimes("a conversation is stored that has no session", _is_stored_alone)
    unstored = sometimes("no commit of what was written succeeds", _cannot_commit)
