"""What the app says of its routes in its OpenAPI; the routes check it, not the framework."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field, WithJsonSchema

from sessions.context import ID_LENGTH_MAX, PLACEHOLDERS
from sessions.messages.message import GetThreadHistory, Saying
from sessions.routes import STATUS
from sessions.storage.failures import KINDS
from sessions.web.responses import JSON_LINES

# As sessions.context has it: no control character, not blank, and nobody's stand-in.
_STAND_INS = "|".join(
    "".join(f"[{letter}{letter.upper()}]" for letter in word) for word in sorted(PLACEHOLDERS)
)
ID_PATTERN = rf"^(?!\s*({_STAND_INS})?\s*$)[^\u0000-\u001f\u007f-\u009f]+$"
_ID: dict[str, Any] = {"type": "string", "maxLength": ID_LENGTH_MAX, "pattern": ID_PATTERN}
_NO_ID: list[dict[str, Any]] = [{"type": "string", "maxLength": 0}, {"type": "null"}]
OptionalId = Annotated[str | None, WithJsonSchema({"anyOf": [_ID, *_NO_ID]})]
# It only tells of the token, which sessions.web.requests looks at.
SECURITY = Security(HTTPBearer(auto_error=False, scheme_name="bearer"))


class Refusal(BaseModel):
    """Why a request was refused."""

    code: str
    message: str
    thread_id: str | None


class Asked(Saying):
    """What a user asks, and on which thread: no id, or an empty one, is for the latest."""

    thread_id: OptionalId = None
    run_id: OptionalId = None
    message_id: OptionalId = None
    user_id: str | None = Field(None, description="the token's user, or left out")


class Answered(BaseModel):
    """The agent's reply, and the position of its turn."""

    thread_id: str
    run_id: str
    message_id: str | None
    response: str
    position: int


class AlreadyHandled(BaseModel):
    """Where the turn is that a message of this message_id became before, and its answer.

    One that failed or was stopped has no answer.
    """

    thread_id: str
    run_id: str
    message_id: str
    already_handled: bool
    position: int
    answer_position: int | None = None
    response: str | None = None


class ListedThread(BaseModel):
    """One stored conversation; its time is in seconds since the epoch."""

    thread_id: str
    last_active_at_s: float


class Threads(BaseModel):
    """A user's conversations, that of the last message first."""

    threads: list[ListedThread]


class ShownTurn(BaseModel):
    """One turn; its time is in seconds since the epoch."""

    position: int
    role: str
    text: str
    message_id: str | None
    run_id: str
    at_s: float


class Turns(BaseModel):
    """The latest turns of a thread, oldest first."""

    thread_id: str
    turns: list[ShownTurn]


class DeletedThread(BaseModel):
    """Whether there was anything of the thread."""

    thread_id: str
    deleted: bool


class EndedSessions(BaseModel):
    """How many live sessions were ended."""

    ended: int


class Health(BaseModel):
    """That the service answers."""

    status: str


class Ready(BaseModel):
    """That the database can be written to."""

    status: str


class Unready(BaseModel):
    """Why the database cannot be written to: a kind of storage error."""

    status: str
    reason: str


def _query(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


def _refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the responses by which a route may refuse, with the codes that each can have."""
    statuses: dict[int, list[str]] = {}
    for code in ("unauthorized", *codes):
        statuses.setdefault(STATUS[code], []).append(code)
    return {
        status: {"model": Refusal, "description": ", ".join(named)}
        for status, named in statuses.items()
    }


def _route(model: Any, refusals: dict[int | str, dict[str, Any]], **extra: Any) -> dict[str, Any]:
    return {
        "response_model": model,
        "responses": refusals,
        "dependencies": [SECURITY],
        "openapi_extra": extra,
    }


_REQUEST = {
    "required": True,
    "content": {"application/json": {"schema": Asked.model_json_schema()}},
}
_ADMISSION = (
    "bad_json",
    "bad_payload",
    "bad_id",
    "too_large",
    "session_limit",
    "queue_full",
)
_STORAGE = ("pool_timeout", "storage_error")
_THREAD_ID = _query("thread_id", _ID, required=True)
_LIMIT = _query(
    "limit", GetThreadHistory.model_json_schema()["properties"]["limit"], required=False
)

ASK = _route(
    Answered | AlreadyHandled,
    _refusals(*_ADMISSION, *_STORAGE, "agent_failed", "agent_timeout", "nothing_to_stop"),
    requestBody=_REQUEST,
)
ASK_STREAMING = _route(None, _refusals(*_ADMISSION), requestBody=_REQUEST)
ASK_STREAMING["responses"][200] = {
    "description": "the events of the request, each a line of JSON",
    "content": {JSON_LINES: {"schema": {"type": "string"}}},
}
THREADS = _route(Threads, _refusals(*_STORAGE))
MESSAGES = _route(
    Turns, _refusals("bad_id", "bad_payload", *_STORAGE), parameters=[_THREAD_ID, _LIMIT]
)
DELETE_THREAD = _route(DeletedThread, _refusals("bad_id", *_STORAGE), parameters=[_THREAD_ID])
DELETE_SESSIONS = _route(EndedSessions, _refusals(*_STORAGE))
READY: dict[str, Any] = {
    "response_model": Ready,
    "responses": {503: {"model": Unready, "description": ", ".join(KINDS)}},
}
METRICS: dict[str, Any] = {
    "responses": {
        200: {
            "description": "the counts",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
}
