"""Tests of models: an operation as data and as a method, what is inherited, and the defaults."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest
from threadline import Census, Handle, Model, Ok, Property, Refuse, Refused, operation, pool
from threadline.loading import BadName, new_model
from threadline.lockstep.outcomes import expected_of

from tests.toys.shelf import Shelf

LETTERS = pool("a", "b")
COUNTS = pool(1, 2)


class Drawer(Model):
    """A drawer in which letters lie."""

    policy = "tidy"

    @operation(weight=3, letter=LETTERS, count=COUNTS, breaks=Property.KEYS)
    def put(self, letter: str, count: int = 1) -> Handle:
        """Letters are put in."""
        return self.new("p")

    @operation
    def lock(self) -> Refused:
        """The drawer cannot be locked."""
        return Refused("no lock")

    @operation
    def empty(self) -> str:
        """All letters are taken out."""
        return "ok"


class LockedDrawer(Drawer):
    """A drawer with a lock, in which letters lie one by one."""

    @operation(count=1)
    def put(self, letter: str, count: int = 1) -> Handle:
        """Letters are put in under lock."""
        return super().put(letter, count)

    @operation
    def lock(self, key: str = "k") -> Refused:
        """The drawer is locked."""
        return Refused("locked" + key)

    empty = None  # type: ignore[assignment]  # the way to take an operation back


class HTTPDrawer(Drawer):
    """A drawer whose name is written in capitals."""


class Labelled(Drawer):
    """A drawer whose name traces shall know."""

    name = "drawer"


def marked(model: type[Model], kind: str) -> Any:
    return model._marked[kind]


def test_is_data_on_the_class() -> None:
    """On the class, the method makes the operation, which prints as the call."""
    assert str(Drawer.put("a", count=2)) == "put(letter='a', count=2)"


def test_is_the_method_on_a_model() -> None:
    """On a model, the same name takes the step."""
    assert Drawer().at(4).put("a") == Handle("p", 4)


def test_takes_the_step_that_its_data_says() -> None:
    """The operation as data makes the call on a model, arguments in their order."""
    assert expected_of(Shelf(places=1), Shelf.put("Emma")) == Ok(1)


def test_keeps_the_defaults_of_arguments() -> None:
    """An argument with a default need not be given as data either."""
    assert Drawer.put("a") == Drawer.put("a", 1)


def test_keeps_the_docstring() -> None:
    """The class of operations is documented as the method is."""
    assert Drawer.kinds()["put"].__doc__ == "Letters are put in."


def test_has_operations_in_the_order_of_definition() -> None:
    """Those of a base class come first, and what is overridden keeps its place."""
    assert list(Drawer.kinds()) == ["put", "lock", "empty"]
    assert list(LockedDrawer.kinds()) == ["put", "lock"]


def test_an_override_is_the_same_operation() -> None:
    """With the same arguments, the operation of a derived model is equal to that of its base."""
    assert LockedDrawer.put("a") == Drawer.put("a")


def test_an_override_with_other_arguments_is_another_operation() -> None:
    """With arguments of its own, it is not what the base class has."""
    assert LockedDrawer.lock("k").arguments() == {"key": "k"}
    assert Drawer.lock().arguments() == {}


def test_an_override_keeps_what_it_does_not_say() -> None:
    """Pools, weight and the property broken are the base's, but for those that are said anew."""
    put = marked(LockedDrawer, "put")

    assert put.pools == {"letter": LETTERS, "count": 1}
    assert (put.weight, put.breaks) == (3, Property.KEYS)


def test_an_override_leaves_its_base_as_it_was() -> None:
    """What a derived model says anew, its base does not hear of."""
    assert marked(Drawer, "put").pools == {"letter": LETTERS, "count": COUNTS}


def test_none_takes_an_operation_back() -> None:
    """A derived model that sets an operation to None does not have it."""
    assert "empty" not in LockedDrawer.kinds()


def put(self: Model, letter: str) -> None: ...


def nothing(self: Model) -> None: ...


@pytest.mark.parametrize(
    ("base", "name", "method", "message"),
    [
        (Drawer, "put", put, r"put overrides an operation and is none itself; .* with put = None"),
        *(
            (Model, name, operation(nothing), rf"{name} is an operation, and every .* a '{name}' ")
            for name in ("census", "close", "rules")  # which a model, a driver, a scenario has
        ),
        (
            Model,
            "put",
            operation(leter=LETTERS)(put),
            "put takes letter, and has a pool for 'leter'; name the pool as the arg",
        ),
    ],
)
def test_refuses_a_model_that_cannot_be_meant(
    base: type[Model], name: str, method: object, message: str
) -> None:
    """What would be silently wrong is refused when the class is made, with what to write."""
    with pytest.raises(TypeError, match=message):
        type("Wrong", (base,), {name: method})


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Drawer, "drawer"),
        (LockedDrawer, "locked_drawer"),
        (HTTPDrawer, "http_drawer"),
        (Labelled, "drawer"),
    ],
)
def test_is_named_after_its_class(model: type[Model], name: str) -> None:
    """Traces know a model by its class in small letters, unless it says another name."""
    assert model.name == name


def test_names_what_a_step_brings_back() -> None:
    """A new handle has the kind that was asked for, and the number of the step."""
    assert Drawer().at(7).new("l") == Handle("l", 7)


def test_takes_the_settings_of_the_run() -> None:
    """A constructor is given the settings by name, and the policy is there before."""
    assert new_model(Shelf, {"places": 5}).places == 5


@pytest.mark.parametrize(("given", "policy"), [(None, "tidy"), ("untidy", "untidy")])
def test_has_the_policy_of_its_driver(given: str | None, policy: str) -> None:
    """What a driver declares takes the place of the model's default."""
    assert new_model(Drawer, policy=given).policy == policy


@pytest.mark.parametrize("model", [Shelf, Drawer])
def test_refuses_a_setting_that_it_does_not_take(model: type[Model]) -> None:
    """A setting that a scenario draws and a model has no argument for is told by its name."""
    with pytest.raises(BadName, match=rf"{model.__name__} takes no setting 'limit'; take it in"):
        new_model(model, {"limit": 1})


class Steps(Model):
    """Tells, and settles what was left to do."""

    @operation
    def walk(self) -> None:
        """A step is taken, and heard by two."""
        self.tell("ana", "step")
        self.tell("ben", 1)

    @operation
    def refuse(self) -> None:
        """A step is refused, and one is told so."""
        self.tell("ana", "no")
        raise Refuse("tired")

    def settle(self) -> None:
        self.tell("ana", "echo")


def test_tells_beside_the_outcome() -> None:
    """Who was told what in a step is part of what is expected of it, by addressee and in order."""
    assert expected_of(Steps(), Steps.walk()) == Ok(told={"ana": ["step", "echo"], "ben": [1]})


def test_tells_beside_a_refusal() -> None:
    """What is told when an operation is turned down is part of that."""
    assert expected_of(Steps(), Steps.refuse()) == Refused("tired", told={"ana": ["no", "echo"]})


def test_tells_nothing_twice() -> None:
    """What was told in one step is not the next one's."""
    model = Steps()
    expected_of(model, Steps.walk())

    assert expected_of(model, Steps.refuse()) == Refused("tired", told={"ana": ["no", "echo"]})


def test_holds_nothing_unless_it_says_so() -> None:
    """Without a census, nothing is compared; without a teardown, there is nothing to take back."""
    assert (dict(Drawer().census()), list(Drawer().teardown())) == ({}, [])


class Held(Model):
    """Holds what a test gives it."""

    def __init__(self, **held: object) -> None:
        self.held = held

    def census(self) -> Census:
        return self.held


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 3}, {"n": 9}),
        ({"open": {"a", "b"}}, {"open": {"c", "d"}}),
        ({"open": [1, 2, 3]}, {"open": [1, 2, 3, 4]}),
        ({"turns": {"a": [1], "b": []}}, {"turns": {"c": [], "d": [9]}}),
        ({"last": Handle("c", 1)}, {"last": Handle("c", 9)}),
        ({"last": "a"}, {"last": "b"}),
    ],
)
def test_has_the_same_shape_under_other_names(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two states that differ in names, or in how much more than 3, are of one kind."""
    assert Held(**one).shape() == Held(**other).shape()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 1}, {"n": 2}),
        ({"open": {"a"}}, {"open": {"a", "b"}}),
        ({"turns": {"a": [1], "b": [1]}}, {"turns": {"a": [1, 1], "b": []}}),
        ({"last": "a"}, {"last": None}),
        ({"n": 1, "m": 2}, {"n": 2, "m": 1}),
    ],
)
def test_has_another_shape_where_there_is_another_number(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Two states that hold another number of something, up to 3, are of two kinds."""
    assert Held(**one).shape() != Held(**other).shape()


def test_has_a_shape_that_can_be_remembered() -> None:
    """A shape is a key of a dictionary, whatever is held."""
    shape: Hashable = Held(a={"b": [{"c": {1}}]}, d=[[]]).shape()

    assert len({shape: 1}) == 1


def test_belongs_to_nobody_unless_it_says_so() -> None:
    """Without belongs_to, no value is anybody's, and nothing is taken for isolation."""
    assert Drawer().belongs_to("a") is None
