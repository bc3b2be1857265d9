"""The rules for ids, by the contract's Identifiers and Context."""

from __future__ import annotations

import pytest
from threadline import Handle, Ok, Refused

from tests.conformance.talks import ManagerTalk, value

TALK = ManagerTalk

I1 = Handle("i", 1)


@pytest.mark.parametrize(
    "text", ["x", "x" * 256, " Ana ", "default", "a:b_c d", "\u00e9", "e\u0301", "nullable"]
)
def test_takes_any_id_that_breaks_no_rule(talk: ManagerTalk, text: str) -> None:
    """
    Separators, white space, any Unicode and 256 characters are good, and kept as they are.
    """
    got = value(talk.do.get(text, text, text))

    assert [got["user"], got["thread"], got["run"]] == [text] * 3


@pytest.mark.parametrize("kind", ["user", "thread", "run"])
@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (7, "is no string"),
        (" \t", "is blank"),
        ("x" * 257, "has 257 characters, limit 256"),
        ("a\x00", "has a control character or a lone surrogate"),
        ("a\x85b", "has a control character or a lone surrogate"),
        ("a\ud800", "has a control character or a lone surrogate"),
        (" Null ", "is a placeholder"),
        ("TODO", "is a placeholder"),
    ],
)
def test_refuses_an_id_that_breaks_a_rule(
    talk: ManagerTalk, kind: str, given: object, rule: str
) -> None:
    """
    Each rule of the contract refuses what breaks it, and no session begins.
    """
    ids = {"user": "ana", "thread": "t", "run": "r", kind: given}
    refused = talk.do.get(*ids.values())

    assert refused == Refused("invalid context")
    assert refused.because == f"{given!r} {rule}"
    assert talk.held("sessions") == {}


def test_user_is_always_needed(talk: ManagerTalk) -> None:
    """
    An empty thread or run is none, and an empty user is refused.
    """
    assert talk.do.get("", "t", None) == Refused("invalid context")
    assert value(talk.do.get("ana", "", ""))["thread"] == Handle("t", 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a:b", "c"), ("a", "b:c")),
        (("a_b", "c"), ("a", "b_c")),
        (("ana", "t"), ("ana", "t ")),
        (("ana", "t"), ("ana", "T")),
        (("ana", "\u00c5"), ("ana", "\u0041\u030a")),
    ],
)
def test_different_pairs_never_meet(
    talk: ManagerTalk, one: tuple[str, str], other: tuple[str, str]
) -> None:
    """
    Two different pairs of user and thread are two sessions.
    """
    talk.do.get(*one, None)
    talk.do.get(*other, None)

    assert talk.held("sessions") == {one: Handle("r", 1), other: Handle("r", 2)}


@pytest.mark.parametrize("length", [0, 1, 2, 7, 13])
@pytest.mark.parametrize(
    "prefix", ["id", "", "1234567890123", "p_1234567890123", "two\nlines", "_:_\u00e4"]
)
def test_made_id_has_its_form_and_is_read_again(
    talk: ManagerTalk, prefix: str, length: int
) -> None:
    """
    Whatever its prefix, an id has as many random digits as were asked for, and tells its time.
    """
    made = {"id": I1, "prefix": prefix, "made_s": 0.0, "random": length}

    assert value(talk.do.base_id(prefix, length)) == made
    assert value(talk.do.read_id(I1)) == {"valid": True, "made_s": 0.0, "age_s": 0.0}


@pytest.mark.parametrize(
    ("text", "made_s"),
    [
        ("id_1700000005000_1", 5),
        ("a_b_1700000000000_12_0f", 0),
        ("1700000000000_1600000000000_3", -100_000_000),
        ("x_1600000000000_1700000000000_12", 0),
        ("p_1800000000000_1", 100_000_000),
    ],
)
def test_reads_when_an_id_was_made(talk: ManagerTalk, text: str, made_s: float) -> None:
    """
    The last part of 13 digits, with a number and perhaps hex digits after it, is the time.
    """
    read = value(talk.do.read_id(text))

    assert read["made_s"] == pytest.approx(made_s)
    assert read["age_s"] == pytest.approx(max(0, -made_s))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t",
        "1700000000000_1",
        "id_170000000000_1",
        "id_17000000000001_1",
        "id_1700000000000",
        "id_1700000000000_x",
        "id_1700000000000_1_",
        "id_1700000000000_1_xy",
        "id_1700000000000_1_AB",
    ],
)
def test_reads_nothing_in_other_text(talk: ManagerTalk, text: str) -> None:
    """
    What the generator does not make has no time, and the age -1.
    """
    nothing = {"valid": False, "made_s": None, "age_s": -1.0}

    assert value(talk.do.read_id(text)) == nothing


def test_id_ages(talk: ManagerTalk) -> None:
    """
    The age of an id is the time since it was made.
    """
    talk.do.base_id("id", 7)
    talk.do.wait(3)

    assert value(talk.do.read_id(I1)) == {"valid": True, "made_s": 0.0, "age_s": 3.0}


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
