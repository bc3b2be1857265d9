"""What the payload of each type of message must be like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.queue.message import Priority

TEXT_MAX = 32_768
REFERENCES_MAX = 100


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
