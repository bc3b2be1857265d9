"""Keep the turns of conversations in the database."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Result,
    Select,
    Text,
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
from sqlalchemy.exc import IntegrityError

from sessions.clock import Clock
from sessions.context import UserExecutionContext
from sessions.errors import ThreadEndedError
from sessions.settings import Settings
from sessions.storage.database import Database, RequestScopedSession, RequestScopedSessionFactory
from sessions.storage.tables import THREADS, TURNS, Begun, Role, Turn

# Each statement below is built once, and run with the values of these parameters, which are not
# named as the columns: those names belong to VALUES.
OF_USER: BindParameter[str] = bindparam("of_user")
OF_THREAD: BindParameter[str] = bindparam("of_thread")
OF_RUN: BindParameter[str] = bindparam("of_run")
USED: BindParameter[int] = bindparam("last_used")
NOW_S: BindParameter[float] = bindparam("now_s")
ASKED: BindParameter[str | None] = bindparam("of_question")


def _is_of_thread(table: FromClause) -> ColumnElement[bool]:
    return and_(table.c.user_id == OF_USER, table.c.thread_id == OF_THREAD)


def _was_kept(last_at_s: ColumnElement[float]) -> ColumnElement[bool]:
    """Return the condition that a conversation was not yet due when the asking session began."""
    return last_at_s + bindparam("retention_s") > bindparam("began_at_s")


def _thread_written(
    thread: sqlite.Insert | postgresql.Insert,
) -> sqlite.Insert | postgresql.Insert:
    state = {"run_id": OF_RUN, "active_at_s": NOW_S, "ended": False, "used": USED, "asked": ASKED}
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
    .values(active_at_s=NOW_S, asked=None)
    .returning(THREADS.c.run_id)
)
GIVEN_UP = (
    update(THREADS).where(_is_of_thread(THREADS)).where(THREADS.c.used == USED).values(asked=None)
)
DUE_TURNS_REMOVED = delete(TURNS).where(_is_of_thread(TURNS), not_(_was_kept(_LAST_AT_S)))
_NEXT_POSITION = (
    select(func.coalesce(func.max(_TURNS.c.position), 0) + 1)
    .where(_is_of_thread(_TURNS))
    .scalar_subquery()
)
TURN_ADDED = (
    insert(TURNS)
    .values(
        user_id=OF_USER,
        thread_id=OF_THREAD,
        position=_NEXT_POSITION,
        role=bindparam("of_role"),
        text=bindparam("of_text"),
        message_id=bindparam("of_message"),
        run_id=OF_RUN,
        at_s=NOW_S,
    )
    .returning(TURNS.c.position)
)
_TOUCHED = THREAD_TOUCHED.returning(
    THREADS.c.user_id, THREADS.c.thread_id, THREADS.c.active_at_s
).cte("touched")
# Both in one exchange: SQLite cannot, and PostgreSQL's costs more than what it does in one.
ANSWER_ADDED_ON_POSTGRESQL = (
    insert(TURNS)
    .from_select(
        ["user_id", "thread_id", "position", "role", "text", "message_id", "run_id", "at_s"],
        select(
            _TOUCHED.c.user_id,
            _TOUCHED.c.thread_id,
            _NEXT_POSITION,
            bindparam("of_role", type_=Text),
            bindparam("of_text", type_=Text),
            bindparam("of_message", type_=Text),
            _TOUCHED.c.run_id,
            _TOUCHED.c.active_at_s,
        ),
    )
    .returning(TURNS.c.position)
)
LATEST_TURNS = _KEPT_TURNS.order_by(TURNS.c.position.desc()).limit(bindparam("limit"))
ANSWERS_SINCE = _KEPT_TURNS.where(
    TURNS.c.role == "agent", TURNS.c.at_s > bindparam("since_s")
).order_by(TURNS.c.position)
OF_MESSAGE = _KEPT_TURNS.where(TURNS.c.message_id == bindparam("of_message")).order_by(
    TURNS.c.position
)
THREAD_REMOVED = (
    delete(THREADS).where(_is_of_thread(THREADS)),
    delete(TURNS).where(_is_of_thread(TURNS)),
)


class TurnStore:
    """Stores and reads one context's thread at a time (the contract, Persistence).

    A position that was returned is on disk, with the thread's row. A conversation that was due
    when the context's session began is gone, though its rows may not have been removed yet.
    Everything raises PoolTimeoutError, and what the database raises.
    """

    def __init__(
        self,
        sessions: RequestScopedSessionFactory,
        database: Database,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._settings = settings
        on_sqlite = database.engine.dialect.name == "sqlite"
        self._thread_written = (
            THREAD_WRITTEN_ON_SQLITE if on_sqlite else THREAD_WRITTEN_ON_POSTGRESQL
        )
        self._has_row_locks = not on_sqlite

    async def append_user_turn(
        self,
        context: UserExecutionContext,
        text: str,
        message_id: str | None = None,
        *,
        used: int = 0,
    ) -> int:
        """Store what a user said, and return its position; the context's run is now current.

        used: the message's number in the order of all gets and messages. The thread with the
        greatest one is the user's latest after the next start.
        """
        run = self._run_of(context)
        async with self._sessions.create_session_from_context(context) as session:
            await session.begin_writing()
            # First, as it locks the thread's row, by which positions have no gap and no double.
            await session.execute(self._thread_written, self._asked_in(run, used, None))
            await session.execute(DUE_TURNS_REMOVED, self._kept_for(context))
            return await self._append(session, run, "user", text, message_id)

    async def begin(
        self,
        context: UserExecutionContext,
        text: str,
        message_id: str | None,
        *,
        used: int,
        asked: str,
        history_max: int,
    ) -> Begun:
        """Store what the agent is asked, in one transaction with all that has to be known for it.

        Where the thread has the message_id already, nothing is stored, and that is returned.
        asked: what it was beside its text. Until it is answered, or given up,
        ThreadStore.unanswered() has it. The rest is as in append_user_turn.
        """
        run, kept = self._run_of(context), self._kept_for(context)
        async with self._sessions.create_session_from_context(context) as session:
            await session.begin_writing()
            latest = await session.execute(LATEST_TURNS, {**kept, "limit": history_max})
            history = _turns(latest)[::-1]
            await session.execute(self._thread_written, self._asked_in(run, used, asked))
            if not history:  # else the conversation was not due
                await session.execute(DUE_TURNS_REMOVED, kept)
            # After the row was waited for: a commit that was given up as too late is done by then.
            if message_id and (handled := await self._of_message(session, context, message_id)):
                return Begun(0, (), tuple(handled))  # what was written is undone
            position = await self._append(session, run, "user", text, message_id)
            return Begun(position, tuple(history))

    async def append_agent_turn(
        self, context: UserExecutionContext, text: str, message_id: str | None = None
    ) -> int:
        """Store an agent's answer, and return its position.

        Raises ThreadEndedError if the thread was deleted, its session invalidated, or its run
        replaced, since the user's turn: no turn comes after an end.
        """
        run = self._run_of(context)
        async with self._sessions.create_session_from_context(context) as session:
            await session.begin_writing()
            written = {**run, "now_s": self._clock.now()}
            if self._has_row_locks:
                return await self._answer_at_once(session, context, written, text, message_id)
            touched = await session.execute(THREAD_TOUCHED, written)
            if touched.first() is None:
                raise _not_going_on(context)
            return await self._append(session, run, "agent", text, message_id)

    async def latest_turns(self, context: UserExecutionContext, limit: int) -> list[Turn]:
        """Return the thread's last turns, at most limit of them, oldest first."""
        async with self._sessions.create_session_from_context(context) as session:
            return (await self._read(session, context, LATEST_TURNS, {"limit": limit}))[::-1]

    async def agent_turns_since(self, context: UserExecutionContext, since_s: float) -> list[Turn]:
        """Return what the agent said on the thread after a clock second, oldest first."""
        async with self._sessions.create_session_from_context(context) as session:
            return await self._read(session, context, ANSWERS_SINCE, {"since_s": since_s})

    async def of_message(self, context: UserExecutionContext, message_id: str) -> list[Turn]:
        """Return the turn that a message became, and its answer, as far as they are there."""
        async with self._sessions.create_session_from_context(context) as session:
            return await self._of_message(session, context, message_id)

    async def give_up(self, context: UserExecutionContext, used: int) -> None:
        """Note that the thread's last message is not to be answered, if it has that number."""
        async with self._sessions.create_session_from_context(context) as session:
            await session.begin_writing()
            await session.execute(GIVEN_UP, {**self._ids(context), "last_used": used})
            await session.commit()

    async def delete_thread(self, context: UserExecutionContext) -> None:
        """Remove a thread and all its turns, in one transaction."""
        async with self._sessions.create_session_from_context(context) as session:
            for removed in THREAD_REMOVED:
                await session.execute(removed, self._ids(context))
            await session.commit()

    async def _of_message(
        self, session: RequestScopedSession, context: UserExecutionContext, message_id: str
    ) -> list[Turn]:
        return await self._read(session, context, OF_MESSAGE, {"of_message": message_id})

    async def _read(
        self,
        session: RequestScopedSession,
        context: UserExecutionContext,
        turns: Select[*tuple[object, ...]],
        values: Mapping[str, object],
    ) -> list[Turn]:
        return _turns(await session.execute(turns, {**self._kept_for(context), **values}))

    async def _answer_at_once(
        self,
        session: RequestScopedSession,
        context: UserExecutionContext,
        written: Mapping[str, object],
        text: str,
        message_id: str | None,
    ) -> int:
        values = {**written, "of_role": "agent", "of_text": text, "of_message": message_id}
        try:
            added = await session.execute_alone(ANSWER_ADDED_ON_POSTGRESQL, values)
        except IntegrityError:
            # A turn that was stored while the row was waited for has taken the position.
            added = await session.execute_alone(ANSWER_ADDED_ON_POSTGRESQL, values)
        position: int | None = added.scalar()
        if position is None:
            raise _not_going_on(context)
        return position

    async def _append(
        self,
        session: RequestScopedSession,
        run: Mapping[str, object],
        role: Role,
        text: str,
        message_id: str | None,
    ) -> int:
        turn = {"of_role": role, "of_text": text, "of_message": message_id}
        written = {**run, "now_s": self._clock.now()}
        added = await session.execute(TURN_ADDED, {**written, **turn})
        position: int = added.scalar_one()
        await session.commit()
        return position

    def _ids(self, context: UserExecutionContext) -> Mapping[str, object]:
        return {"of_user": context.user_id, "of_thread": context.thread_id}

    def _asked_in(
        self, run: Mapping[str, object], used: int, asked: str | None
    ) -> Mapping[str, object]:
        written = {**run, "now_s": self._clock.now()}
        return {**written, "last_used": used, "of_question": asked}

    def _run_of(self, context: UserExecutionContext) -> Mapping[str, object]:
        return {**self._ids(context), "of_run": context.run_id}

    def _kept_for(self, context: UserExecutionContext) -> Mapping[str, object]:
        limits = {"retention_s": self._settings.retention_s, "began_at_s": context.created_at}
        return {**self._ids(context), **limits}


def _turns(result: Result[*tuple[object, ...]]) -> list[Turn]:
    return [
        Turn(row.position, row.role, row.text, row.message_id, row.run_id, row.at_s)
        for row in result
    ]


def _not_going_on(context: UserExecutionContext) -> ThreadEndedError:
    return ThreadEndedError(
        f"run {context.run_id!r} of thread {context.thread_id!r} is not going on; "
        "a turn of the user's begins one"
    )
