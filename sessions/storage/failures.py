"""What went wrong with the database, how often, and whether it can be written to now."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import false, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sessions.errors import PoolTimeoutError
from sessions.storage.database import Database
from sessions.storage.lease import DatabaseTakenError
from sessions.storage.migration import VERSIONS
from sessions.storage.tables import THREADS
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)

# What a database driver lets through for a server that is not there is an OSError.
STORAGE_ERRORS = (SQLAlchemyError, OSError, DatabaseTakenError)
# The same, and that the pool had no place.
UNSTORED = (PoolTimeoutError, *STORAGE_ERRORS)
# By the name of SQLite's result code, or its beginning (sqlite.org/rescode.html), and by
# PostgreSQL's SQLSTATE, or its class (Appendix A of its manual).
KINDS_OF_CODES = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR_SHMSIZE": "full",  # no space for the index of the write-ahead log
    "SQLITE_CANTOPEN": "unreachable",
    "55P03": "locked",
    "57014": "timeout",
    "53100": "full",
    "53": "unreachable",
    "57P": "unreachable",
    "28": "unreachable",
    "3D": "unreachable",
    "08": "unreachable",
}
KINDS = ("pool_timeout", "timeout", "locked", "full", "unreachable", "other")


# Their messages have the values that were refused: what a user said (SQLSTATE, class 22).
TELLING = "22"
# Together they need all that a write needs, space too, and leave everything as it is.
WRITES = (
    update(THREADS).where(false()).values(ended=True),
    update(VERSIONS).values(version_num=VERSIONS.c.version_num),
)


class StorageErrors:
    """Takes note of each storage error, once: where it is told to whoever has to bear it."""

    def __init__(self) -> None:
        self._counts = Counter(dict.fromkeys(KINDS, 0))

    def note(
        self, error: Exception, what: str, user_id: str | None = None, thread_id: str | None = None
    ) -> None:
        """Log in one line what could not be done, for whom, and why; and count it by its kind."""
        kind = kind_of(error)
        self._counts[kind] += 1
        whom = "".join(
            f", {name} {value!r}"
            for name, value in (("user", user_id), ("thread", thread_id))
            if value is not None
        )
        logger.error("storage error (%s) in %s%s: %s", kind, what, whom, why(error))

    def counts(self) -> Mapping[str, int]:
        """Return how many there were of each kind, in the order of KINDS."""
        return dict(self._counts)


def why(error: Exception) -> str:
    """Return in one line what a database says of an error, without any value of a statement.

    Never empty: what has no words of its own is told by the name of its class.
    """
    if isinstance(error, TimeoutError):
        return "no answer in time"
    told = error.orig if isinstance(error, DBAPIError) and error.orig else error
    code = _code_of(error)
    is_safe = (bool(code) and not code.startswith(TELLING)) or isinstance(
        error, OSError | PoolTimeoutError | DatabaseTakenError
    )
    words = str(told).strip().partition("\n")[0] if is_safe else ""
    name = type(told).__name__
    return " ".join(filter(None, (code, words))) or name


def kind_of(error: Exception) -> str:
    """Return the kind of a storage error, one of KINDS.

    pool_timeout: no place of the pool came free; timeout: the database did not answer in time;
    locked: another process holds it; full: it has no space left; unreachable: there is none, or it
    lets nobody in.
    """
    if isinstance(error, PoolTimeoutError):
        return "pool_timeout"
    if isinstance(error, DatabaseTakenError):
        return "locked"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError):
        return "unreachable"
    code = _code_of(error)
    found = (kind for start, kind in KINDS_OF_CODES.items() if code.startswith(start))
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return next(found, "unreachable" if is_lost else "other")


def _code_of(error: Exception) -> str:
    """Return the code by which a database named an error, or nothing."""
    told = error.orig if isinstance(error, DBAPIError) else None
    named = getattr(told, "sqlite_errorname", None) or getattr(told, "sqlstate", None)
    return named if isinstance(named, str) else ""


class Readiness:
    """Asks the database, one question at a time, however many want to know."""

    def __init__(
        self, database: Database, tasks: Tasks, timeout_s: float, storage_errors: StorageErrors
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._timeout_s = timeout_s
        self._storage_errors = storage_errors
        self._asking: asyncio.Task[None] | None = None
        self._found: str | None = None

    async def problem(self) -> str | None:
        """Return why nothing can be stored, as a kind of storage error, or None if it can.

        Takes at most timeout_s; a question that takes longer goes on, and is not asked again
        meanwhile.
        """
        if self._asking is None or self._asking.done():
            self._asking = self._tasks.start(self._ask(), "question whether the database is ready")
        done, _ = await asyncio.wait((self._asking,), timeout=self._timeout_s)
        return self._found if done else "timeout"

    async def _ask(self) -> None:
        self._found = None
        try:
            async with self._database.transaction() as connection:
                for write in WRITES:
                    await connection.execute(write)
        except UNSTORED as error:
            self._storage_errors.note(error, "the question whether it is ready")
            self._found = kind_of(error)
