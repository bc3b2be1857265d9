"""Which code a user is told when something was refused or went wrong."""

from __future__ import annotations

from sessions.errors import (
    AgentFailedError,
    AgentTimeoutError,
    BadMessageError,
    ConnectionTakenError,
    InvalidContextError,
    ManagerLimitError,
    PoolTimeoutError,
    QueueFullError,
    SessionLimitError,
)
from sessions.storage.failures import STORAGE_ERRORS

CODES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((InvalidContextError, ConnectionTakenError), "bad_id"),
    (SessionLimitError, "session_limit"),
    (ManagerLimitError, "manager_limit"),
    (PoolTimeoutError, "pool_timeout"),
    (QueueFullError, "queue_full"),
    (AgentTimeoutError, "agent_timeout"),
    (AgentFailedError, "agent_failed"),
    (STORAGE_ERRORS, "storage_error"),
)


def code_of(error: Exception) -> str | None:
    """Return the code of the contract's closed list (Messages), or None for what has none."""
    if isinstance(error, BadMessageError):
        return error.code
    return next((code for kinds, code in CODES if isinstance(error, kinds)), None)


def told(error: Exception) -> str:
    """Return what a user may read of an error: nothing of a database's own words."""
    if isinstance(error, STORAGE_ERRORS):
        return "the conversation could not be stored or read; send it again later"
    return str(error)
