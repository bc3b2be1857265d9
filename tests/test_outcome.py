"""Tests of what outcomes print, and of what of them is compared."""

from __future__ import annotations

from typing import Any

import pytest
from threadline.difference import pruned
from threadline.handle import Handle
from threadline.outcome import Crashed, Hung, Ok, Outcome, Refused, Unknown

PRUNED: Any = pruned({"ana": ["hi"], "ben": ["ho"]}, {"ana": ["hi"]})[0]


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Ok(), "ok"),
        (Ok("hi"), "ok, 'hi'"),
        (Ok(0), "ok, 0"),
        (Ok([Handle("c", 7), "c_7"]), "ok, [c_7, 'c_7']"),
        (Ok(warnings=("UserWarning",)), "ok, warning UserWarning"),
        (Ok(1, ("Warning", "UserWarning")), "ok, 1, warning Warning and UserWarning"),
        (Refused("expired"), "refused (expired)"),
        (Refused("expired", because="it is old"), "refused (expired), because it is old"),
        (Refused("old", warnings=("UserWarning",)), "refused (old), warning UserWarning"),
        (Crashed("KeyError: 'a'"), "crashed (KeyError: 'a')"),
        (Crashed("KeyError", where="a.py:3 get"), "crashed (KeyError), raised in a.py:3 get"),
        (Hung("10 s"), "did not come back within 10 s"),
        (Hung("10 s", where="get line 3"), "did not come back within 10 s, waiting in get line 3"),
        (Unknown(), "unknown"),
        (Unknown(("UserWarning",)), "unknown, warning UserWarning"),
        (Ok(told={Handle("c", 7): ["hi", 1]}), "ok; c_7 was told 'hi', 1"),
        (Ok(3, told={"ana": ["hi"], "ben": ["ho"]}), "ok, 3; ana was told 'hi'; ben was told 'ho'"),
        (Refused("old", told={"ana": ["no"]}), "refused (old); ana was told 'no'"),
        (Ok(told=PRUNED), "ok; ben was told 'ho'; ..."),
        (Refused("old", told=PRUNED), "refused (old); ben was told 'ho'; ..."),
    ],
)  # fmt: skip
def test_prints_as_a_phrase(outcome: Outcome, text: str) -> None:
    """An outcome prints as what a reader would say of it."""
    assert str(outcome) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Refused("old", because="it is old"), Refused("old", because="I say so")),
        (Crashed("KeyError", where="a.py:3 get"), Crashed("KeyError", where="b.py:4 put")),
        (Hung("10 s", where="get line 3"), Hung("10 s", where="put line 4")),
    ],
)
def test_compares_no_words_for_the_reader(one: Outcome, other: Outcome) -> None:
    """Two outcomes that differ in because or where alone are equal."""
    assert one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Refused("old"), Refused("ended")),
        (Crashed("KeyError"), Crashed("ValueError")),
        (Ok(), Ok(warnings=("UserWarning",))),
        (Ok(), Unknown()),
        (Ok(), Ok(told={"ana": ["hi"]})),
        (Refused("old"), Refused("old", told={"ana": ["hi"]})),
    ],
)
def test_tells_outcomes_apart(one: Outcome, other: Outcome) -> None:
    """Two outcomes that differ in kind, reason, error, warnings or what was told are not equal."""
    assert one != other
