"""What the payload of each type of message must be like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.queue.message import Priority

Rule: TypeAlias = Callable[[str, Json], Json]

TEXT_MAX = 32_768
REFERENCES_MAX = 100
# What no text can be stored or sent with (the contract, Messages).
FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload; a missing one that is not required has its default."""

    rule: Rule
    required: bool = False
    default: Json = None


def text(longest: int) -> Rule:
    """Return the rule of a text of 1 to so many characters, which is kept as it is given."""

    def check(name: str, value: Json) -> Json:
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise _refused(name, f"be a text of 1 to {longest:,} characters")
        if FORBIDDEN.search(value):
            raise _refused(name, "have no NUL and no lone surrogate")
        return value

    return check


def number(least: int, most: int) -> Rule:
    def check(name: str, value: Json) -> Json:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _refused(name, f"be a whole number from {least} to {most}")
        return value

    return check


def one_of(*choices: str) -> Rule:
    def check(name: str, value: Json) -> Json:
        if value not in choices:
            raise _refused(name, f"be one of {', '.join(choices)}")
        return value

    return check


def truth(name: str, value: Json) -> Json:
    if not isinstance(value, bool):
        raise _refused(name, "be true or false")
    return value


def texts(most: int, longest: int) -> Rule:
    each = text(longest)

    def check(name: str, value: Json) -> Json:
        if not isinstance(value, list) or len(value) > most:
            raise _refused(name, f"be a list of at most {most} texts")
        return [each(f"{name}[{index}]", item) for index, item in enumerate(value)]

    return check


SAYING = {
    "text": Field(text(TEXT_MAX), required=True),
    "references": Field(texts(REFERENCES_MAX, 1_000)),
}
# The types that wait in their thread's line, with the fields of their payloads.
PAYLOADS: Mapping[str, Mapping[str, Field]] = {
    "start_agent": {"user_request": Field(text(TEXT_MAX), required=True)},
    "user_message": SAYING,
    "chat": SAYING,
    "get_thread_history": {"limit": Field(number(1, 500), default=50)},
    "stop_agent": {},
    "ping": {},
    "subscribe_quality_alerts": {
        "action": Field(one_of("subscribe", "unsubscribe"), required=True)
    },
    "get_quality_metrics": {
        "agent_name": Field(text(100)),
        "period_hours": Field(number(1, 720), default=24),
    },
    "generate_quality_report": {
        "report_type": Field(one_of("summary", "detailed"), default="summary"),
        "period": Field(one_of("day", "week"), default="day"),
    },
    "validate_content": {
        "content": Field(text(TEXT_MAX), required=True),
        "content_type": Field(one_of("text", "markdown", "json"), default="text"),
        "strict_mode": Field(truth, default=False),
    },
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

    Further fields are left out. Raises BadMessageError (bad_payload).
    """
    if not isinstance(payload, dict):
        raise _refused("payload", "be an object")
    return {name: _value(field, name, payload) for name, field in PAYLOADS[kind].items()}


def _value(field: Field, name: str, payload: Mapping[str, Json]) -> Json:
    given = payload.get(name)
    if given is not None:
        return field.rule(name, given)
    if field.required:
        raise _refused(name, "be given")
    return field.default


def _refused(name: str, rule: str) -> BadMessageError:
    return BadMessageError("bad_payload", f"{name} must {rule}")
