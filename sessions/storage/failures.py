"""What went wrong with the database: its kind, a line of the log, and how often."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sessions.errors import PoolTimeoutError
from sessions.storage.lease import DatabaseTakenError

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
