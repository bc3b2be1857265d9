"""Tests of rules: from values out of pools to one operation."""

from __future__ import annotations

import pytest
from threadline.operation import Operation
from threadline.pool import Now, pool
from threadline.rule import Rule, rule

from tests.desk import Enter, Press, Ring

USERS = pool("ana", "ben")
KEYS = pool(1, 2)


@rule(key=KEYS, user=USERS)
def enter_or_press(self: None, user: str, key: int) -> Enter | Press:
    return Enter(user) if key == 1 else Press(key)


@rule(precondition=lambda now: now.step > 1)
def ring(self: None) -> Ring:
    return Ring()


@rule()
def anything(self: None) -> Operation:
    return Ring()


@rule()
def nothing(self: None):  # type: ignore[no-untyped-def]  # the mistake under test
    return Ring()


def test_is_called_as_its_method() -> None:
    """
    A rule has the name of the method that it was made of.
    """
    assert enter_or_press.name == "enter_or_press"


def test_takes_its_pools_in_the_order_of_its_arguments() -> None:
    """
    The order of pools is that of the arguments, however they were given.
    """
    assert enter_or_press.pools == (("user", USERS), ("key", KEYS))


def test_makes_an_operation_of_values() -> None:
    """
    Values in the order of the pools give the operation.
    """
    assert enter_or_press.make("ben", 2) == Press(2)


def test_knows_what_it_makes() -> None:
    """
    The operations that a rule may return are read off its annotation.
    """
    assert (enter_or_press.makes(), ring.makes()) == ((Enter, Press), (Ring,))


@pytest.mark.parametrize("vague", [anything, nothing])
def test_refuses_to_make_just_anything(vague: Rule) -> None:
    """
    An annotation that names no particular operation is refused, with an example of one that does.
    """
    with pytest.raises(TypeError, match="name the operation that it makes, as in -> Append"):
        vague.makes()


@pytest.mark.parametrize(("step", "may"), [(1, False), (2, True)])
def test_fires_when_its_precondition_holds(step: int, *, may: bool) -> None:
    """
    A rule with a precondition may fire only when that holds.
    """
    assert ring.may_fire(Now(None, step)) is may


def test_fires_always_without_a_precondition() -> None:
    """
    A rule without a precondition may always fire.
    """
    assert anything.may_fire(Now(None))


@pytest.mark.parametrize(
    ("pools", "given"), [({}, "nothing"), ({"key": KEYS}, "key"), ({"users": USERS}, "users")]
)
def test_refuses_arguments_without_a_pool(pools: dict[str, object], given: str) -> None:
    """
    An argument without a pool of its name is refused, saying what was given.
    """
    with pytest.raises(TypeError, match=f"rule enter takes user, and has pools for {given}; give"):

        @rule(**pools)  # type: ignore[arg-type]  # the mistake under test
        def enter(self: None, user: str) -> Enter:
            return Enter(user)
