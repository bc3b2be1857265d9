"""Tests of scenarios: which rules there are, and in which order."""

from __future__ import annotations

import pytest
from threadline.operation import Operation
from threadline.pool import pool
from threadline.rule import rule
from threadline.scenario import Scenario

from tests.desk import DeskScenario, Enter, Press, Ring


class Bell(DeskScenario):
    """Rings, then keys."""

    @rule()
    def ring(self) -> Ring:
        return Ring()

    @rule(key=pool(1, 2))
    def press(self, key: int) -> Press:
        return Press(key)


class Door(Bell):
    """Rings otherwise, and enters."""

    @rule(user=pool("ana"))
    def enter(self, user: str) -> Enter:
        return Enter(user)

    @rule()
    def ring(self) -> Ring:
        return Ring()


class Silent(Bell):
    """Has no bell."""

    ring = None  # type: ignore[assignment]  # the way to take a method back


class EnterOrRing(DeskScenario):
    """Makes one of two operations."""

    @rule(user=pool("ana", ""))
    def enter(self, user: str) -> Enter | Ring:
        return Enter(user) if user else Ring()


def names(scenario: type[Scenario], *lacks: type[Operation]) -> list[str]:
    return [rule.name for rule in scenario.rules(lacks)]


def test_lists_rules_in_the_order_of_definition() -> None:
    """
    Rules come in the order in which they stand in the class.
    """
    assert names(Bell) == ["ring", "press"]


def test_inherits_rules() -> None:
    """
    The rules of a base come first; one that is defined again keeps its place.
    """
    assert names(Door) == ["ring", "press", "enter"]


def test_takes_the_rule_of_the_derived_class() -> None:
    """
    A rule that is defined again is the new one.
    """
    assert Door.rules()[0] is vars(Door)["ring"]


def test_takes_back_a_rule() -> None:
    """
    A name that is set to something else is no rule any more.
    """
    assert names(Silent) == ["press"]


def test_leaves_out_what_a_driver_lacks() -> None:
    """
    A rule whose operation the driver lacks is left out.
    """
    assert names(Door, Ring) == ["press", "enter"]


def test_leaves_out_a_rule_that_may_make_what_a_driver_lacks() -> None:
    """
    A rule that makes one of two operations needs both.
    """
    with pytest.raises(ValueError, match="EnterOrRing has no rule for what the driver offers"):
        names(EnterOrRing, Ring)


def test_refuses_to_have_no_rule() -> None:
    """
    A scenario without a rule says so by name.
    """
    with pytest.raises(ValueError, match=r"DeskScenario has no rule .*; add a rule"):
        names(DeskScenario)
