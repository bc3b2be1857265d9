"""Tests of the difference of two values: where it is, and what is shown of it."""

from __future__ import annotations

import pytest
from threadline.difference import first_difference, pruned, way_text, where
from threadline.handle import Handle
from threadline.outcome import Crashed, Hung, Ok, Refused
from threadline.shown import shown

C1, C2 = Handle("c", 1), Handle("c", 2)
LONG = "x" * 1000


@pytest.mark.parametrize(
    ("expected", "actual", "way"),
    [
        (1, 1, None),
        (1, True, ()),
        ([1, 2], (1, 2), None),
        ([1, 2], [1, 3], (1,)),
        ([1, 2], [1], (1,)),
        ({"run": C1, "at": 1}, {"run": C2, "at": 1}, ("run",)),
        ({"run": 1}, {}, ("run",)),
        ({}, {"b": 1, "a": 1}, ("a",)),
        ({"turns": [{"text": "m"}]}, {"turns": [{"text": "n"}]}, ("turns", 0, "text")),
        ({1}, {2}, ()),
    ],
)
def test_finds_the_first_difference(expected: object, actual: object, way: object) -> None:
    """The way leads through keys and places to the first value that is not alike."""
    assert first_difference(expected, actual) == way


@pytest.mark.parametrize(
    ("of", "expected", "actual", "field"),
    [
        ("census timers", {}, {1: 1}, "timers"),
        ("invariant no_owner_is_lost", "holds", "ana is lost", "no_owner_is_lost"),
        ("census", {}, Crashed("KeyError: 'a'"), "census"),
        ("outcome", Ok(), Crashed("KeyError: 'a'"), "KeyError"),
        ("outcome", Ok(), Crashed("error in task poll: TypeError: no"), "TypeError"),
        ("outcome", Ok(), Crashed("the process ended: signal SIGKILL"), "ended"),
        ("outcome", Ok(), Hung("10 s"), "hung"),
        ("outcome", Ok(), Refused("full"), "refused"),
        ("outcome", Refused("full"), Ok(), "ok"),
        ("outcome", Refused("full"), Refused("old"), "reason"),
        ("outcome", Ok(), Ok(warnings=("UserWarning",)), "warning"),
        ("outcome", Ok("a"), Ok("b"), ""),
        ("outcome", Ok({"run": 1, "at": 1}), Ok({"run": 2, "at": 2}), "run"),
        ("outcome", Ok([{"text": "m"}]), Ok([{"text": "n"}]), "text"),
        ("outcome", Ok({"ana": 1}), Ok({"ana": 2}), ""),  # who is an argument is no field
        ("outcome", Ok(told={"ana": ["x"]}), Ok(), "told"),
        ("outcome", Ok(told={"bob": [{"type": 1}]}), Ok(told={"bob": [{"type": 2}]}), "told.type"),
        ("outcome", Ok({"a b": 1}), Ok({"a b": 2}), ""),
    ],
)
def test_names_the_field(of: str, expected: object, actual: object, field: str) -> None:
    """A signature's third part is a field, a part, an invariant or an error, and never data."""
    assert where(of, expected, actual, given={"ana"}) == field


@pytest.mark.parametrize(
    ("expected", "actual", "texts"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ("{'b': 2, ...}", "{'b': 3, ...}")),
        ({"a": 1, "b": 2}, {"a": 1}, ("{'b': 2, ...}", "{...}")),
        ([1, 2, 3, 4], [1, 2, 9, 4], ("[..., 3, ...]", "[..., 9, ...]")),
        ([1, 2], [1, 2, 3], ("[...]", "[..., 3]")),
        ({1, 2}, {1, 3}, ("{2, ...}", "{3, ...}")),
        ([{"a": 1, "b": 2}], [{"a": 1, "b": 3}], ("[{'b': 2, ...}]", "[{'b': 3, ...}]")),
        (list(range(20)), None, ("[0, 1, 2, 3, 4, 5, 6, 7, ...]", "None")),
    ],
)
def test_leaves_out_what_is_alike(expected: object, actual: object, texts: tuple[str, str]) -> None:
    """What both sides have is left out, and so is the rest of what is long."""
    assert tuple(map(shown, pruned(expected, actual))) == texts


def test_cuts_a_text_around_the_first_difference() -> None:
    """Of texts of a thousand characters 200 are shown, and the one that differs is among them."""
    one, other = map(str, pruned(f"{LONG}a{LONG}", f"{LONG}b{LONG}"))

    assert one == f"...{'x' * 100}a{'x' * 99}..."
    assert other == f"...{'x' * 100}b{'x' * 99}..."


def test_writes_a_way_as_code_does() -> None:
    """A reader can paste it."""
    assert way_text(("told", "it is", 0, "text")) == "told['it is'][0].text"


def test_the_end_of_a_long_text_in_a_list_is_shown_where_it_differs() -> None:
    """What was cut to its difference is not cut a second time."""
    expected, actual = pruned([LONG + "a"], [LONG + "b"])

    assert str(expected).endswith("xa']")
    assert str(actual).endswith("xb']")
