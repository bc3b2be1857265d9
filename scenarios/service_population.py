"""What the scenarios of the chat service choose from, beside what those of sessions do."""

from __future__ import annotations

from threadline import Handle, Now, Pool, pool

from models.chat_service.agents import (
    NEVER_ENDS,
    RAISES_EARLY,
    RAISES_LATE,
    REFUSES,
    SLOW,
    UNAVAILABLE,
    UNAVAILABLE_TWICE,
    WELL,
)
from models.chat_service.databases import BLOCK, DatabaseSession
from models.chat_service.preconditions import ends_with_connection

# Most agents answer, or nothing would ever build up.
AGENTS = pool(
    *(WELL, WELL, WELL, WELL, SLOW, SLOW, NEVER_ENDS),
    *(REFUSES, RAISES_EARLY, RAISES_LATE, UNAVAILABLE_TWICE, UNAVAILABLE),
)
GOOD_AGENTS = pool(WELL, WELL, SLOW)
# A message id that comes again is that of a client who was not sure to be heard.
MESSAGES = pool(None, None, None, "id1", "id2")
LIMITS = pool(None, 1, 2, 500)
EXCHANGES: Pool[Handle] = Pool(lambda now: now.model.service.open_exchanges())


def _open(now: Now) -> list[DatabaseSession]:
    """Return the open database sessions, but for those of connections that await the sweep."""
    service = now.model.service
    opened = service.databases.open.values()
    return [session for session in opened if not service.is_dying(session)]


def _holding(now: Now, *, writes: bool) -> list[Handle]:
    """Return those that could write, or read, without waiting for a place.

    None, while that could make requests of two threads wait at one moment, or for a connection.
    """
    storage, lines = now.model.service.storage, now.model.service.requests.lines
    if len(lines) > 1:
        return []
    needed = [storage.pool, storage.writers] if writes else [storage.pool]
    return [
        session.handle
        for session in _open(now)
        if not (lines and ends_with_connection(session))
        and not any(places.is_full for places in needed if places not in session.held)
    ]


WRITERS: Pool[Handle] = Pool(lambda now: _holding(now, writes=True))
READERS: Pool[Handle] = Pool(lambda now: _holding(now, writes=False))
# Whether a connection that came due is there to end a database session, nobody knows.
OWNERS: Pool[Handle] = Pool(
    lambda now: [
        handle
        for handle, context in now.model.state.contexts.kept.items()
        if not now.model.service.is_unswept(context)
    ]
)
DATABASES: Pool[Handle] = Pool(lambda now: [session.handle for session in _open(now)])
BLOCKS: Pool[Handle] = Pool(
    lambda now: [session.handle for session in _open(now) if session.how == BLOCK]
)
CLOSED: Pool[Handle] = Pool(lambda now: list(now.model.service.databases.closed))


# What goals of several scenarios ask.


def is_queue_full(now: Now) -> bool:
    """Return whether the queue has as many messages as allowed."""
    service = now.model.service
    return bool(len(service.requests.all()) >= service.settings.queue_max)


def has_given_up(now: Now) -> bool:
    """Return whether a message failed after every retry."""
    return bool(now.model.service.requests.counts.dead_lettered)


def taken_up(now: Now) -> bool:
    """Return whether a message is handled that was accepted before a start."""
    requests = now.model.service.requests.all()
    return any(each.process and each.asked_s == float("-inf") for each in requests)
