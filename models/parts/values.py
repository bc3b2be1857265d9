"""What parts are called with, by words: values that are made anew for each call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

BAD_JSON, BAD_TYPE, BAD_PAYLOAD = "bad_json", "bad_type", "bad_payload"


class Frame(NamedTuple):
    """What is sent, its size in bytes, and what comes of it: an object, or a code and a word."""

    data: str | bytes
    size_bytes: int
    found: Mapping[str, object] | None
    code: str = ""
    says: str = ""


def _frame(data: str | bytes, code: str = "", says: str = "") -> Frame:
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    return Frame(data, len(raw), None if code else json.loads(raw), code, says)


FRAMES: dict[str, Frame] = {
    "letters": _frame('{"a": "bc"}'),
    "bytes": _frame(b'{"a": "bc"}'),
    "accents": _frame('{"a": "\u00e9\u00e9\u00e9\u00e9"}'),
    "accents as bytes": _frame('{"a": "\u20ac\U0001f9f5"}'.encode()),
    "white space": _frame(' {"a" : " b " } '),
    "empty object": _frame("{}"),
    "nothing": _frame("", BAD_JSON),
    "half": _frame('{"a": ', BAD_JSON),
    "a list": _frame('[{"a": 1}]', BAD_JSON, "object"),
    "a number": _frame("1", BAD_JSON, "object"),
    "null": _frame("null", BAD_JSON, "object"),
    "not a number": _frame('{"a": NaN}', BAD_JSON, "NaN"),
    "infinity": _frame('{"a": -Infinity}', BAD_JSON, "-Infinity"),
    "no UTF-8": _frame(b'{"a": "\xff"}', BAD_JSON),
    "a surrogate": _frame('{"a": "\ud800"}', BAD_JSON),
    "too deep": _frame("[" * 100_000, BAD_JSON),
}


class Payload(NamedTuple):
    """A kind of message and its payload; what is kept of it, or how the error begins."""

    kind: str
    payload: object
    kept: Mapping[str, object] | None
    says: str = ""


def _good(kind: str, given: object, **kept: object) -> Payload:
    return Payload(kind, given, kept)


def _bad(kind: str, given: object, says: str) -> Payload:
    return Payload(kind, given, None, says)


def _text(kind: str, name: str, most: int, **others: object) -> dict[str, Payload]:
    """Return what a text is tried with, which may have so many characters."""
    given = {name: value for name, value in others.items() if value is not None}
    good = ("x", "x" * most, "\U0001f9f5" * most, " \n", " x ", "null", "x" * (most - 1))
    bad = ("", "x" * (most + 1), "a\0b", "a\ud800", 7, ["x"])
    tried = {
        f"{kind}: a good {name}, {number}": _good(kind, {name: value, **given}, **{name: value})
        for number, value in enumerate(good)
    }
    for number, value in enumerate(bad):
        says = f"{name}: String should have no NUL" if value == "a\0b" else f"{name}: "
        tried[f"{kind}: a bad {name}, {number}"] = _bad(kind, {name: value, **given}, says)
    return tried


def _whole(kind: str, name: str, most: int, default: int) -> dict[str, Payload]:
    tried = {
        f"{kind}: a good {name}, {value}": _good(kind, {name: value}, **{name: value or default})
        for value in (1, 2, most - 1, most, None)
    }
    for number, value in enumerate((0, -1, most + 1, 1.0, True, "1")):
        tried[f"{kind}: a bad {name}, {number}"] = _bad(kind, {name: value}, f"{name}: ")
    return tried


def _word(kind: str, name: str, good: tuple[object, ...], **others: object) -> dict[str, Payload]:
    tried = {
        f"{kind}: {name} {value}": _good(kind, {name: value, **others}, **{name: value})
        for value in good
    }
    for number, value in enumerate(("strange", "", 1, ["text"])):
        tried[f"{kind}: a bad {name}, {number}"] = _bad(kind, {name: value, **others}, f"{name}: ")
    return tried


PAYLOADS: dict[str, Payload] = {
    **_text("start_agent", "user_request", 32_768),
    **_text("user_message", "text", 32_768),
    **_text("chat", "text", 32_768),
    **_text("validate_content", "content", 32_768),
    **_text("get_quality_metrics", "agent_name", 100),
    **_whole("get_thread_history", "limit", 500, 50),
    **_whole("get_quality_metrics", "period_hours", 720, 24),
    **_word("subscribe_quality_alerts", "action", ("subscribe", "unsubscribe")),
    **_word("generate_quality_report", "report_type", ("summary", "detailed")),
    **_word("generate_quality_report", "period", ("day", "week")),
    **_word("validate_content", "content_type", ("text", "markdown", "json"), content="x"),
    "strict": _good(
        "validate_content", {"content": "x", "strict_mode": True}, content="x", strict_mode=True
    ),
    "strict 1": _bad("validate_content", {"content": "x", "strict_mode": 1}, "strict_mode: "),
    "defaults": _good(
        "generate_quality_report", {"period": None}, report_type="summary", period="day"
    ),
    "defaults of a content": _good(
        "validate_content", {"content": "x"}, content_type="text", strict_mode=False
    ),
    "references": _good("chat", {"text": "x", "references": ["a", "b"]}, references=["a", "b"]),
    "no references": _good("chat", {"text": "x"}, references=None),
    "empty references": _good("chat", {"text": "x", "references": []}, references=[]),
    "most references": _good(
        "chat", {"text": "x", "references": ["a"] * 100}, references=["a"] * 100
    ),
    "a long reference": _good(
        "chat", {"text": "x", "references": ["a" * 1_000]}, references=["a" * 1_000]
    ),
    "too many references": _bad("chat", {"text": "x", "references": ["a"] * 101}, "references: "),
    "too long a reference": _bad(
        "chat", {"text": "x", "references": ["b", "a" * 1_001]}, "references.1: "
    ),
    "an empty reference": _bad("chat", {"text": "x", "references": [""]}, "references.0: "),
    "further fields": _good("ping", {"text": 1, "b": [2]}),
    "two flaws": _bad("validate_content", {"content": "", "strict_mode": 2}, "content: "),
    "no object": _bad("ping", [], "payload: "),
    "no field": _bad("chat", {}, "text: "),
    "null": _bad("chat", {"text": None}, "text: "),
    "a null reference": _bad("chat", {"text": "x", "references": [None]}, "references.0: "),
}

# The fields of an event of ana's thread t, some of which have the name of what every event has.
EVENTS: dict[str, Mapping[str, object]] = {
    "nothing": {},
    "letters": {"text": "bc"},
    "accents": {"text": "\u00e9\u20ac\U0001f9f5"},
    "another thread": {"text": "x", "thread_id": "u"},
    "another type": {"type": "ping", "message_id": "m"},
    "another run": {"run_id": None, "event_id": ""},
    "to any depth": {"a": [{"b": [1, {}]}], "c": {"d": None}},
}

# As long as a rule asks for, one less and one more; with white space around; and strange ones.
CONTENTS: dict[str, str] = {
    **{f"{n} letters": "aB" * (n // 2) + "c" * (n % 2) for n in (1, 9, 10, 11, 39, 40, 41)},
    **{f"{n} letters and spaces": f"  {'a' * n}\n" for n in (7, 9, 10, 39, 40)},
    "shouting": "SHOUTING ALOUD",
    "digits": "0123456789012",
    "half shouting": "SHOUTING aLOUD",
    "short shouting": "NO",
    "a placeholder": "what is ToDo here",
    "the other placeholder": "Lorem Ipsum dolor",
    "all at once": "TODO",
    "an object": '{"a": [1, 2, 3]}',
    "half an object": '{"a": [1, 2, 3]',
    "too deep": "[" * 100_000,
}
