"""One database session of one context."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import TypeAlias, TypeVarTuple, overload

from sqlalchemy import Executable, Result
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import TypedReturnsRows

from sessions.context import UserExecutionContext
from sessions.storage.database import Database
from sessions.storage.places import Places
from sessions.storage.whole import whole
from sessions.tasks import Tasks

Ts = TypeVarTuple("Ts")
Values: TypeAlias = Mapping[str, object]


class RequestScopedSession:
    """Runs one context's statements, in transactions (the contract, Database sessions).

    It is open from the moment it is made. `async with` closes it; `await` returns it as it is,
    and notes that its owner has to close it, at latest with the connection.
    It takes a place of the pool at its first statement, and keeps it to commit, rollback or
    close. Calls from several tasks are carried out one after another.
    """

    def __init__(
        self,
        context: UserExecutionContext,
        database: Database,
        tasks: Tasks,
        on_closed: Callable[[RequestScopedSession], None],
    ) -> None:
        self.context = context
        self.was_awaited = False
        self._database = database
        self._tasks = tasks
        self._on_closed = on_closed
        self._session = AsyncSession(database.engine)
        self._one_at_a_time = asyncio.Lock()
        self._taken: list[Places] = []
        self._closing: asyncio.Task[None] | None = None
        self._needs_rollback = False

    @property
    def is_open(self) -> bool:
        return self._closing is None

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Ts], values: Values | None = None
    ) -> Result[*Ts]: ...

    @overload
    async def execute(self, statement: Executable, values: Values | None = None) -> object: ...

    async def execute(self, statement: Executable, values: Values | None = None) -> object:
        """Run a statement with the values of its parameters, in a transaction.

        Raises PoolTimeoutError, what the database raises, and RuntimeError after close().
        """
        async with self._one_at_a_time:
            await self._take_places(writes=not statement.is_select)
            return await whole(self._session.execute(statement, values))

    async def begin_writing(self) -> None:
        """Take the places that a write needs, so that it can tell the time at which it is done.

        Raises what execute() raises.
        """
        async with self._one_at_a_time:
            await self._take_places(writes=True)

    async def commit(self) -> None:
        """Make the transaction last.

        If that raises, nothing of it does: its place is kept to rollback or close, and all else
        raises PendingRollbackError, so that no second commit can seem to have stored it.
        """
        async with self._one_at_a_time:
            self._check_usable()
            try:
                await whole(self._session.commit())
            except BaseException:
                self._needs_rollback = True
                # Else the next would get the connection with what was written still under way.
                await whole(self._session.invalidate())
                raise
            self._give_back()

    async def rollback(self) -> None:
        """Undo the transaction."""
        async with self._one_at_a_time:
            self._check_usable(to_roll_back=True)
            await whole(self._session.rollback())
            self._needs_rollback = False
            self._give_back()

    async def close(self) -> None:
        """Undo what was not committed, and end; a second close only waits for the first.

        Waits for a statement that is under way. A cancelled close goes on to its end.
        """
        if self._closing is None:
            self._on_closed(self)
            self._closing = self._tasks.start(self._close(), "close of a database session")
        await asyncio.shield(self._closing)

    def __await__(self) -> Generator[None, None, RequestScopedSession]:
        yield from ()
        self.was_awaited = True
        return self

    async def __aenter__(self) -> RequestScopedSession:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _close(self) -> None:
        async with self._one_at_a_time:
            try:
                await self._session.close()
            finally:
                self._give_back()

    async def _take_places(self, *, writes: bool) -> None:
        self._check_usable()
        await self._database.keep_lease()
        needed = (self._database.places, self._database.writers if writes else None)
        for places in needed:
            if places and places not in self._taken:
                await places.take()
                self._taken.append(places)
                # It may have been closed while it waited; what is closing gives the place back.
                self._check_usable()

    def _give_back(self) -> None:
        while self._taken:
            self._taken.pop().give_back()

    def _check_usable(self, *, to_roll_back: bool = False) -> None:
        if self._closing is not None:
            raise RuntimeError(
                f"the database session of thread {self.context.thread_id!r} is closed; "
                "create another from the same context"
            )
        if self._needs_rollback and not to_roll_back:
            raise PendingRollbackError("a commit failed; roll back, or close the session")
