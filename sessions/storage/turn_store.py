"""Keep the turns of conversations in the database."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Executable,
    FromClause,
    Select,
    and_,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sessions.clock import Clock
from sessions.context import UserExecutionContext
from sessions.errors import ThreadEndedError
from sessions.settings import Settings
from sessions.storage.database import Database
from sessions.storage.database_factory import RequestScopedSessionFactory
from sessions.storage.database_session import RequestScopedSession
from sessions.storage.tables import THREADS, TURNS
from sessions.storage.turn import Role, Turn


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
        self._on_sqlite = database.engine.dialect.name == "sqlite"

    async def append_user_turn(
        self, context: UserExecutionContext, text: str, message_id: str | None = None
    ) -> int:
        """Store what a user said, and return its position; the context's run is now current."""
        async with self._sessions.create_session_from_context(context) as session:
            # First, as it locks the thread's row, by which positions have no gap and no double.
            await session.execute(self._thread_written(context))
            await session.execute(self._due_turns_removed(context))
            return await self._append(session, context, "user", text, message_id)

    async def append_agent_turn(
        self, context: UserExecutionContext, text: str, message_id: str | None = None
    ) -> int:
        """Store an agent's answer, and return its position.

        Raises ThreadEndedError if the thread was deleted, its session invalidated, or its run
        replaced, since the user's turn: no turn comes after an end.
        """
        async with self._sessions.create_session_from_context(context) as session:
            touched = await session.execute(
                update(THREADS)
                .where(self._is_of(context, THREADS))
                .where(THREADS.c.run_id == context.run_id, THREADS.c.ended.is_(False))
                .values(active_at_s=self._clock.now())
                .returning(THREADS.c.run_id)
            )
            if touched.first() is None:
                raise ThreadEndedError(
                    f"run {context.run_id!r} of thread {context.thread_id!r} is not going on; "
                    "a turn of the user's begins one"
                )
            return await self._append(session, context, "agent", text, message_id)

    async def latest_turns(self, context: UserExecutionContext, limit: int) -> list[Turn]:
        """Return the thread's last turns, at most limit of them, oldest first."""
        latest = self._turns_of(context).order_by(TURNS.c.position.desc()).limit(limit)
        return (await self._read(context, latest))[::-1]

    async def agent_turns_since(self, context: UserExecutionContext, since_s: float) -> list[Turn]:
        """Return what the agent said on the thread after a clock second, oldest first."""
        said = self._turns_of(context).where(TURNS.c.role == "agent", TURNS.c.at_s > since_s)
        return await self._read(context, said.order_by(TURNS.c.position))

    async def position_of(self, context: UserExecutionContext, message_id: str) -> int | None:
        """Return the position of the user's turn that a message became, or None."""
        handled = self._turns_of(context).where(
            TURNS.c.message_id == message_id, TURNS.c.role == "user"
        )
        async with self._sessions.create_session_from_context(context) as session:
            row = (await session.execute(handled)).first()
        return row.position if row else None

    async def delete_thread(self, context: UserExecutionContext) -> None:
        """Remove a thread and all its turns, in one transaction."""
        async with self._sessions.create_session_from_context(context) as session:
            for table in (THREADS, TURNS):
                await session.execute(delete(table).where(self._is_of(context, table)))
            await session.commit()

    async def _read(
        self, context: UserExecutionContext, turns: Select[*tuple[object, ...]]
    ) -> list[Turn]:
        async with self._sessions.create_session_from_context(context) as session:
            rows = (await session.execute(turns)).all()
        return [
            Turn(row.position, row.role, row.text, row.message_id, row.run_id, row.at_s)
            for row in rows
        ]

    async def _append(
        self,
        session: RequestScopedSession,
        context: UserExecutionContext,
        role: Role,
        text: str,
        message_id: str | None,
    ) -> int:
        position = (await session.execute(self._next_position(context))).scalar_one()
        turn = insert(TURNS).values(
            user_id=context.user_id,
            thread_id=context.thread_id,
            position=position,
            role=role,
            text=text,
            message_id=message_id,
            run_id=context.run_id,
            at_s=self._clock.now(),
        )
        await session.execute(turn)
        await session.commit()
        return position

    def _is_of(self, context: UserExecutionContext, table: FromClause) -> ColumnElement[bool]:
        return and_(
            table.c.user_id == context.user_id,
            table.c.thread_id == context.thread_id,
        )

    def _thread_written(self, context: UserExecutionContext) -> Executable:
        state = {"run_id": context.run_id, "active_at_s": self._clock.now(), "ended": False}
        thread: sqlite.Insert | postgresql.Insert
        thread = sqlite.insert(THREADS) if self._on_sqlite else postgresql.insert(THREADS)
        return thread.values(
            user_id=context.user_id, thread_id=context.thread_id, **state
        ).on_conflict_do_update(index_elements=["user_id", "thread_id"], set_=state)

    def _next_position(self, context: UserExecutionContext) -> Select[int]:
        last = func.coalesce(func.max(TURNS.c.position), 0)
        return select(last + 1).where(self._is_of(context, TURNS))

    def _turns_of(self, context: UserExecutionContext) -> Select[*tuple[object, ...]]:
        kept = select(THREADS.c.run_id).where(
            self._is_of(context, THREADS), self._was_kept(context, THREADS.c.active_at_s)
        )
        return select(TURNS).where(self._is_of(context, TURNS), kept.exists())

    def _due_turns_removed(self, context: UserExecutionContext) -> Executable:
        turns = TURNS.alias()
        last_at_s = (
            select(turns.c.at_s)
            .where(self._is_of(context, turns))
            .order_by(turns.c.position.desc())
            .limit(1)
            .scalar_subquery()
        )
        return delete(TURNS).where(
            self._is_of(context, TURNS), not_(self._was_kept(context, last_at_s))
        )

    def _was_kept(
        self, context: UserExecutionContext, last_at_s: ColumnElement[float]
    ) -> ColumnElement[bool]:
        """Say whether a conversation was not yet due when the context's session began."""
        return last_at_s + self._settings.retention_s > context.created_at
