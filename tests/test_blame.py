"""Tests of blame: which property a disagreement breaks, where the model says nothing else."""

from __future__ import annotations

import pytest
from threadline import Disagreement, Handle, Model, Ok, Operation, Property, Refused, operation
from threadline.outcome import Crashed, Outcome, Unknown

T1, T2 = Handle("t", 1), Handle("t", 2)
OWNERS: dict[object, object] = {
    T1: "ana",
    T2: "ben",
    "hers": "ana",
    "his": "ben",
    "theirs": {"ana", "ben"},
}


class Letters(Model):
    """Letters of two users, who each have a thread."""

    @operation
    def read(self, thread: Handle) -> list[str]:
        """A thread is read."""
        return []

    @operation(breaks=Property.KEYS)
    def call(self, user: str) -> str:
        """A user is called by name."""
        return user

    @operation(breaks=Property.MEMORY)
    def drop(self) -> None:
        """What is over is dropped."""

    def belongs_to(self, value: object) -> object:
        return OWNERS.get(value)


READ, CALL, DROP = Letters.read(T1), Letters.call("ana"), Letters.drop()


def blamed(of: str, expected: object, actual: object, asked: Operation = READ) -> Property:
    return Letters().blame(asked, Disagreement(of, expected, actual))


@pytest.mark.parametrize("asked", [READ, CALL, DROP])
@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (Ok(["hers"]), Ok([])),
        (Ok(["hers"]), Ok(["unknown"])),
        (Ok(["hers"]), Refused("gone")),
        (Refused("gone"), Ok()),
        (Refused("gone"), Refused("full")),
        (Ok(), Crashed("KeyError")),
        (Ok(), Unknown()),
    ],
)
def test_what_is_missing_or_wrong_breaks_what_the_operation_says(
    expected: Outcome, actual: Outcome, asked: Operation
) -> None:
    """It is continuity where the operation says nothing."""
    said = {READ: Property.CONTINUITY, CALL: Property.KEYS, DROP: Property.MEMORY}

    assert blamed("outcome", expected, actual, asked) is said[asked]


@pytest.mark.parametrize("shown", ["his", T2, {"his": 1}, [("his",)]])
def test_what_belongs_to_another_breaks_isolation(shown: object) -> None:
    """What is shown and was not expected is another's, wherever in the answer it stands."""
    assert blamed("outcome", Ok(["hers"]), Ok(["hers", shown])) is Property.ISOLATION


@pytest.mark.parametrize("shown", ["hers", "theirs", T1])
def test_too_much_of_ones_own_breaks_memory(shown: object) -> None:
    """What is surplus and belongs to those who asked was to be gone."""
    assert blamed("outcome", Ok([]), Ok([shown])) is Property.MEMORY


def test_what_was_expected_is_nobodys_secret() -> None:
    """What belongs to another and is right in itself breaks no isolation."""
    assert blamed("outcome", Ok(["his", "hers"]), Ok(["his"])) is Property.CONTINUITY


def test_to_tell_somebody_what_belongs_to_another_breaks_isolation() -> None:
    """Who is told counts, and not who asked."""
    actual = Ok(told={"ben": ["hers"]})

    assert blamed("outcome", Ok(), actual) is Property.ISOLATION


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ({}, {"ana": ["hers"]}),
        ({"ana": ["hers"]}, {"ana": ["hers", "hers"]}),
        ({}, {"ben": ["theirs"]}),
        ({}, {T1: ["hers"]}),
    ],
)
def test_to_tell_somebody_too_much_of_their_own_breaks_memory(
    heard: dict[object, list[object]], told: dict[object, list[object]]
) -> None:
    """What is told once too often was to be forgotten."""
    assert blamed("outcome", Ok(told=heard), Ok(told=told)) is Property.MEMORY


def test_to_tell_too_little_breaks_what_the_operation_says() -> None:
    """Who is not told what they should hear has lost something."""
    assert blamed("outcome", Ok(told={"ana": ["hers"]}), Ok()) is Property.CONTINUITY


@pytest.mark.parametrize(
    ("expected", "actual", "broken"),
    [
        ({"a": 1}, {"b": 1}, Property.KEYS),
        ({"a"}, {"b"}, Property.KEYS),
        ({"a": 1}, {"a": 2}, Property.MEMORY),
        ({"a": 1}, {"a": 1, "b": 1}, Property.MEMORY),
        ({"a": 2}, {"a": 1}, Property.CONTINUITY),
        ({"a": 1}, {}, Property.CONTINUITY),
        ({"a"}, {"a", "b"}, Property.MEMORY),
        (1, 2, Property.MEMORY),
        (2, 1, Property.CONTINUITY),
        ([1], [1, 1], Property.MEMORY),
        ([1, 1], [1], Property.CONTINUITY),
    ],
)
def test_what_is_held_breaks_memory_keys_or_continuity(
    expected: object, actual: object, broken: Property
) -> None:
    """Too much is memory, other names are keys, and too little is what the operation breaks."""
    assert blamed("census threads", expected, actual) is broken


def test_what_is_held_after_an_operation_on_keys_breaks_keys() -> None:
    """An operation whose names are what matters is to blame for those."""
    assert blamed("census threads", {"a": 1}, {"a": 2}, CALL) is Property.KEYS
