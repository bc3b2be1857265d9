"""Tests of the explorer: a seeded loop over runs, each with a search policy of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from threadline import Scenario, pool, rule
from threadline.history import lines
from threadline.lockstep.run import Batch
from threadline.search import explore
from threadline.search.explore import Explorer

from tests.toys.desk import CODE, TICKETS, Desk, Desks, DeskScenario, Sized, header


class Everything(DeskScenario):
    """All that can be done at a desk."""

    enter = rule(Desk.enter, user=pool("ana", "ben"))
    leave = rule(Desk.leave, ticket=TICKETS)
    press = rule(Desk.press, key=pool(1, 2, 3))
    ring = rule(Desk.ring)


class Keys(DeskScenario):
    """Nothing but keys, of which only five in the right order lead anywhere."""

    press = rule(Desk.press, key=pool(0, 1, 2, 3, 4, 5, 6, 7))


class EmptyHanded(DeskScenario):
    """Can only leave, and has nothing to leave with."""

    leave = rule(Desk.leave, ticket=TICKETS)


def has_keyed_the_code(log: list[str]) -> bool:
    return log[-5:] == CODE


def has_two_rings(log: list[str]) -> bool:
    return log.count("ring") == 2


def play(
    scenario: type[Scenario[Any]], desks: Desks, runs: int, *, seed: int = 0, steps: int = 10
) -> list[Batch]:
    batches = Explorer(scenario, desks.runs(), header(steps=steps, seed=seed)).batches()
    return list(islice(batches, runs))


def logs(seed: int) -> list[list[str]]:
    desks = Desks()
    play(Everything, desks, 100, seed=seed)
    return desks.logs


def policies(batches: Sequence[Batch]) -> Counter[str]:
    return Counter(batch.header.tactic for batch in batches)


def test_plays_by_its_seed() -> None:
    """A seed fixes every operation; another seed, and hardly any two runs of one, play the same."""
    assert logs(seed=5) == logs(seed=5)
    assert logs(seed=5) != logs(seed=6)
    assert len(set(map(tuple, logs(seed=5)))) > 95


def test_numbers_its_runs() -> None:
    """Each run has its number in the header, from the first that was asked for."""
    batches = Explorer(Everything, Desks().runs(), header()).batches(first_run=7)

    assert [batch.header.run for batch in islice(batches, 3)] == [7, 8, 9]


def test_tries_every_tactic() -> None:
    """In 300 runs every policy has its turn, and the one without a blind spot a third of them."""
    found = policies(play(Everything, Desks(), 300))
    assert found.keys() == {"uniform", "swarm", "weights", "least-used", "novelty"}
    assert found["uniform"] >= 100


def test_plays_up_to_the_step_limit() -> None:
    """The longest runs have as many steps as the header allows, and none has more."""
    assert max(batch.steps for batch in play(Everything, Desks(), 100, steps=7)) == 7


def test_counts_no_step_for_a_refused_draw() -> None:
    """A draw for which no rule can fire costs no step, and the run ends all the same."""
    assert [batch.steps for batch in play(EmptyHanded, Desks(), 20)] == [0] * 20


def test_numbers_steps_without_gaps() -> None:
    """The steps of a failing run are numbered from 1 on, whatever was refused between them."""
    failures = [batch.failure for batch in play(Everything, Desks(has_two_rings), 50)]
    steps = next(failure.steps for failure in failures if failure and len(failure.steps) == 6)

    assert [line.partition(" ")[0] for line in lines(steps)] == ["1", "2", "3", "4", "5", "6"]


def test_ends_a_run_at_its_failure() -> None:
    """A run that fails has the failing operation for its last."""
    desks = Desks(has_two_rings)
    batches = play(Everything, desks, 50)
    failed = next(index for index, batch in enumerate(batches) if batch.failure)

    assert desks.logs[failed][-1] == "ring"
    assert desks.logs[failed].count("ring") == 2


def test_gives_model_and_system_the_same_settings() -> None:
    """Each value of a setting is given to some system, to its model, and told in its header."""
    desks = Desks()
    batches = play(Sized, desks, 100)
    sizes = [desk.size for desk in desks.made]

    assert [batch.header.settings["size"] for batch in batches] == sizes
    assert [desk.log[0] for desk in desks.made] == [f"press {size}" for size in sizes]
    assert set(sizes) == {1, 2, 3}


@pytest.mark.parametrize(("search_policy", "finds"), [("novelty", True), ("uniform", False)])
def test_finds_by_novelty_what_hides_behind_a_protocol(
    monkeypatch: pytest.MonkeyPatch, search_policy: str, *, finds: bool
) -> None:
    """A bug behind a code of five keys out of eight is found by going on from rare states.

    It is not found by uniform draws in as many runs.
    """
    monkeypatch.setattr(explore, "SHARES", {search_policy: 1})
    batches = play(Keys, Desks(has_keyed_the_code), 300, steps=20)
    assert any(batch.failure for batch in batches) is finds


def test_keeps_states_and_not_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the explorer remembers grows with the states of the model, of which there are six."""
    monkeypatch.setattr(explore, "SHARES", {"novelty": 1})
    explorer = Explorer(Keys, Desks().runs(), header(steps=20))
    list(islice(explorer.batches(), 500))

    assert len(explorer._states) == 6


def test_keeps_no_more_states_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of many states fills the table up to STATES_MAX, and no further."""
    monkeypatch.setattr(explore, "SHARES", {"novelty": 1})
    monkeypatch.setattr(explore, "STATES_MAX", 5)
    explorer = Explorer(Everything, Desks().runs(), header(steps=20))
    list(islice(explorer.batches(), 50))

    assert (len(explorer._states), len(explorer._in_order)) == (5, 5)
