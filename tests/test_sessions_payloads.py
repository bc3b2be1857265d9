"""What is said of a payload that breaks a rule, and what is kept of one that does not."""

from __future__ import annotations

import pytest

from sessions.errors import BadMessageError
from sessions.event import Json
from sessions.messages.message import REFERENCES_MAX, TEXT_MAX, checked


@pytest.mark.parametrize(
    ("kind", "payload", "told"),
    [
        ("chat", {}, "text: Field required"),
        ("chat", {"text": None}, "text: Field required"),
        ("chat", {"text": "x" * (TEXT_MAX + 1)}, "at most 32768 characters"),
        ("chat", {"text": "secret\0"}, "text: String should have no NUL"),
        ("chat", {"text": "a", "references": ["b", None]}, "references.1: Input should be a valid"),
        ("chat", {"text": "a", "references": [""]}, "references.0: String should have at least 1"),
        ("chat", {"text": "a", "references": ["b"] * (REFERENCES_MAX + 1)}, "at most 100 items"),
        ("get_thread_history", {"limit": 1.0}, "limit: Input should be a valid integer"),
        ("get_thread_history", {"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ("get_quality_metrics", {"agent_name": ""}, "agent_name: String should have at least 1"),
        ("validate_content", {"content": "a", "strict_mode": 1}, "strict_mode: Input should be a"),
        ("generate_quality_report", {"period": "year"}, "period: Input should be 'day' or 'week'"),
        ("ping", [], "payload: Input should be an object"),
    ],
)
def test_a_broken_rule_is_told_by_field(kind: str, payload: Json, told: str) -> None:
    """The first field that breaks a rule is named with what it should be, and never what it is."""
    with pytest.raises(BadMessageError) as refused:
        checked(kind, payload)

    assert refused.value.code == "bad_payload"
    assert told in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "payload", "kept"),
    [
        ("chat", {"text": " \n", "x": 1}, {"text": " \n", "references": None}),
        ("chat", {"text": "\U0001f9f5" * TEXT_MAX}, {"text": "\U0001f9f5" * TEXT_MAX}),
        ("get_thread_history", {"limit": None}, {"limit": 50}),
        ("get_thread_history", {"limit": 500}, {"limit": 500}),
        ("stop_agent", {"text": "a"}, {}),
    ],
)
def test_a_good_payload_is_kept_as_it_is(kind: str, payload: Json, kept: dict[str, Json]) -> None:
    """Nothing is trimmed or converted; null and absence are the default; the rest is left out."""
    assert kept.items() <= checked(kind, payload).items()
    assert "x" not in checked(kind, payload)
