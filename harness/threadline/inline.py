"""aiosqlite and anyio within a pump: what they do in threads runs at its call, on no thread."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import suppress
from contextvars import copy_context
from functools import partial, wraps
from typing import Any
from weakref import WeakSet, ref

from .pump import is_pumped, outlived_by, running_schedule
from .schedule import Answered

# aiosqlite is never imported here, so its connection has no type that could be named: Any.
MARK = "runs_inline_in_a_pump"


def inline_aiosqlite() -> None:
    """Make aiosqlite's connections that are opened within a pump run inline, and only those.

    Does nothing without aiosqlite, and nothing the second time: call it as often as you like. A
    connection that was opened on another loop keeps its thread, and cannot be used within a pump.
    One that was opened within a pump is refused a lock at once, because its holder cannot go on
    meanwhile; where operations overlap it can, and the statement waits for so many ticks.
    """
    connection = getattr(sys.modules.get("aiosqlite"), "Connection", None)
    if connection is None or MARK in vars(connection):
        return
    connection.__await__ = _opening(connection.__await__)
    connection.__del__ = _deleting(getattr(connection, "__del__", None))
    connection.iterdump = _dumping(connection.iterdump)
    if hasattr(connection, "stop"):  # since aiosqlite 0.22
        connection.stop = _stopping(connection.stop)
    setattr(connection, MARK, True)


def inline_anyio() -> None:
    """Make what anyio runs in a worker thread run inline within a pump, and only there.

    That is how Starlette and FastAPI call functions that are not asynchronous.
    """
    backend = getattr(sys.modules.get("anyio._backends._asyncio"), "AsyncIOBackend", None)
    if backend is None or MARK in vars(backend):
        return
    in_thread = backend.run_sync_in_worker_thread

    async def run_sync(function: Callable[..., Any], args: Any, *more: Any, **named: Any) -> Any:
        if not is_pumped():
            return await in_thread(function, args, *more, **named)
        work = partial(copy_context().run, function, *args)
        return await asyncio.get_running_loop().run_in_executor(None, work)

    backend.run_sync_in_worker_thread = run_sync
    setattr(backend, MARK, True)


def run_inline(connection: Any) -> None:
    """Make one connection of aiosqlite run inline on any loop; it must not be open yet."""
    inline_aiosqlite()
    connection._tx = _AtOnce(connection)
    connection._connector = partial(_open, connection._connector)


def cut(connection: Any) -> None:
    """Close an inline connection as it is; SQLite rolls back what was under way."""
    opened, connection._connection = connection._connection, None
    # The garbage collector may run in another thread, whose call sqlite3 refuses.
    with suppress(sqlite3.ProgrammingError):
        # First, as SQLite keeps the lock of a statement that somebody could still read from.
        for cursor in list(connection._tx.cursors):
            cursor.close()
        if opened is not None:
            opened.close()


class _AtOnce:
    """Replaces a connection's queue to its thread: runs what is put there, at once.

    All that aiosqlite and SQLAlchemy do with a database goes through this queue; what it raises
    is raised where it was put there.
    """

    was_opened = False

    def __init__(self, connection: Any) -> None:
        self.cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        self._connection = ref(connection)

    def put_nowait(self, work: Any) -> None:
        if isinstance(work, tuple):  # else it is aiosqlite 0.20's word to the thread to end
            future, function = work
            schedule = running_schedule()
            if schedule is None:
                future.set_result(self._done(function))
            else:
                done = partial(self._done, function)
                schedule.take(Answered(future, done, _is_busy), stream=self)

    def crash(self) -> None:
        """Close the connection as it is: its process has crashed."""
        connection = self._connection()
        if connection is not None:
            cut(connection)

    def _done(self, function: Callable[[], object]) -> object:
        value = function()
        if isinstance(value, sqlite3.Cursor):
            self.cursors.add(value)
        return value


def _is_busy(error: Exception) -> bool:
    """Return whether a statement has found its database locked: SQLite itself would wait."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_inline(connection: Any) -> bool:
    # A subclass may have no queue at all.
    return isinstance(getattr(connection, "_tx", None), _AtOnce)


def _opening(in_thread: Callable[[Any], Generator[Any, None, Any]]) -> Callable[[Any], Any]:
    @wraps(in_thread)
    def __await__(self: Any) -> Generator[Any, None, Any]:  # noqa: N807  # takes its place
        if not _is_inline(self):
            if not is_pumped():
                return in_thread(self)
            run_inline(self)
        outlived_by(self._tx)
        if self._tx.was_opened:
            raise RuntimeError("threads can only be started once")  # as a thread says
        self._tx.was_opened = True
        opening: Generator[Any, None, Any] = self._connect().__await__()
        return opening

    return __await__


def _open(connector: Callable[[], Any]) -> Any:
    opened = connector()
    # Who has a lock is in this thread: it would be waited for in real time, and in vain.
    opened.execute("PRAGMA busy_timeout = 0").close()
    return opened


def _stopping(in_thread: Callable[[Any], object]) -> Callable[[Any], object]:
    @wraps(in_thread)
    def stop(self: Any) -> object:
        if not _is_inline(self):
            return in_thread(self)
        cut(self)
        with suppress(RuntimeError):  # no loop runs: this is the garbage collector's call
            stopped = asyncio.get_running_loop().create_future()
            stopped.set_result(None)
            return stopped
        return None

    return stop


def _deleting(in_thread: Callable[[Any], None] | None) -> Callable[[Any], None]:
    def __del__(self: Any) -> None:  # noqa: N807  # takes its place
        if _is_inline(self):
            cut(self)  # there is no thread that it leaves behind, hence no warning
        elif in_thread is not None:
            in_thread(self)

    return __del__


def _dumping(in_thread: Callable[..., AsyncIterator[str]]) -> Callable[..., AsyncIterator[str]]:
    @wraps(in_thread)
    async def iterdump(self: Any, **options: Any) -> AsyncIterator[str]:
        if _is_inline(self):  # aiosqlite's own looks every 10 ms whether its thread has written
            for line in await self._execute(lambda: list(self._conn.iterdump(**options))):
                yield line
        else:
            async for line in in_thread(self, **options):
                yield line

    return iterdump
