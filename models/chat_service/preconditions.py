"""When an operation may come whose answer is not a matter of the scheduler's."""

from __future__ import annotations

from threadline import Now

from models.chat_service.databases import AWAITED, DatabaseSession


def is_free(now: Now) -> bool:
    """Return whether no database session holds a place, for which others would have to wait."""
    return not any(session.held for session in now.model.service.databases.open.values())


def is_calm(now: Now) -> bool:
    """Return whether a request would have a place, or wait for one alone.

    Of two that wait at one moment, who is served first is a matter of the scheduler's. And for
    the session of a connection that came due nobody knows how long.
    """
    holders = [each for each in now.model.service.databases.open.values() if each.held]
    return not holders or not (
        now.model.service.requests.lines or any(map(ends_with_connection, holders))
    )


def ends_with_connection(session: DatabaseSession) -> bool:
    return session.how == AWAITED and session.context.connection is not None
