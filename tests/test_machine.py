"""Tests of the machine that Hypothesis steps, and of the traps that it must not fall into."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis.errors import UnsatisfiedAssumption
from threadline import Scenario, pool, rule
from threadline.failure import Divergence, Property, Signature
from threadline.lockstep.run import Batch, replay
from threadline.search.machine import CHUNK_RUNS, Chunks, Machine, Watch, machine, settings

from tests.toys.desk import TICKETS, Desk, Desks, DeskScenario, Sized, header

KINDS = Desk.kinds()
ON_RING = Signature(Property.CONTINUITY, "ring", "refused")
ON_PRESS = Signature(Property.CONTINUITY, "press", "refused")


class Everything(DeskScenario):
    """All that can be done at a desk."""

    enter = rule(Desk.enter, user=pool("ana", "ben"))
    leave = rule(Desk.leave, ticket=TICKETS)
    press = rule(Desk.press, key=pool(1, 2, 3))
    ring = rule(Desk.ring, when=lambda now: now.model.tickets)


class Couples(DeskScenario):
    """Draws what a user is item by item, and the arguments of a press together."""

    enter = rule(Desk.enter, user=(pool("ana", "ben"), pool("cyd")))  # type: ignore[threadline]  # on purpose
    press = rule(Desk.press, pool((1,), (2,)))


def rings(log: list[str]) -> bool:
    return log[-1] == "ring"


def rings_or_presses_two(log: list[str]) -> bool:
    return log[-1] in {"ring", "press 2"}


def presses_three(log: list[str]) -> bool:
    return log[-1] == "press 3"


def rejects_two(log: list[str]) -> bool:
    if log[-1] == "press 2":
        raise UnsatisfiedAssumption
    return False


def derived(is_broken: Callable[[list[str]], bool], watch: Watch | None = None) -> type[Machine]:
    return machine(Everything, Desks(is_broken).runs(), header(), watch)


def run(of: type[Machine], runs: int = 50) -> None:
    stateful.run_state_machine_as_test(hypothesis.seed(1)(of), settings=settings(10, runs))


def chunks(scenario: type[Scenario[Any]], desks: Desks, runs: int, *, seed: int = 1) -> list[Batch]:
    return list(Chunks(scenario, desks.runs(), header(seed=seed)).batches(runs_max=runs))


def test_is_named_after_scenario_and_driver() -> None:
    """Machines of two drivers share no examples, because their names differ."""
    assert derived(rings).__name__ == "Everything[tests.toys.desk:DeskDriver]"


def test_plays_what_the_scenario_offers() -> None:
    """The machine steps every rule of its scenario."""
    desks = Desks()
    run(machine(Everything, desks.runs(), header()))

    kinds = {line.partition(" ")[0] for log in desks.logs for line in log}
    assert kinds == {"enter", "leave", "press", "ring"}


def test_draws_tuples_and_arguments_together() -> None:
    """The items of a tuple, and arguments that one pool gives together, are drawn as others are."""
    desks = Desks()
    run(machine(Couples, desks.runs(), header()))

    assert {line for log in desks.logs for line in log} == {
        "enter ('ana', 'cyd')",
        "enter ('ben', 'cyd')",
        "press 1",
        "press 2",
    }


def test_fires_no_rule_against_its_precondition() -> None:
    """The bell is rung only by those who have a ticket."""
    desks = Desks()
    run(machine(Everything, desks.runs(), header()))

    assert {log[0].partition(" ")[0] for log in desks.logs if log} == {"enter", "press"}


def test_leaves_out_what_a_driver_lacks() -> None:
    """A rule whose operation the driver lacks is no rule of the machine."""
    desks = Desks()
    run(machine(Everything, desks.runs(lacks=(KINDS["ring"], KINDS["leave"])), header()))

    assert {line.partition(" ")[0] for log in desks.logs for line in log} == {"enter", "press"}


def test_shrinks_to_the_shortest_run() -> None:
    """Hypothesis raises its shortest run, as the subclass by which it tells failures apart."""
    with pytest.raises(Divergence) as raised:
        run(derived(rings))

    assert type(raised.value).__name__ == "ContinuityRingRefused"
    assert [str(step) for step in raised.value.failure.steps] == [
        "1 enter(user='ana')",
        "2 ring()",
    ]


def test_returns_nothing_from_its_methods() -> None:
    """Neither beginning nor taking a step returns a value, which Hypothesis would refuse."""
    alone = derived(presses_three)()

    assert alone.begin() is None  # type: ignore[func-returns-value]  # the claim
    assert alone.take(Everything.rules()[0], {"user": "ana"}) is None  # type: ignore[func-returns-value]
    alone.teardown()


def test_takes_what_hypothesis_raises_within_a_system_for_its_failure() -> None:
    """A system that raises what assume raises has failed: a driver decides nothing."""
    alone = derived(rejects_two)()
    alone.begin()

    with pytest.raises(Divergence):
        alone.take(Everything.rules()[2], {"key": 2})


def test_draws_settings() -> None:
    """Each value of a setting is given to some system, and to the model beside it."""
    desks = Desks()
    run(machine(Sized, desks.runs(), header()))

    assert {(desk.size, line) for desk in desks.made for line in desk.log} == {
        (1, "press 1"),
        (2, "press 2"),
        (3, "press 3"),
    }


@pytest.mark.parametrize("ci", ["true", "1", "false"])
def test_is_as_random_under_ci_as_elsewhere(monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    """
    Hypothesis's own profile for CI does not derandomise us, and no profile gives us a database.
    """
    monkeypatch.setenv("CI", ci)
    hypothesis.settings.register_profile("as-in-ci", derandomize=True, database=None)
    monkeypatch.setattr(hypothesis.settings, "_current_profile", "as-in-ci", raising=False)

    ours = settings(10, 50)

    assert (ours.derandomize, ours.database) == (False, None)


@pytest.mark.parametrize(("seed", "is_same"), [(1, True), (2, False)])
def test_plays_a_chunk_by_its_seed(seed: int, *, is_same: bool) -> None:
    """A seed fixes every run of a chunk, and two seeds play different runs."""
    one, other = Desks(), Desks()
    chunks(Everything, one, 20, seed=1)
    chunks(Everything, other, 20, seed=seed)
    assert (one.logs == other.logs) is is_same


def test_plays_every_chunk_anew() -> None:
    """The second chunk of a campaign does not repeat the first."""
    desks = Desks()
    batches = Chunks(Everything, desks.runs(), header()).batches()
    next(batches)
    first = desks.logs
    desks.made.clear()
    next(batches)

    assert first[:CHUNK_RUNS] != desks.logs[:CHUNK_RUNS]


def test_plays_as_many_runs_as_it_is_asked_for() -> None:
    """Chunks end when their runs add up to what was asked for, or a little more."""
    runs = [batch.runs for batch in chunks(Sized, Desks(), CHUNK_RUNS + 30)]

    assert len(runs) == 2
    assert 130 <= sum(runs) <= 150


def test_hides_no_failure_behind_a_known_one() -> None:
    """Where one failure is frequent, another is found in a later chunk."""
    batches = chunks(Everything, Desks(rings_or_presses_two), 300)
    signatures = [batch.failure.signature for batch in batches if batch.failure]

    assert set(signatures) == {ON_RING, ON_PRESS}


def test_counts_each_run_that_a_known_failure_ends() -> None:
    """A failure that is known is told of once for each run that it ends, with no run of its own."""
    desks = Desks(rings)
    batches = Chunks(Everything, desks.runs(), header()).batches()
    next(batches)
    desks.made.clear()
    first = next(batches)
    masked = [first, *islice(batches, sum("ring" in log for log in desks.logs))]

    assert {batch.failure.signature for batch in masked[:-1] if batch.failure} == {ON_RING}
    assert {batch.runs for batch in masked[:-1]} == {0}
    assert masked[-1].failure is None
    assert masked[-1].runs >= CHUNK_RUNS


def test_ends_a_run_at_a_known_failure() -> None:
    """A masked failure ends its run all the same, for model and system have parted."""
    desks = Desks(rings)
    run(machine(Everything, desks.runs(), header(), Watch(masked=frozenset({ON_RING}))))

    assert {log.index("ring") - len(log) for log in desks.logs if "ring" in log} == {-1}


def test_masks_what_it_is_told_to() -> None:
    """A failure that is known is noted, and Hypothesis does not hear of it."""
    watch = Watch(masked=frozenset({ON_RING}))
    run(derived(rings, watch))

    assert watch.failure is None
    assert {failure.signature for failure, _ in watch.masked_failures} == {ON_RING}


def test_tells_the_settings_with_which_it_failed() -> None:
    """The trace of a failing chunk replays, because its header has the settings that were drawn."""
    desks = Desks(presses_three)
    failing = next(batch for batch in chunks(Sized, desks, 100) if batch.failure)
    trace = failing.trace()

    assert trace.header.settings == {"size": 3}
    assert replay(desks.runs(), trace.header, trace.operations) is not None
