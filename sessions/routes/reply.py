"""The answer to an HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sessions.event import Json
from sessions.messages.error_codes import code_of, told

STATUS = {
    "bad_json": 400,
    "bad_type": 422,
    "bad_payload": 422,
    "bad_id": 422,
    "too_large": 413,
    "unauthorized": 401,
    "session_limit": 429,
    "manager_limit": 429,
    "pool_timeout": 503,
    "queue_full": 503,
    "storage_error": 503,
    "agent_failed": 502,
    "agent_timeout": 504,
    "nothing_to_stop": 409,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A status (RFC 9110, section 15) and a JSON object."""

    status: int
    body: Mapping[str, Json]


def refusal(error: Exception, thread_id: str | None = None) -> Reply:
    """Return what tells of an error; raises it again if it has no code."""
    code = code_of(error)
    if code is None:
        raise error
    return Reply(STATUS[code], {"code": code, "message": told(error), "thread_id": thread_id})
