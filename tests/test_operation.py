"""Tests of operations as data: what they print, and what a trace keeps of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from threadline.contract import Contract
from threadline.handle import Dangling, Handle
from threadline.operation import Operation, from_json, to_json
from threadline.outcome import Ok, Outcome

from tests.desk import Desk, DeskModel, blame


class Given(Operation):
    """Something is given: the base of the operations below, which all do nothing."""

    __slots__ = ()

    def apply(self, _target: object) -> Outcome:
        return Ok()


@dataclass(frozen=True, slots=True)
class SendBack(Given):
    """A thing is sent back, with a remark."""

    item: object
    remark: object = None


@dataclass(frozen=True, slots=True)
class SendBackSoon(SendBack):
    """The same, with a limit."""

    limit_s: int = 1


@dataclass(frozen=True)
class Unslotted(Given):
    """A dataclass that lacks slots."""

    item: object


@dataclass(slots=True)
class Thawed(Given):
    """A dataclass that can be changed, and so is no key of a dictionary."""

    item: object


class Undecorated(Given):
    """Not a dataclass at all."""


@dataclass(frozen=True, slots=True)
class NamesStep(Given):
    """Has a field that traces use."""

    step: int


@dataclass(frozen=True, slots=True)
class NamesLine(Given):
    """Has a field that hides a method of every operation."""

    line: int  # type: ignore[assignment]  # which mypy sees, and a careless author may not


@dataclass(frozen=True, slots=True)
class NamesKind(Given):
    """Has a field that hides the name of every operation."""

    kind: str  # type: ignore[misc]  # which mypy sees, and a careless author may not


def another_send_back() -> type[Operation]:
    @dataclass(frozen=True, slots=True)
    class SendBack(Given):
        """Goes by a name that is taken."""

    return SendBack


def contract_of(*operations: type[Operation]) -> Contract:
    return Contract("toy", operations, DeskModel, None, blame)


def test_prints_like_a_call() -> None:
    """
    An operation prints as its kind and its arguments, a handle without quotes.
    """
    assert str(SendBack(Handle("c", 7), "c_7")) == "send_back(item=c_7, remark='c_7')"


def test_keeps_the_arguments_of_its_base() -> None:
    """
    An operation derived from another has the arguments of both.
    """
    assert str(SendBackSoon(1, 2, 3)) == "send_back_soon(item=1, remark=2, limit_s=3)"


def test_writes_its_kind_and_its_arguments() -> None:
    """
    The line of an operation is the rest of a JSON object, from its kind on.
    """
    line = SendBack(Handle("c", 7), ("a", 1)).line()

    assert line == b'"operation": "send_back", "item": {"handle": "c_7"}, "remark": ["a", 1]}\n'


def test_writes_an_operation_without_arguments() -> None:
    """
    The line of an operation that takes nothing is its kind alone.
    """

    @dataclass(frozen=True, slots=True)
    class Rest(Given):
        """Nothing is done."""

    assert Rest().line() == b'"operation": "rest"}\n'


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "ana:b ",
        "\ud800",
        "a\x00b",
        "\u2028\n",
        "c_7",
        '{"handle": "c_7"}',
        0,
        -1,
        2**70,
        1.5,
        (),
        ("a", ("b", ("c",))),
        Handle("c", 7),
        (Handle("c", 7), ("deep", Handle("t", 12))),
    ],
)
def test_comes_back_from_json(value: object) -> None:
    """
    A value that a trace can hold is read as it was written.
    """
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize("value", [1, True, 1.0, "1"])
def test_comes_back_from_json_with_its_type(value: object) -> None:
    """
    What is written as 1 is read as 1, and never as True.
    """
    assert type(from_json(json.loads(json.dumps(to_json(value))))) is type(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, {"a": 1}, object])
def test_refuses_what_no_trace_can_hold(value: object) -> None:
    """
    An argument that JSON has no place for is refused, with what to use instead.
    """
    with pytest.raises(TypeError, match=r"has no place in a trace.*use text, numbers, booleans"):
        to_json(value)


def test_finds_handles_within_tuples() -> None:
    """
    The handles of an operation are those it has and those in its tuples.
    """
    operation = SendBack(("a", (Handle("c", 7),)), Handle("t", 1))

    assert list(operation.handles()) == [Handle("c", 7), Handle("t", 1)]


def test_takes_real_ids_for_handles() -> None:
    """
    Handles are replaced by what they stand for, also within tuples; text that looks alike is not.
    """
    operation = SendBack(("c_7", (Handle("c", 7),)), Handle("t", 1))

    resolved = operation.resolved({Handle("c", 7): "real c", Handle("t", 1): "real t"})

    assert resolved.arguments() == {"item": ("c_7", ("real c",)), "remark": "real t"}


def test_refuses_a_handle_that_nothing_stands_behind() -> None:
    """
    An operation whose handle nothing is bound to is dangling.
    """
    with pytest.raises(Dangling, match="t_1"):
        SendBack("a", Handle("t", 1)).resolved({Handle("c", 7): "real c"})


@pytest.mark.parametrize("operation", [Unslotted, Thawed, Undecorated])
def test_refuses_what_is_no_operation(operation: type[Operation]) -> None:
    """
    A class that could change, or whose fields are not known, is refused by its contract.
    """
    with pytest.raises(
        TypeError, match=r"slotted dataclass; write @dataclass\(frozen=True, slots="
    ):
        contract_of(operation)


@pytest.mark.parametrize(
    ("operation", "field"), [(NamesStep, "step"), (NamesLine, "line"), (NamesKind, "kind")]
)
def test_refuses_a_field_whose_name_is_taken(operation: type[Operation], field: str) -> None:
    """
    A field that traces or operations use themselves is refused, by name.
    """
    with pytest.raises(TypeError, match=f"has a field called '{field}'.*rename it"):
        contract_of(operation)


def test_refuses_two_operations_of_one_kind() -> None:
    """
    Two classes whose names give one kind are refused, for a trace could not tell them apart.
    """
    with pytest.raises(TypeError, match=r"two operations are called 'send_back'; rename one"):
        contract_of(SendBack, another_send_back())


def test_lists_operations_by_kind() -> None:
    """
    A contract gives its operations by the names that traces use.
    """
    assert Desk.contract.kinds().keys() == {"enter", "leave", "press", "ring"}
