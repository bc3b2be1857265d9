"""Tests of the exhaustive search: exactly which sequences it plays."""

from __future__ import annotations

from typing import Any

import pytest
from threadline import Scenario, pool, rule
from threadline.search.exhaust import Exhaust

from tests.toys.desk import TICKETS, Desk, Desks, DeskScenario, header

ANY = pool("ana", "ben")
ALIKE = pool("ana", "ben", symmetric=True)


class Plain(DeskScenario):
    """Two users that are not interchangeable."""

    enter = rule(Desk.enter, user=ANY)
    ring = rule(Desk.ring)


class Symmetric(DeskScenario):
    """Two users that are."""

    enter = rule(Desk.enter, user=ALIKE)
    ring = rule(Desk.ring)


class Hidden(DeskScenario):
    """Two users that are, each of whom an operation names within a tuple."""

    enter = rule(Desk.enter, user=(ALIKE, pool("desk")))  # type: ignore[threadline]  # on purpose


class Visits(DeskScenario):
    """Who has entered can leave, once."""

    enter = rule(Desk.enter, user="ana", when=lambda now: not now.model.tickets)
    leave = rule(Desk.leave, ticket=TICKETS, when=lambda now: now.step < 4)


class Once(DeskScenario):
    """Can ring once, and then nothing."""

    ring = rule(Desk.ring, when=lambda now: now.step == 1)


class Sized(DeskScenario):
    """Two settings, of two values each."""

    settings = {"size": pool(1, 2)}

    press = rule(Desk.press, key=pool(7, 8))


def has_ben_first(log: list[str]) -> bool:
    return log[0] == "enter ben"


def has_rung_second(log: list[str]) -> bool:
    return log[1:] == ["ring"]


def played(scenario: type[Scenario[Any]], desks: Desks, depth: int) -> list[str]:
    """Return each sequence that is played, its operations after one another."""
    exhaust = Exhaust(scenario, desks.runs(), header(steps=depth))
    assert len(list(exhaust.batches())) == len(desks.made)
    return [", ".join(log) for log in desks.logs]


def estimated(scenario: type[Scenario[Any]], depth: int) -> int:
    return Exhaust(scenario, Desks().runs(), header(steps=depth)).estimate()


def test_plays_every_sequence_of_two() -> None:
    """Two rules and two users give nine sequences of two operations, each played once."""
    assert played(Plain, Desks(), 2) == [
        "enter ana, enter ana",
        "enter ana, enter ben",
        "enter ana, ring",
        "enter ben, enter ana",
        "enter ben, enter ben",
        "enter ben, ring",
        "ring, enter ana",
        "ring, enter ben",
        "ring, ring",
    ]


def test_plays_every_sequence_of_three() -> None:
    """The same give 27 sequences of three, no two alike."""
    sequences = played(Plain, Desks(), 3)

    assert (len(sequences), len(set(sequences))) == (27, 27)


def test_collapses_users_that_are_symmetric() -> None:
    """Of users that are interchangeable, the second comes only after the first."""
    assert played(Symmetric, Desks(), 2) == [
        "enter ana, enter ana",
        "enter ana, enter ben",
        "enter ana, ring",
        "ring, enter ana",
        "ring, ring",
    ]


def test_collapses_users_at_any_depth() -> None:
    """At depth three, one half of the sequences with a user is left."""
    assert played(Symmetric, Desks(), 3) == [
        "enter ana, enter ana, enter ana",
        "enter ana, enter ana, enter ben",
        "enter ana, enter ana, ring",
        "enter ana, enter ben, enter ana",
        "enter ana, enter ben, enter ben",
        "enter ana, enter ben, ring",
        "enter ana, ring, enter ana",
        "enter ana, ring, enter ben",
        "enter ana, ring, ring",
        "ring, enter ana, enter ana",
        "ring, enter ana, enter ben",
        "ring, enter ana, ring",
        "ring, ring, enter ana",
        "ring, ring, ring",
    ]


def test_collapses_no_user_that_an_operation_hides() -> None:
    """A user counts as named once drawn, wherever in an argument the name stands."""
    assert played(Hidden, Desks(), 2) == [
        "enter ('ana', 'desk'), enter ('ana', 'desk')",
        "enter ('ana', 'desk'), enter ('ben', 'desk')",
    ]


def test_follows_pools_and_preconditions() -> None:
    """What can be tried depends on what was done."""
    assert played(Visits, Desks(), 4) == ["enter ana, leave ticket 1, enter ana"]


def test_ends_a_sequence_where_nothing_can_fire() -> None:
    """A sequence is shorter than the depth where no rule can fire any more."""
    assert played(Once, Desks(), 5) == ["ring"]


def test_makes_no_failing_sequence_longer() -> None:
    """What has failed is not played on, and nothing else is left out."""
    assert played(Plain, Desks(has_ben_first), 2) == [
        "enter ana, enter ana",
        "enter ana, enter ben",
        "enter ana, ring",
        "enter ben",
        "ring, enter ana",
        "ring, enter ben",
        "ring, ring",
    ]


def test_goes_on_beside_a_failing_sequence() -> None:
    """A failure at the second step leaves out its own continuations alone."""
    sequences = played(Plain, Desks(has_rung_second), 3)

    assert len(sequences) == 21
    assert [line for line in sequences if line.endswith("ring") and line.count(",") == 1] == [
        "enter ana, ring",
        "enter ben, ring",
        "ring, ring",
    ]


def test_tells_each_failure() -> None:
    """The failures come with the sequences that they ended."""
    batches = list(Exhaust(Plain, Desks(has_rung_second).runs(), header(steps=3)).batches())

    assert [str(batch.failure.step) for batch in batches if batch.failure] == [
        "2 ring()",
        "2 ring()",
        "2 ring()",
    ]


def test_plays_under_every_setting() -> None:
    """All sequences are played under each value of a setting."""
    desks = Desks()

    assert played(Sized, desks, 1) == ["press 7", "press 8", "press 7", "press 8"]
    assert [desk.size for desk in desks.made] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("scenario", "depth", "least", "most"),
    [
        (Plain, 3, 27, 27),
        (Symmetric, 3, 7, 28),
        (Sized, 3, 16, 16),
        (Visits, 4, 1, 1),
        (Once, 5, 1, 1),
    ],
)
def test_estimates_within_a_factor_of_two(
    scenario: type[Scenario[Any]], depth: int, least: int, most: int
) -> None:
    """The estimate is at least half and at most twice the number of sequences."""
    assert least <= estimated(scenario, depth) <= most
