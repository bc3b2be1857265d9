"""Tests of scenarios: which rules there are, in which order, and which settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from threadline import Handle, Model, Operation, Scenario, operation, pool, rule
from threadline.scenario import own_scenario

from tests.toys.desk import Desk, DeskScenario

KINDS = Desk.kinds()


class Bell(DeskScenario):
    """Rings, then keys."""

    ring = rule(Desk.ring)
    press = rule(Desk.press, key=pool(1, 2))


class Door(Bell):
    """Rings otherwise, and enters."""

    enter = rule(Desk.enter, user=pool("ana"))
    ring = rule(Desk.ring, weight=3)


class Silent(Bell):
    """Has no bell."""

    ring = None


class Shop(Model):
    """A model that says itself how it is drawn, but for one operation."""

    settings = {"limit": pool(1, 2)}

    @operation
    def open(self) -> None:
        """The shop opens."""

    @operation(weight=2, item=pool("tea"), count=pool(1, 2))
    def buy(self, item: str, count: int) -> None:
        """Something is bought."""

    @operation(item=pool("tea"))
    def send_back(self, item: str, bill: Handle) -> None:
        """Something is sent back, with its bill."""


class Everyday(Scenario[Shop]):
    """All that is drawn without a word, and one operation in its own way."""

    buy_much = rule(Shop.buy, count=pool(99))


class Quiet(Everyday):
    """Sells one thing alone, and opens no more."""

    buy = rule(Shop.buy, item="tea", count=1)
    open = None


class Unlimited(Everyday):
    """Has other settings than the model."""

    settings = {"limit": pool(None)}


class Stall(Model):
    """A model that says how all is drawn."""

    settings = {"limit": pool(7)}

    @operation(item=pool("tea"))
    def buy(self, item: str) -> None:
        """Something is bought."""


def names(scenario: type[Scenario[Any]], *lacks: type[Operation]) -> list[str]:
    return [rule.name for rule in scenario.rules(lacks)]


def test_lists_rules_in_the_order_of_definition() -> None:
    """Rules come in the order in which they stand in the class."""
    assert names(Bell) == ["ring", "press"]


def test_inherits_rules() -> None:
    """The rules of a base come first; one that is defined again keeps its place."""
    assert names(Door) == ["ring", "press", "enter"]


def test_takes_the_rule_of_the_derived_class() -> None:
    """A rule that is defined again is the new one."""
    assert Door.rules()[0].weight == 3


def test_takes_back_a_rule() -> None:
    """A name that is set to something else is no rule any more."""
    assert names(Silent) == ["press"]


def test_begins_with_the_operations_that_have_all_their_pools() -> None:
    """An operation that says how it is drawn needs no rule; one that does not is not played."""
    assert names(Everyday) == ["open", "buy", "buy_much"]


def test_puts_a_rule_in_the_place_of_the_operation_of_its_name() -> None:
    """A rule called as an operation is how that is drawn here, and None takes the operation out."""
    assert names(Quiet) == ["buy", "buy_much"]
    assert str(Quiet.rules()[0].make()) == "buy(item='tea', count=1)"


def test_draws_an_operation_as_it_says_itself() -> None:
    """The rule of an operation has its pools and its weight."""
    buy = Everyday.rules()[1]

    assert buy.weight == 2
    assert [values.constant for _, values in buy.pools] == [("tea",), (1, 2)]


def test_begins_with_nothing_where_it_is_bare() -> None:
    """A bare scenario, and one derived from it, has the rules alone that it lists."""
    assert "enter" not in names(Silent)


def test_leaves_out_what_a_driver_lacks() -> None:
    """A rule whose operation the driver lacks is left out."""
    assert names(Door, KINDS["ring"]) == ["press", "enter"]


def test_leaves_out_every_rule_of_what_a_driver_lacks() -> None:
    """An operation that is lacking is left out under whatever name it is drawn."""
    assert names(Everyday, Shop.kinds()["buy"]) == ["open"]


def test_refuses_to_have_no_rule() -> None:
    """A scenario without a rule says so by name."""
    with pytest.raises(ValueError, match=r"DeskScenario has no rule .*; add a rule"):
        names(DeskScenario)


@pytest.mark.parametrize(("scenario", "limits"), [(Everyday, (1, 2)), (Unlimited, (None,))])
def test_draws_the_settings_of_its_model(
    scenario: type[Scenario[Any]], limits: tuple[object, ...]
) -> None:
    """A scenario has the settings of its model, unless it has its own."""
    assert scenario.settings["limit"].constant == limits


def test_changes_each_rule() -> None:
    """A changed scenario is the same in all but its rules."""
    louder = Door.changed(lambda rule: replace(rule, weight=rule.weight + 1))

    assert (louder.__name__, names(louder)) == ("Door", names(Door))
    assert [rule.weight for rule in louder.rules()] == [4, 2, 2]
    assert [rule.weight for rule in Door.rules()] == [3, 1, 1]


def test_a_change_brings_back_nothing_that_was_taken_out() -> None:
    """What a scenario has taken out of its model is not in the changed one."""
    assert names(Quiet.changed(lambda rule: rule)) == ["buy", "buy_much"]


def test_a_model_is_a_scenario() -> None:
    """All operations with their own pools, under the model's name, settings and docstring."""
    own = own_scenario(Stall)

    assert names(own) == ["buy"]
    assert own.settings is Stall.settings
    assert (own.__name__, own.__doc__) == ("Stall", "A model that says how all is drawn.")


def test_a_model_without_all_its_pools_is_no_scenario() -> None:
    """An argument without a pool is told, with what to write."""
    message = r"Shop\.send_back has no pool for bill; give it one, @operation\(bill=pool"

    with pytest.raises(TypeError, match=message):
        own_scenario(Shop)
