"""The database: its places, its transactions, and the sessions that run a context's statements."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias, TypeVarTuple, overload

from sqlalchemy import Executable, Result, make_url
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.sql.selectable import TypedReturnsRows

from sessions.clock import Clock
from sessions.context import UserExecutionContext
from sessions.contexts import Contexts
from sessions.errors import PoolTimeoutError
from sessions.settings import Settings
from sessions.storage.engine import (
    MakeEngine,
    WholeConnection,
    check_file,
    make_engine,
    set_limits,
)
from sessions.storage.lease import LEASE_SUFFIX, Lease
from sessions.storage.migration import migrate
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)

DEFAULT_URL = "sqlite+aiosqlite:///sessions.db"
Ts = TypeVarTuple("Ts")
Values: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """One in the line: handed its place through admitted, due at a clock second."""

    admitted: asyncio.Future[None]
    due_at_s: float


class Places:
    """A number of places, taken and given back; who comes first is served first."""

    def __init__(self, clock: Clock, size: int, timeout_s: float) -> None:
        self._clock = clock
        self._size = size
        self._timeout_s = timeout_s
        self._taken = 0
        self._line: deque[Waiter] = deque()

    @property
    def taken(self) -> int:
        """How many places are not free."""
        return self._taken

    async def take(self) -> None:
        """Take a place, or wait for one; raises PoolTimeoutError after timeout_s of waiting."""
        if self._taken < self._size:
            self._taken += 1
        else:
            await self._wait()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold a place for as long as a block runs; raises PoolTimeoutError."""
        await self.take()
        try:
            yield
        finally:
            self.give_back()

    def give_back(self) -> None:
        """Hand a place to the first who still waits for one, or leave it free."""
        while self._line:
            waiter = self._line.popleft()
            if not self._is_due(waiter):
                waiter.admitted.set_result(None)
                return
        self._taken -= 1

    async def _wait(self) -> None:
        admitted = asyncio.get_running_loop().create_future()
        waiter = Waiter(admitted, self._clock.now() + self._timeout_s)
        self._line.append(waiter)
        try:
            await asyncio.wait((admitted,), timeout=self._timeout_s)
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        if not admitted.done():
            self._leave(waiter)
            raise PoolTimeoutError(
                f"no place was free for {self._timeout_s} s, with {self._taken} of {self._size} "
                "taken; commit, roll back or close a session earlier"
            )

    def _leave(self, waiter: Waiter) -> None:
        """Leave the line, or give back the place that was handed over at the last moment."""
        if waiter.admitted.done():
            self.give_back()
        elif waiter in self._line:
            self._line.remove(waiter)

    def _is_due(self, waiter: Waiter) -> bool:
        return self._clock.now() >= waiter.due_at_s


class Database:
    """One engine, and the pool_size places that its transactions take.

    SQLite has one writer at a time, who would otherwise be found out by an error after a wait
    that no clock of ours knows; so writers on it take the one place of writers as well.
    schema is where PostgreSQL keeps the tables; None is its search path's first. Nothing is
    connected before the first statement, or open(), with which this process has the database for
    itself until close(). Raises ValueError for an in-memory SQLite,
    whose sessions would share one connection, and with it their transactions.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        url: str = DEFAULT_URL,
        schema: str | None = None,
        make_engine: MakeEngine = make_engine,
    ) -> None:
        parsed = make_url(url)
        self.places = Places(clock, settings.pool_size, settings.pool_timeout_s)
        self.writers: Places | None = None
        if parsed.get_backend_name() == "sqlite":
            check_file(parsed)
            self.writers = Places(clock, 1, settings.pool_timeout_s)
        lease_url = parsed
        if self.writers is not None:
            lease_url = parsed.set(database=f"{parsed.database}{LEASE_SUFFIX}")
        lease_engine, engine = make_engine(lease_url, 1), make_engine(parsed, settings.pool_size)
        for each in (lease_engine, engine):
            set_limits(each, settings)
        self._lease = Lease(lease_engine, schema)
        if self.writers is None:
            self._lease.watch(engine)
        if schema is not None:
            engine = engine.execution_options(schema_translate_map={None: schema})
        self.engine = engine

    async def open(self) -> None:
        """Take the lease, and make the tables, or bring them to this program's version.

        Raises DatabaseTakenError where another process serves the database, and TablesError.
        """
        await self._lease.take()
        try:
            async with self.transaction() as connection:
                await connection.run_sync(migrate)
        except BaseException:
            await self.close()
            raise

    async def keep_lease(self) -> None:
        """Be sure that no other process serves the database: before each transaction.

        Raises DatabaseTakenError, and what the database raises.
        """
        if self._lease.is_unsure:
            await self._lease.renew()

    async def close(self) -> None:
        """Close every connection that no session holds, and give back the lease."""
        await self.engine.dispose()
        await self._lease.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WholeConnection]:
        """Write without a context: committed at the end, rolled back if the body raised.

        Raises PoolTimeoutError.
        """
        await self.keep_lease()
        async with AsyncExitStack() as held:
            await held.enter_async_context(self.places.held())
            if self.writers is not None:
                await held.enter_async_context(self.writers.held())
            connection = WholeConnection(self.engine)
            held.push_async_callback(connection.close)
            yield connection
            await connection.commit()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[WholeConnection]:
        """Read without a context, which waits for no writer. Raises PoolTimeoutError."""
        await self.keep_lease()
        async with AsyncExitStack() as held:
            await held.enter_async_context(self.places.held())
            connection = WholeConnection(self.engine)
            held.push_async_callback(connection.close)
            yield connection


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
        self._connection: WholeConnection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._taken: list[Places] = []
        self._is_closed = False
        self._closing: asyncio.Task[None] | None = None  # if there was anything to undo
        self._needs_rollback = False

    @property
    def is_open(self) -> bool:
        return not self._is_closed

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
            # Before it is had, so that a caller who leaves meanwhile leaves it to close().
            self._connection = self._connection or WholeConnection(self._database.engine)
            return await self._connection.execute(statement, values)

    async def execute_alone(self, statement: Executable, values: Values) -> Result[Any]:
        """Run a statement that is a transaction of its own, in one exchange with the database.

        Raises what execute() and commit() raise, and InvalidRequestError within a transaction.
        """
        async with self._one_at_a_time:
            await self._take_places(writes=True)
            self._connection = self._connection or WholeConnection(self._database.engine)
            try:
                return await self._connection.execute_alone(statement, values)
            finally:
                await self._disconnect()

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
                if self._connection is not None:
                    await self._connection.commit()
            except BaseException:
                self._needs_rollback = True
                raise
            self._connection = None
            self._give_back()

    async def rollback(self) -> None:
        """Undo the transaction."""
        async with self._one_at_a_time:
            self._check_usable(to_roll_back=True)
            await self._disconnect()
            self._needs_rollback = False

    async def close(self) -> None:
        """Undo what was not committed, and end; a second close only waits for the first.

        Waits for a statement that is under way. A cancelled close goes on to its end.
        """
        if not self._is_closed:
            self._is_closed = True
            self._on_closed(self)
            if self._taken or self._one_at_a_time.locked():
                self._closing = self._tasks.start(self._close(), "close of a database session")
        if self._closing is not None:
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
            await self._disconnect()

    async def _disconnect(self) -> None:
        """Hand back the connection, which undoes what was not committed, and the places."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                await connection.close()
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
        if self._is_closed:
            raise RuntimeError(
                f"the database session of thread {self.context.thread_id!r} is closed; "
                "create another from the same context"
            )
        if self._needs_rollback and not to_roll_back:
            raise PendingRollbackError("a commit failed; roll back, or close the session")


@dataclass(frozen=True, slots=True)
class DatabaseGauges:
    """How many database sessions are open, and how many places of the pool are taken."""

    sessions_open: int
    places_taken: int


class RequestScopedSessionFactory:
    """Makes a database session for a context, under that context's ids and no others.

    Both ways to make one can be awaited, for an owner who closes it, or used as `async with`.
    """

    def __init__(self, database: Database, contexts: Contexts) -> None:
        self._database = database
        self._contexts = contexts
        self._tasks = Tasks()
        self._open: dict[RequestScopedSession, None] = {}
        self._sessions_open = 0

    def create_session_from_context(self, context: UserExecutionContext) -> RequestScopedSession:
        """Open a session of a context; it connects to nothing before its first statement."""
        logger.info("Creating session from existing context: %s", context.thread_id)
        session = RequestScopedSession(context, self._database, self._tasks, self._closed)
        self._open[session] = None
        self._sessions_open += 1
        return session

    def create_session(
        self, user_id: str, operation: str = "database_session"
    ) -> RequestScopedSession:
        """Get the context of a user's latest thread, or of a new one, and open its session.

        operation names the caller in the log, and is no part of any id. Raises
        InvalidContextError and SessionLimitError.
        """
        context = self._contexts.get_user_execution_context(user_id)
        logger.info("Getting context for %s: %s", operation, context.thread_id)
        return self.create_session_from_context(context)

    def of_connection(self, connection_id: str) -> list[RequestScopedSession]:
        """Return the open sessions that were awaited on a connection's contexts, to end with it.

        Those of an `async with` end with their block, such as that of a turn being stored.
        """
        return [session for session in self._open if self._is_of(session, connection_id)]

    async def close(self) -> None:
        """Close every session, and return when the last has given back its place."""
        await asyncio.gather(*(session.close() for session in list(self._open)))
        await self._tasks.ended()

    def gauges(self) -> DatabaseGauges:
        """Return how many are open and at work now."""
        return DatabaseGauges(self._sessions_open, self._database.places.taken)

    def _is_of(self, session: RequestScopedSession, connection_id: str) -> bool:
        return session.was_awaited and session.context.websocket_connection_id == connection_id

    def _closed(self, session: RequestScopedSession) -> None:
        del self._open[session]
        self._sessions_open -= 1
