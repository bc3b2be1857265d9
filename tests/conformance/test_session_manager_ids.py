"""The model's rules for ids, by the contract's Identifiers and Context."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from models.session_manager.ids import broken_rule, made_ms
from tests.conformance.talks import ManagerTalk, value

TALK = ManagerTalk


@pytest.mark.parametrize(
    "value",
    ["x", "x" * 256, " t", "default", "a:b_c d", "\u00e9", "e\u0301", "nullable", Handle("t", 1)],
)
def test_takes_any_id_that_breaks_no_rule(value: object) -> None:
    """
    Separators, white space, any Unicode and 256 characters are good.
    """
    assert broken_rule(value) == ""


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (7, "is no string"),
        ("", "is blank"),
        (" \t", "is blank"),
        ("x" * 257, "has 257 characters, limit 256"),
        ("a\x00", "has a control character or a lone surrogate"),
        ("a\x85b", "has a control character or a lone surrogate"),
        ("a\ud800", "has a control character or a lone surrogate"),
        (" Null ", "is a placeholder"),
        ("TODO", "is a placeholder"),
    ],
)
def test_refuses_an_id_that_breaks_a_rule(value: object, rule: str) -> None:
    """
    Each rule of the contract refuses what breaks it.
    """
    assert broken_rule(value) == rule


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("id_1700000000000_1", 1_700_000_000_000),
        ("a_b_1700000000000_12_0f", 1_700_000_000_000),
        ("1700000000000_1600000000000_3", 1_600_000_000_000),
        ("x_1600000000000_1700000000000_12", 1_700_000_000_000),
    ],
)
def test_reads_when_an_id_was_made(text: str, ms: int) -> None:
    """
    The last part of 13 digits, with a number and perhaps hex digits after it, is the time.
    """
    assert made_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    ["", "t", "1700000000000_1", "id_170000000000_1", "id_1700000000000", "id_1700000000000_1_xy"],
)
def test_reads_nothing_in_other_text(text: str) -> None:
    """
    What the generator does not make has no time.
    """
    assert made_ms(text) is None


def test_id_ages(talk: ManagerTalk) -> None:
    """
    The age of an id is the time since it was made.
    """
    talk.do.base_id("id", 7)
    talk.do.wait(3)

    assert value(talk.do.read_id(Handle("i", 1))) == {
        "valid": True,
        "made_s": 0.0,
        "age_s": 3.0,
    }


@pytest.mark.parametrize(("length", "is_good"), [(63, True), (64, True), (65, False)])
def test_purpose_has_at_most_64_characters(
    talk: ManagerTalk, length: int, *, is_good: bool
) -> None:
    """
    A longer operation would make ids that are too long.
    """
    outcome = talk.do.context_ids("ana", "p" * length)

    assert isinstance(outcome, Ok if is_good else Refused)


def test_websocket_ids_begin_with_the_user(talk: ManagerTalk) -> None:
    """
    The first 8 characters of the user id are in both, and no more.
    """
    made = value(talk.do.websocket_ids("anastasia"))

    assert made["client form"]["prefix"] == "ws_client_anastasi"
    assert made["connection form"]["prefix"] == "ws_conn_anastasi"
