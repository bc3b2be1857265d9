"""What is asked of the tables about many threads: each statement is built once, run with values."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, select, update

from sessions.storage.tables import THREADS, TURNS


def _with_turns(*chosen: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    is_same_thread = and_(
        TURNS.c.user_id == THREADS.c.user_id, TURNS.c.thread_id == THREADS.c.thread_id
    )
    return select(THREADS).join(TURNS, is_same_thread).where(*chosen).group_by(*THREADS.c)


_IS_LIVE = and_(
    THREADS.c.ended.is_(False),
    THREADS.c.active_at_s + bindparam("session_ttl_s") > bindparam("now_s"),
)
_LAST_NUMBER = func.max(TURNS.c.number)

GOING_ON = _with_turns(_IS_LIVE).order_by(_LAST_NUMBER)
OF_USER = _with_turns(THREADS.c.user_id == bindparam("of_user")).order_by(_LAST_NUMBER.desc())
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
