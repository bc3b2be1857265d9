"""Tests of operations as data: what they print, and what a trace keeps of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from threadline import Handle, Model, operation
from threadline.handle import Dangling
from threadline.operation import from_json, to_json

from tests.toys.desk import Desk


class Post(Model):
    """What is sent back, with a remark."""

    @operation
    def send_back(self, item: object, remark: object = None) -> None:
        """A thing is sent back."""

    @operation
    def rest(self) -> None:
        """Nothing is done."""


class Express(Post):
    """The same, with a limit."""

    @operation
    def send_back(self, item: object, remark: object = None, limit_s: int = 1) -> None:
        """A thing is sent back in time."""


def test_prints_like_a_call() -> None:
    """An operation prints as its kind and its arguments, a handle without quotes."""
    assert str(Post.send_back(Handle("c", 7), "c_7")) == "send_back(item=c_7, remark='c_7')"


def test_takes_the_arguments_of_the_method_that_overrides_it() -> None:
    """An operation that overrides another has its own arguments."""
    assert str(Express.send_back(1, 2, 3)) == "send_back(item=1, remark=2, limit_s=3)"


def test_is_equal_to_the_same_call() -> None:
    """Two operations of one kind with equal arguments are equal, and one key of a dictionary."""
    assert len({Post.send_back(1), Post.send_back(1, None), Post.send_back(1, 2)}) == 2


def test_cannot_be_changed() -> None:
    """An operation is frozen, for many runs may share it."""
    asked = Post.send_back(1)

    with pytest.raises(FrozenInstanceError):
        asked.item = 2  # type: ignore[attr-defined]  # a field that only the made class has


def test_has_slots_alone() -> None:
    """An operation costs no dictionary."""
    assert not hasattr(Post.send_back(1), "__dict__")


def test_writes_its_kind_and_its_arguments() -> None:
    """The line of an operation is the rest of a JSON object, from its kind on."""
    line = Post.send_back(Handle("c", 7), ("a", 1)).line()
    assert line == b'"operation": "send_back", "item": {"handle": "c_7"}, "remark": ["a", 1]}\n'
    assert Post.rest().line() == b'"operation": "rest"}\n'


@pytest.mark.parametrize(
    "value",
    [None, "", "ana:b ", "\ud800", "a\x00b", "\u2028\n", "c_7", '{"handle": "c_7"}', 0, -1,
     2**70, 1.5, (), ("a", ("b", ("c",))), Handle("c", 7),
     (Handle("c", 7), ("deep", Handle("t", 12))), 1, True, 1.0, "1"],
)  # fmt: skip
def test_comes_back_from_json(value: object) -> None:
    """A value that a trace can hold is read as it was written; 1 is not read as True."""
    read = from_json(json.loads(json.dumps(to_json(value))))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, {"a": 1}, object])
def test_refuses_what_no_trace_can_hold(value: object) -> None:
    """An argument that JSON has no place for is refused, with what to use instead."""
    with pytest.raises(TypeError, match=r"has no place in a trace.*use text, numbers, booleans"):
        to_json(value)


def test_finds_handles_within_tuples() -> None:
    """The handles of an operation are those it has and those in its tuples."""
    asked = Post.send_back(("a", (Handle("c", 7),)), Handle("t", 1))

    assert list(asked.handles()) == [Handle("c", 7), Handle("t", 1)]


def test_takes_real_ids_for_handles() -> None:
    """
    Handles are replaced by what they stand for, also within tuples; text that looks alike is not.
    """
    asked = Post.send_back(("c_7", (Handle("c", 7),)), Handle("t", 1))

    resolved = asked.resolved({Handle("c", 7): "real c", Handle("t", 1): "real t"})

    assert resolved.arguments() == {"item": ("c_7", ("real c",)), "remark": "real t"}


def test_refuses_a_handle_that_nothing_stands_behind() -> None:
    """An operation whose handle nothing is bound to is dangling."""
    with pytest.raises(Dangling, match="t_1"):
        Post.send_back("a", Handle("t", 1)).resolved({Handle("c", 7): "real c"})


def define(method: Callable[..., None]) -> None:
    type("Named", (Model,), {"go": operation(method)})


def step(self: Model, step: int) -> None: ...


def line(self: Model, line: int) -> None: ...


def kind(self: Model, kind: str) -> None: ...


@pytest.mark.parametrize("method", [step, line, kind])
def test_refuses_an_argument_whose_name_is_taken(method: Callable[..., None]) -> None:
    """An argument that traces or operations use themselves is refused, by name."""
    name = method.__name__
    with pytest.raises(TypeError, match=f"Named.go has an argument called '{name}'.*rename it"):
        define(method)


def many(self: Model, *items: int) -> None: ...


def by_name_alone(self: Model, *, items: int) -> None: ...


def by_place_alone(self: Model, items: int, /) -> None: ...


@pytest.mark.parametrize("method", [many, by_name_alone, by_place_alone])
def test_refuses_an_argument_that_no_trace_can_write(method: Callable[..., None]) -> None:
    """An argument is written by its name and given by its place, and so must be one of both."""
    with pytest.raises(TypeError, match=r"Named\.go takes .*items.*; give it plain arguments"):
        define(method)


def test_lists_operations_by_kind() -> None:
    """A model gives its operations by the names that traces use, in the order of definition."""
    assert list(Desk.kinds()) == ["enter", "leave", "press", "ring"]
