"""Keep the rows of threads, whoever's they are: at the start, at an invalidation, in a sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import and_, bindparam, delete, func, select, update

from sessions.clock import Clock
from sessions.ids import IsolationKey
from sessions.settings import Settings
from sessions.storage.database import Database
from sessions.storage.tables import THREADS, TURNS, StoredThread, Unanswered

# Each statement is built once, and run with the values of its parameters.
_IS_LIVE = and_(
    THREADS.c.ended.is_(False),
    THREADS.c.active_at_s + bindparam("session_ttl_s") > bindparam("now_s"),
)

GOING_ON = select(THREADS).where(_IS_LIVE).order_by(THREADS.c.used)
_LATER = TURNS.alias()
UNANSWERED = (
    select(THREADS, TURNS.c.position, TURNS.c.text, TURNS.c.message_id)
    .join(
        TURNS, and_(TURNS.c.user_id == THREADS.c.user_id, TURNS.c.thread_id == THREADS.c.thread_id)
    )
    .where(_IS_LIVE, THREADS.c.asked.is_not(None))
    .where(
        TURNS.c.position
        == select(func.max(_LATER.c.position))
        .where(_LATER.c.user_id == THREADS.c.user_id, _LATER.c.thread_id == THREADS.c.thread_id)
        .scalar_subquery()
    )
    .order_by(THREADS.c.used)
)
LAST_USED = select(func.coalesce(func.max(THREADS.c.used), 0))
OF_USER = (
    select(THREADS).where(THREADS.c.user_id == bindparam("of_user")).order_by(THREADS.c.used.desc())
)
ENDED = (
    update(THREADS)
    .where(THREADS.c.user_id == bindparam("of_user"), THREADS.c.used <= bindparam("last_used"))
    .values(ended=True)
)
DUE = select(THREADS).where(THREADS.c.active_at_s + bindparam("retention_s") <= bindparam("now_s"))
REMOVED_IF_UNCHANGED = (
    delete(THREADS)
    .where(
        THREADS.c.user_id == bindparam("of_user"),
        THREADS.c.thread_id == bindparam("of_thread"),
        THREADS.c.active_at_s == bindparam("active_at_s"),
    )
    .returning(THREADS.c.run_id)
)
TURNS_REMOVED = delete(TURNS).where(
    TURNS.c.user_id == bindparam("of_user"), TURNS.c.thread_id == bindparam("of_thread")
)

LiveSince: TypeAlias = Callable[[IsolationKey], float | None]


class ThreadStore:
    """Knows which sessions go on after a start, and which conversations are due.

    The end of a session, by expiry or invalidation, leaves the conversation. Everything raises
    PoolTimeoutError, and what the database raises.
    """

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def threads_to_load(self) -> list[StoredThread]:
        """Return the threads neither expired nor invalidated, the latest last.

        Which is that of the user's last message that became a turn, however late others were
        answered. A stored time later than now counts as now.
        """
        now_s = self._clock.now()
        values = {"session_ttl_s": self._settings.session_ttl_s, "now_s": now_s}
        async with self._database.reading() as connection:
            rows = (await connection.execute(GOING_ON, values)).all()
        return [
            StoredThread(row.user_id, row.thread_id, row.run_id, min(row.active_at_s, now_s))
            for row in rows
        ]

    async def unanswered(self) -> list[Unanswered]:
        """Return what is asked on those threads, the latest last."""
        values = {"session_ttl_s": self._settings.session_ttl_s, "now_s": self._clock.now()}
        async with self._database.reading() as connection:
            rows = (await connection.execute(UNANSWERED, values)).all()
        return [
            Unanswered(
                *(row.user_id, row.thread_id, row.run_id, row.used, row.asked),
                *(row.position, row.text, row.message_id),
            )
            for row in rows
        ]

    async def last_used(self) -> int:
        """Return the greatest number of a message that became a turn, or 0."""
        async with self._database.reading() as connection:
            last: int = (await connection.execute(LAST_USED)).scalar_one()
        return last

    async def threads_of(self, user_id: str, live_since: LiveSince) -> list[StoredThread]:
        """Return a user's conversations that are not due, that of the last message first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(OF_USER, {"of_user": user_id})).all()
        stored = (
            StoredThread(row.user_id, row.thread_id, row.run_id, row.active_at_s) for row in rows
        )
        return [thread for thread in stored if not self._is_due(thread, live_since)]

    async def end_sessions(self, user_id: str, used: int) -> None:
        """Note that a user's sessions were invalidated, before it returns.

        used: the number of the last get or message before that. A session of which a later message
        became a turn has begun since, and goes on.
        """
        async with self._database.transaction() as connection:
            await connection.execute(ENDED, {"of_user": user_id, "last_used": used})

    async def remove_due(self, live_since: LiveSince) -> int:
        """Remove each conversation that is due, in a transaction of its own; return how many.

        live_since tells when the live session of a thread began, in clock seconds, or None. One
        that began before the conversation was due keeps it. A session loaded at the start began
        no later than its last turn.
        """
        async with self._database.reading() as connection:
            # Only now, as a place may have been waited for.
            values = {"retention_s": self._settings.retention_s, "now_s": self._clock.now()}
            rows = (await connection.execute(DUE, values)).all()
        removed = 0
        for row in rows:
            thread = StoredThread(row.user_id, row.thread_id, row.run_id, row.active_at_s)
            if self._is_due(thread, live_since):
                removed += await self._remove(thread)
        return removed

    def _is_due(self, thread: StoredThread, live_since: LiveSince) -> bool:
        due_at_s = thread.active_at_s + self._settings.retention_s
        since_s = live_since(IsolationKey(thread.user_id, thread.thread_id))
        return self._clock.now() >= due_at_s and (since_s is None or since_s >= due_at_s)

    async def _remove(self, thread: StoredThread) -> bool:
        """Remove a conversation, unless a turn has come since it was found due."""
        values = {"of_user": thread.user_id, "of_thread": thread.thread_id}
        unchanged = {**values, "active_at_s": thread.active_at_s}
        async with self._database.transaction() as connection:
            found = (await connection.execute(REMOVED_IF_UNCHANGED, unchanged)).first()
            if found is not None:
                await connection.execute(TURNS_REMOVED, values)
        return found is not None
