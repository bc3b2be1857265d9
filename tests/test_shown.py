"""Tests of how a value is shown: the same text everywhere, whatever it is."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from threadline.handle import Handle
from threadline.shown import MORE, shown

from tests.project import ROOT

WORDS = ["ana", "ben", "cyd", "dot", "eve"]
PROGRAM = (
    f"from threadline.shown import shown; print(shown([{{*{WORDS}}}, {{'k': frozenset({WORDS})}}]))"
)


@dataclass
class Card:
    """A card with the names on it."""

    names: set[str]
    number: int = 0


class Exploding:
    """Raises when it is asked for its text."""

    def __repr__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    "value",
    [1, True, None, "it's", b"x", 0.5, [], (), {}, (1,), [1, (2, "x")], {"a": {1: [None]}},
     Handle("c", 7), set(), frozenset(), {3}],
)  # fmt: skip
def test_shows_what_repr_does(value: object) -> None:
    """A plain value has the text that Python gives it."""
    assert shown(value) == repr(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b", "a"}, "{'a', 'b'}"),
        ([{"x": frozenset({2, 1})}], "[{'x': frozenset({1, 2})}]"),
        (Card({"b", "a"}), "Card(names={'a', 'b'}, number=0)"),
        ({"a", MORE}, "{'a', ...}"),
        ({"a": 1, MORE: MORE}, "{'a': 1, ...}"),
        (Exploding(), "<a Exploding whose repr raises LookupError>"),
        ([10**5000], "[<an int of 16,610 bits>]"),
    ],
)
def test_shows_the_same_everywhere(value: object, text: str) -> None:
    """
    Sets are in the order of their texts, and what has no text of its own is named by its type.
    """
    assert shown(value) == text


def test_shows_no_address() -> None:
    """Where an object is in memory is another place in each process."""
    assert shown(object()) == "<object object at 0x...>"


def test_shows_what_is_too_deep_as_far_as_it_is_read() -> None:
    """A list in a list, and so on, has an end."""
    value: list[object] = []
    for _ in range(100_000):
        value = [value]

    assert shown(value).count("[") == 40


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_does_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    """The order that a set has in one process is not that of another."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "harness")}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()

    members = ", ".join(map(repr, WORDS))
    assert told == f"[{{{members}}}, {{'k': frozenset({{{members}}})}}]"
