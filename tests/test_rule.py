"""Tests of rules: from values out of pools to one operation."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import pytest
from threadline import Handle, Model, Now, Scenario, operation, pool, rule
from threadline.rule import Rule

USERS = pool("ana", "ben")
ROOMS = pool("attic", "cellar")
MEETINGS = pool(("ana", "attic"), ("ben", "cellar"))


class Meeting(NamedTuple):
    """Arguments that are given together, by name."""

    room: str
    hour: int


class House(Model):
    """A house that some enter, and some stay in."""

    @operation(weight=2, room=ROOMS, when=lambda now: now.step > 1)
    def enter(self, user: str, room: str) -> None:
        """A user enters a room."""

    @operation
    def meet(self, user: str, room: str, hour: int = 9) -> None:
        """A user is met in a room."""

    @operation
    def write(self, address: tuple[str, str]) -> None:
        """A letter is sent to a user in a room."""

    @operation
    def leave(self) -> None:
        """All leave."""


class Visit(Scenario[House], bare=True):
    """One rule of each form."""

    enter = rule(House.enter, user=USERS)
    enter_late = rule(House.enter, user=USERS, weight=5, when=lambda now: now.step < 4)
    enter_cellar = rule(House.enter, user=USERS, room="cellar")
    meet = rule(House.meet, room=ROOMS, hour=pool(9), user=USERS)
    meet_there = rule(House.meet, MEETINGS, hour=pool(8, 9))
    meet_then = rule(House.meet, pool(Meeting("attic", 7)), user=USERS)
    write = rule(House.write, address=(USERS, ROOMS))
    leave = rule(House.leave)


class Alone(Scenario[House], bare=True):
    """Still without a rule."""


RULES: dict[str, Rule] = {each.name: each for each in Visit.rules()}


def made(name: str, *values: object) -> str:
    return str(RULES[name].make(*values))


def pools(name: str) -> list[str]:
    return [pool for pool, _ in RULES[name].pools]


def tried(draft: Any) -> Rule:
    """Return a rule as a scenario of the house has it."""
    scenario: Any = type("Tried", (Alone,), {"tried": draft})
    (found,) = scenario.rules()
    return cast("Rule", found)


def test_is_called_as_its_scenario_calls_it() -> None:
    """A rule has the name under which it stands in its scenario."""
    assert RULES["enter_late"].name == "enter_late"


def test_takes_its_pools_in_the_order_of_the_arguments() -> None:
    """The order of pools is that of the operation's arguments, however they were given."""
    assert pools("meet") == ["user", "room", "hour"]


def test_makes_an_operation_of_values() -> None:
    """Values in the order of the pools give the operation."""
    assert RULES["meet"].make("ben", "attic", 9) == House.meet("ben", "attic", 9)


def test_makes_an_operation_without_arguments() -> None:
    """A rule of an operation that takes nothing needs no value."""
    assert RULES["leave"].make() == House.leave()


def test_knows_what_it_makes() -> None:
    """A rule tells its operation, so that what a driver lacks can be left out."""
    assert RULES["enter_late"].operation is House.kinds()["enter"]


def test_takes_the_pools_of_the_operation_where_it_has_none() -> None:
    """An argument that a rule does not name is drawn as its operation says."""
    assert RULES["enter"].pools == (("user", USERS), ("room", ROOMS))


def test_takes_the_weight_of_the_operation_where_it_has_none() -> None:
    """A rule is tried as often as its operation says, unless it says it itself."""
    assert (RULES["enter"].weight, RULES["enter_late"].weight, RULES["leave"].weight) == (2, 5, 1)


def test_gives_a_value_that_is_no_pool_always() -> None:
    """A constant is drawn from nothing, and is in every operation."""
    assert pools("enter_cellar") == ["user"]
    assert made("enter_cellar", "ana") == "enter(user='ana', room='cellar')"


def test_gives_a_tuple_of_what_a_tuple_of_pools_gives() -> None:
    """An argument that is a tuple is drawn item by item."""
    assert pools("write") == ["address.0", "address.1"]
    assert made("write", "ana", "attic") == "write(address=('ana', 'attic'))"


def test_gives_several_arguments_together() -> None:
    """A pool of tuples gives the first arguments, beside the pools of the others."""
    assert pools("meet_there") == ["together", "hour"]
    assert made("meet_there", ("ben", "cellar"), 8) == "meet(user='ben', room='cellar', hour=8)"


def test_gives_arguments_together_by_name() -> None:
    """A named tuple gives the arguments that it has fields for."""
    meeting = Meeting("attic", 7)

    assert made("meet_then", meeting, "ben") == "meet(user='ben', room='attic', hour=7)"


@pytest.mark.parametrize("value", [("ana",), ("ana", "attic", 9, "too many")])
def test_refuses_another_number_of_arguments_together(value: tuple[object, ...]) -> None:
    """
    A pool of tuples that gives too few arguments, or too many, is no way to call an operation.
    """
    with pytest.raises(TypeError, match=r"meet|Meet"):
        tried(rule(House.meet, pool(value))).make(value)


@pytest.mark.parametrize("value", [Handle("t", 1), "ana", 7])
def test_refuses_what_gives_nothing_together(value: object) -> None:
    """A pool without a name that gives one argument is refused, with what to write."""
    with pytest.raises(
        TypeError, match="together, as a tuple; a pool of one argument has its name"
    ):
        tried(rule(House.meet, pool(value))).make(value)


@pytest.mark.parametrize(("step", "may"), [(1, False), (2, True)])
def test_fires_when_the_precondition_of_its_operation_holds(step: int, *, may: bool) -> None:
    """A rule may fire only when that holds which its operation needs."""
    assert RULES["enter"].may_fire(Now(None, step)) is may


@pytest.mark.parametrize(("step", "may"), [(1, False), (2, True), (3, True), (4, False)])
def test_fires_when_both_preconditions_hold(step: int, *, may: bool) -> None:
    """A rule's own precondition is beside that of its operation, not in its place."""
    assert RULES["enter_late"].may_fire(Now(None, step)) is may


def test_fires_always_without_a_precondition() -> None:
    """A rule without a precondition may always fire."""
    assert RULES["leave"].may_fire(Now(None))


@pytest.mark.parametrize(
    ("given", "has"), [({}, "nothing"), ({"user": USERS}, "user"), ({"users": USERS}, "users")]
)
def test_refuses_arguments_without_a_pool(given: dict[str, Any], has: str) -> None:
    """An argument without a pool of its name is refused, saying what was given."""
    takes = "rule tried: meet takes user, room, hour"

    with pytest.raises(TypeError, match=f"{takes}, and has pools for {has}; give each argument"):
        tried(rule(House.meet, **given))


def test_refuses_a_pool_without_an_argument() -> None:
    """A pool whose name is no argument's is refused, also beside all that are needed."""
    with pytest.raises(
        TypeError, match="enter takes user, room, and has pools for room, user, key"
    ):
        tried(rule(House.enter, user=USERS, key=USERS))  # type: ignore[threadline]  # on purpose


class Garden(Model):
    """Another model, with an operation of the same name."""

    @operation(user=USERS, room=ROOMS)
    def enter(self, user: str, room: str) -> None:
        """A user enters the garden."""


@pytest.mark.parametrize("stranger", [Garden.enter, House.enter("ana", "attic"), len])
def test_refuses_what_is_no_operation_of_its_model(stranger: Any) -> None:
    """A rule of another model's operation is refused, with what to write."""
    with pytest.raises(TypeError, match=r"no operation of House; write rule\(House\.NAME\)"):
        tried(rule(stranger, user=USERS))


class Villa(House):
    """The same, drawn otherwise."""

    @operation(user=pool("cyd"))
    def meet(self, user: str, room: str, hour: int = 9) -> None:
        """A user is met in a room of the villa."""


class AtTheVilla(Scenario[Villa], bare=True):
    """What is written for the house serves the villa."""

    meet = rule(House.meet, room=ROOMS, hour=8)  # type: ignore[threadline]  # on purpose


def test_takes_the_pools_of_the_model_that_it_is_played_on() -> None:
    """A rule of a base model's operation is drawn as the derived model says."""
    (meet,) = AtTheVilla.rules()

    assert meet.make("cyd", "attic") == House.meet("cyd", "attic", 8)
    assert [values.constant for _, values in meet.pools] == [("cyd",), ("attic", "cellar")]
