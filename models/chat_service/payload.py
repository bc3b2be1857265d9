"""Which fields a frame may have, and what each must be (the contract, Messages)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from models.chat_service.agents import WELL
from models.session_manager.ids import Id, refused_ids

Rule = Callable[[object], bool]
TEXT_MAX, AGENT_NAME_MAX = 32_768, 100


@dataclass(frozen=True, slots=True)
class Frame:
    """A message as it was sent; None is what it does not say. agent: how its agent behaves."""

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)
    thread: Id | None = None
    run: Id | None = None
    message: Id | None = None
    agent: str = WELL

    def flaw(self) -> str:
        """Return the code for what is wrong with the payload or else the ids, if anything is."""
        rules = RULES[self.kind]
        given = {name: value for name, value in self.fields.items() if value is not None}
        missing = REQUIRED.get(self.kind, set()) - given.keys()
        if missing or not all(rules[name](value) for name, value in given.items()):
            return "bad_payload"
        ids = {"thread": self.thread, "run": self.run, "message": self.message}
        return "bad_id" if refused_ids("anybody", **ids) else ""

    def get(self, name: str, default: object = None) -> object:
        found = self.fields.get(name)
        return default if found is None else found


def _text(length_max: int) -> Rule:
    return lambda value: (
        isinstance(value, str)
        and 1 <= len(value) <= length_max
        and "\0" not in value
        and all(unicodedata.category(character) != "Cs" for character in value)
    )


def _whole(most: int) -> Rule:
    return lambda value: type(value) is int and 1 <= value <= most


def _one_of(*words: object) -> Rule:
    return lambda value: value in words


_LIMIT = _whole(500)
RULES: dict[str, dict[str, Rule]] = {
    "start_agent": {"user_request": _text(TEXT_MAX)},
    "user_message": {
        "text": _text(TEXT_MAX),
        "references": lambda value: (
            isinstance(value, list) and len(value) <= 100 and all(map(_text(1_000), value))
        ),
    },
    "get_thread_history": {"limit": _LIMIT},
    "stop_agent": {},
    "ping": {},
    "subscribe_quality_alerts": {"action": _one_of("subscribe", "unsubscribe")},
    "get_quality_metrics": {"agent_name": _text(AGENT_NAME_MAX), "period_hours": _whole(720)},
    "generate_quality_report": {
        "report_type": _one_of("summary", "detailed"),
        "period": _one_of("day", "week"),
    },
    "validate_content": {
        "content": _text(TEXT_MAX),
        "content_type": _one_of("text", "markdown", "json"),
        "strict_mode": lambda value: type(value) is bool,
    },
}
REQUIRED = {
    "start_agent": {"user_request"},
    "user_message": {"text"},
    "subscribe_quality_alerts": {"action"},
    "validate_content": {"content"},
}
