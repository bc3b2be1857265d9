"""Tests of minimising by what the scenario could have tried instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from threadline import Handle, Operation, pool, rule
from threadline.failure import Property, Signature
from threadline.minimise.fixpoint import Minimised, minimise
from threadline.trace import Trace

from tests.toys.desk import TICKETS, Desk, DeskDriver, Desks, DeskScenario, header

ON_RING = Signature(Property.CONTINUITY, "ring", "refused")


class Sized(DeskScenario):
    """A desk of several sizes."""

    settings = {"size": pool(1, 2, 3)}

    enter = rule(Desk.enter, user=pool("ana", "ben"))
    leave = rule(Desk.leave, ticket=TICKETS)
    press = rule(Desk.press, key=pool(0, 1))
    ring = rule(Desk.ring)


class FullDesks(Desks):
    """Desks that break at a ring when as many lines are in the log as their size says."""

    def __call__(self, **settings: int) -> DeskDriver:
        self.made.append(DeskDriver(lambda log: log[-1] == "ring" and len(log) > settings["size"]))
        return self.made[-1]


def minimised(
    desks: Desks, *operations: Operation, scenario: type[Sized] | None = Sized
) -> Minimised:
    whole = Trace(replace(header(), settings={"size": 3}), tuple(enumerate(operations, 1)))
    return minimise(whole, ON_RING, desks.runs(), scenario)


def breaks(is_broken: Callable[[list[str]], bool]) -> Desks:
    return Desks(lambda log: log[-1] == "ring" and is_broken(log))


def steps(least: Minimised) -> list[str]:
    return [f"{number} {operation}" for number, operation in least.trace.operations]


def test_takes_the_simplest_settings() -> None:
    """Settings that the failure does not need are the first ones of their pools."""
    least = minimised(breaks(lambda log: True), Desk.ring())

    assert least.trace.header.settings == {"size": 1}


def test_takes_settings_under_which_fewer_operations_are_enough() -> None:
    """A limit of three that is broken in four steps becomes one of one, broken in two."""
    least = minimised(FullDesks(), Desk.press(0), Desk.press(0), Desk.press(0), Desk.ring())

    assert steps(least) == ["1 press(key=0)", "2 ring()"]
    assert least.trace.header.settings == {"size": 1}


def test_leaves_settings_alone_without_a_scenario() -> None:
    """Without pools there is nothing to take a simpler value from."""
    least = minimised(
        FullDesks(), Desk.press(0), Desk.press(0), Desk.press(0), Desk.ring(), scenario=None
    )

    assert len(least.trace.operations) == 4
    assert least.trace.header.settings == {"size": 3}


def test_puts_one_operation_in_the_place_of_two() -> None:
    """Where another operation does what two did, it takes their place."""
    left_or_pressed = breaks(lambda log: "press 0" in log or "leave ticket 1" in log)

    least = minimised(left_or_pressed, Desk.enter("ana"), Desk.leave(Handle("t", 1)), Desk.ring())

    assert steps(least) == ["1 press(key=0)", "2 ring()"]


def test_puts_in_place_what_needs_no_handle() -> None:
    """An operation on what an earlier one made gives way to one that stands alone."""
    third = breaks(lambda log: len(log) == 3)

    least = minimised(third, Desk.enter("ana"), Desk.leave(Handle("t", 1)), Desk.ring())

    assert steps(least) == ["1 enter(user='ana')", "2 enter(user='ana')", "3 ring()"]


def test_shortens_by_two_values_at_once() -> None:
    """
    Where the shorter sequences are few they are all tried, so that no single step need lead there.
    """
    other = breaks(lambda log: log[:-1] in (["press 0", "press 0"], ["enter ben"]))

    least = minimised(other, Desk.press(0), Desk.press(0), Desk.ring())

    assert steps(least) == ["1 enter(user='ben')", "2 ring()"]


class ManyKeys(Sized):
    """A desk with more keys than can all be tried in each place."""

    press = rule(Desk.press, key=pool(*range(200)))


def test_puts_one_other_value_in_the_place_of_two_operations() -> None:
    """Where much can come, a kind that occurs is still tried with a value that does not."""

    def is_broken(log: list[str]) -> bool:
        return "press 0" in log and ("press 150" in log or "leave ticket 1" in log)

    least = minimised(
        breaks(is_broken),
        Desk.press(0),
        Desk.enter("ana"),
        Desk.leave(Handle("t", 2)),
        Desk.ring(),
        scenario=ManyKeys,
    )

    assert steps(least) == ["1 press(key=0)", "2 press(key=150)", "3 ring()"]
