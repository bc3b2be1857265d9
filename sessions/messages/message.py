"""A message: how urgent each kind is, what it must be like, and what is kept of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from sessions.context import UserExecutionContext, check_optional_id
from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.registry import Visit
from sessions.storage.tables import Begun

HISTORY_TURNS_MAX = 20  # that an agent is shown; our choice
TEXT_MAX = 32_768
REFERENCES_MAX = 100
IDS = ("thread_id", "run_id", "message_id")


class Priority(IntEnum):
    """How urgent a message is; the smaller number goes first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class Message:
    """What a user sent, with the context that it came with, which it keeps to the end.

    payload: by field, checked; a copy, as its sender may go on with it. asker: the connection or
    the HTTP request that waits for answers.
    session_number: that of the session that accepted it, with which it ends. used: its place in the
    order of all gets and messages.
    """

    context: UserExecutionContext
    kind: str
    payload: Mapping[str, Json]
    session_number: int
    used: int = 0
    message_id: str | None = None
    asker: str | None = None
    priority: Priority = Priority.NORMAL
    key: IsolationKey = field(init=False)

    def __post_init__(self) -> None:
        key = IsolationKey(self.context.user_id, self.context.thread_id)
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "payload", copy.deepcopy(dict(self.payload)))


@dataclass(slots=True, eq=False)
class Queued:
    """A message in the queue: its number in the order of arrival, and how often it failed."""

    message: Message
    arrival: int
    failures: int = 0
    begun: Begun | None = None


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "String should have no NUL")
    return value


# What no text can be stored with (the contract, Messages); pydantic itself takes no lone surrogate.
_NO_NUL = AfterValidator(_without_nul)
_SHOWN: JsonDict = {"pattern": r"^[^\u0000]+$"}
Text: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=TEXT_MAX, json_schema_extra=_SHOWN), _NO_NUL
]
Reference: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=1_000, json_schema_extra=_SHOWN), _NO_NUL
]
AgentName: TypeAlias = Annotated[str, Field(min_length=1, max_length=100), _NO_NUL]


class Payload(BaseModel):
    """No value is changed to fit, null means absent, and further fields are left out."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value is not None}


class StartAgent(Payload):
    """A request to the agent."""

    user_request: Text


class Saying(Payload):
    """What a user says to the agent, with what it is about."""

    text: Text
    references: list[Reference] | None = Field(None, max_length=REFERENCES_MAX)


class GetThreadHistory(Payload):
    """How many of the latest turns to show."""

    limit: int = Field(50, ge=1, le=500)


class SubscribeQualityAlerts(Payload):
    """Whether the thread is to hear of alerts."""

    action: Literal["subscribe", "unsubscribe"]


class GetQualityMetrics(Payload):
    """Of which agent, and of how many hours back from now."""

    agent_name: AgentName | None = None
    period_hours: int = Field(24, ge=1, le=720)


class GenerateQualityReport(Payload):
    """How detailed, and of how long a time back from now."""

    report_type: Literal["summary", "detailed"] = "summary"
    period: Literal["day", "week"] = "day"


class ValidateContent(Payload):
    """A text to score, and by which rules."""

    content: Text
    content_type: Literal["text", "markdown", "json"] = "text"
    strict_mode: bool = False


# The types of messages; all but ping and stop_agent wait in their thread's line.
PAYLOADS: Mapping[str, type[Payload]] = {
    "start_agent": StartAgent,
    "user_message": Saying,
    "chat": Saying,
    "get_thread_history": GetThreadHistory,
    "stop_agent": Payload,
    "ping": Payload,
    "subscribe_quality_alerts": SubscribeQualityAlerts,
    "get_quality_metrics": GetQualityMetrics,
    "generate_quality_report": GenerateQualityReport,
    "validate_content": ValidateContent,
}
QUALITY = (
    "subscribe_quality_alerts",
    "get_quality_metrics",
    "generate_quality_report",
    "validate_content",
)
# The requests that the agent answers, and in which field each says what is asked.
TEXT_FIELDS = {"start_agent": "user_request", "user_message": "text", "chat": "text"}
AGENT_REQUESTS = tuple(TEXT_FIELDS)
# Reads go before runs of agents, which take long, and quality waits for both; our choice.
PRIORITIES = {"get_thread_history": Priority.HIGH} | dict.fromkeys(QUALITY, Priority.LOW)


def checked(kind: str, payload: Json) -> dict[str, Json]:
    """Return the fields of a payload, with defaults for what is absent or null.

    Further fields are left out. Raises BadMessageError (bad_payload), which names the first field
    that breaks a rule.
    """
    if not isinstance(payload, dict):
        raise BadMessageError("bad_payload", "payload: Input should be an object")
    try:
        return PAYLOADS[kind].model_validate(payload).model_dump()
    except ValidationError as error:
        # What was given may be long, and is not shown.
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise BadMessageError("bad_payload", f"{field}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that keeps every rule, and has no context yet; None for the ids that it lacks."""

    kind: str
    payload: Mapping[str, Json]
    thread_id: str | None
    run_id: str | None
    message_id: str | None

    def accepted(self, visit: Visit, asker: str | None) -> Message:
        """Return the message of a session that has taken note of it."""
        return Message(
            visit.context,
            self.kind,
            self.payload,
            visit.number,
            visit.used,
            self.message_id,
            asker,
            PRIORITIES.get(self.kind, Priority.NORMAL),
        )


def draft_from(data: str | bytes, bytes_max: int) -> Draft:
    """Return the message that a frame holds; raises RefusedError for the first rule it breaks."""
    envelope = parsed(data, bytes_max)
    return draft_of(kind_of(envelope), envelope)


def parsed(data: str | bytes, bytes_max: int) -> dict[str, Json]:
    """Return the object that a frame holds; raises BadMessageError (too_large, bad_json)."""
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if len(raw) > bytes_max:
        raise BadMessageError("too_large", f"a message has at most {bytes_max:,} bytes")
    try:
        found: Any = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("bad_json", f"the message is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadMessageError("bad_json", "the message must be a JSON object")
    return found


def kind_of(envelope: Mapping[str, Json]) -> str:
    """Return the type of a message; raises BadMessageError (bad_type)."""
    kind = envelope.get("type")
    if not isinstance(kind, str) or kind not in PAYLOADS:
        known = ", ".join(sorted(PAYLOADS))
        raise BadMessageError("bad_type", f"type must be one of {known}")
    return kind


def draft_of(kind: str, envelope: Mapping[str, Json]) -> Draft:
    """Check the payload and the ids of a message; raises RefusedError.

    Each id is the envelope's own, or else that in its payload. Absent, null and empty all mean that
    there is none.
    """
    payload = envelope.get("payload")
    payload = {} if payload is None else payload
    fields = checked(kind, payload)
    ids = []
    for name in IDS:
        given = envelope.get(name)
        if (given is None or given == "") and isinstance(payload, dict):
            given = payload.get(name)
        check_optional_id(name, given)
        ids.append(given if isinstance(given, str) and given else None)
    return Draft(kind, fields, *ids)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
