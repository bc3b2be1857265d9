"""What went wrong with the database, by kind."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sessions.errors import PoolTimeoutError

# What a database driver lets through for a server that is not there is an OSError.
STORAGE_ERRORS = (SQLAlchemyError, OSError)
# By the name of SQLite's result code, or its beginning (sqlite.org/rescode.html), and by
# PostgreSQL's SQLSTATE, or its class (Appendix A of its manual).
KINDS_OF_CODES = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_FULL": "full",
    "SQLITE_CANTOPEN": "unreachable",
    "55P03": "locked",
    "57014": "timeout",
    "53100": "full",
    "53": "unreachable",
    "57P": "unreachable",
    "08": "unreachable",
}
KINDS = ("pool_timeout", "timeout", "locked", "full", "unreachable", "other")


def kind_of(error: Exception) -> str:
    """Return the kind of a storage error, one of KINDS.

    pool_timeout: no place of the pool came free; timeout: the database did not answer in time;
    locked: another process holds it; full: it has no space left; unreachable: there is none.
    """
    if isinstance(error, PoolTimeoutError):
        return "pool_timeout"
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
