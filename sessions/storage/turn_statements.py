"""What is asked of the tables about one thread: each statement is built once, and run with ids."""

from __future__ import annotations

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sessions.storage.tables import THREADS, TURNS

# Not named as the columns, which belong to VALUES.
OF_USER: BindParameter[str] = bindparam("of_user")
OF_THREAD: BindParameter[str] = bindparam("of_thread")
OF_RUN: BindParameter[str] = bindparam("of_run")
USED: BindParameter[int] = bindparam("last_used")
NOW_S: BindParameter[float] = bindparam("now_s")


def _is_of_thread(table: FromClause) -> ColumnElement[bool]:
    return and_(table.c.user_id == OF_USER, table.c.thread_id == OF_THREAD)


def _was_kept(last_at_s: ColumnElement[float]) -> ColumnElement[bool]:
    """Say whether a conversation was not yet due when the session began that asks."""
    return last_at_s + bindparam("retention_s") > bindparam("began_at_s")


def _thread_written(
    thread: sqlite.Insert | postgresql.Insert,
) -> sqlite.Insert | postgresql.Insert:
    state = {"run_id": OF_RUN, "active_at_s": NOW_S, "ended": False, "used": USED}
    return thread.values(user_id=OF_USER, thread_id=OF_THREAD, **state).on_conflict_do_update(
        index_elements=["user_id", "thread_id"], set_=state
    )


_TURNS = TURNS.alias()
_LAST_AT_S = (
    select(_TURNS.c.at_s)
    .where(_is_of_thread(_TURNS))
    .order_by(_TURNS.c.position.desc())
    .limit(1)
    .scalar_subquery()
)
_KEPT_TURNS = select(TURNS).where(
    _is_of_thread(TURNS),
    select(THREADS.c.run_id)
    .where(_is_of_thread(THREADS), _was_kept(THREADS.c.active_at_s))
    .exists(),
)

THREAD_WRITTEN_ON_SQLITE = _thread_written(sqlite.insert(THREADS))
THREAD_WRITTEN_ON_POSTGRESQL = _thread_written(postgresql.insert(THREADS))
THREAD_TOUCHED = (
    update(THREADS)
    .where(_is_of_thread(THREADS))
    .where(THREADS.c.run_id == OF_RUN, THREADS.c.ended.is_(False))
    .values(active_at_s=NOW_S)
    .returning(THREADS.c.run_id)
)
DUE_TURNS_REMOVED = delete(TURNS).where(_is_of_thread(TURNS), not_(_was_kept(_LAST_AT_S)))
NEXT_POSITION = select(func.coalesce(func.max(TURNS.c.position), 0) + 1).where(_is_of_thread(TURNS))
TURN_ADDED = insert(TURNS)
LATEST_TURNS = _KEPT_TURNS.order_by(TURNS.c.position.desc()).limit(bindparam("limit"))
ANSWERS_SINCE = _KEPT_TURNS.where(
    TURNS.c.role == "agent", TURNS.c.at_s > bindparam("since_s")
).order_by(TURNS.c.position)
HANDLED = _KEPT_TURNS.where(TURNS.c.message_id == bindparam("of_message"), TURNS.c.role == "user")
THREAD_REMOVED = (
    delete(THREADS).where(_is_of_thread(THREADS)),
    delete(TURNS).where(_is_of_thread(TURNS)),
)
