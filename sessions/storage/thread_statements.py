"""What is asked of the tables about many threads: each statement is built once, run with values."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, delete, func, select, update

from sessions.storage.tables import THREADS, TURNS

_IS_LIVE = and_(
    THREADS.c.ended.is_(False),
    THREADS.c.active_at_s + bindparam("session_ttl_s") > bindparam("now_s"),
)

GOING_ON = select(THREADS).where(_IS_LIVE).order_by(THREADS.c.used)
LAST_USED = select(func.coalesce(func.max(THREADS.c.used), 0))
OF_USER = (
    select(THREADS).where(THREADS.c.user_id == bindparam("of_user")).order_by(THREADS.c.used.desc())
)
ENDED = update(THREADS).where(THREADS.c.user_id == bindparam("of_user")).values(ended=True)
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
