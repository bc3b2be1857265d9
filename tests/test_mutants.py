"""Every mutant dies, soon and in the fewest steps; the clean store lives."""

from __future__ import annotations

from itertools import islice

import pytest

from harness.exhaust import Exhaust, narrowed
from harness.explore import Explorer
from harness.failure import Failure
from harness.mutant import PROVABLE, Kill, Mutant, kill
from harness.run import Runs, replay
from harness.target import Target, load_target
from harness.trace import Header, Recorder
from scenarios.store import Store
from tests.mutants.store import MUTANTS

every_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
other_seeds = pytest.mark.parametrize("seed", [1, 2, 3, 4])


def target_of(mutant: Mutant) -> Target:
    return load_target(f"tests.mutants.store:{mutant.name}")


def hunt(mutant: Mutant, seed: int) -> Kill:
    return kill(mutant, target_of(mutant), engine="explore", seed=seed, runs_max=200)


def shorter_failures(died: Kill) -> list[str]:
    """Return what fails alike in fewer steps, of all sequences of the values that occur."""
    assert died.minimised is not None
    operations = [operation for _, operation in died.minimised.trace.operations]
    runs = Runs(target_of(died.mutant), Recorder(None))
    header = Header("conversation_store", died.mutant.name, steps_max=died.steps - 1)
    batches = Exhaust(narrowed(Store, operations), runs, header).batches()
    failures = (batch.failure for batch in batches if batch.failure)
    return [str(failure.step) for failure in failures if failure.signature == died.signature]


def failures_without_one(died: Kill) -> list[Failure]:
    """Return how the minimised trace still fails alike with one of its operations left out."""
    assert died.minimised is not None
    header, operations = died.minimised.trace.header, died.minimised.trace.operations
    runs = Runs(target_of(died.mutant), Recorder(None))
    shorter = (operations[:n] + operations[n + 1 :] for n in range(len(operations)))
    failures = (replay(runs, header, kept) for kept in shorter)
    return [one for one in failures if one and one.signature == died.signature]


@every_mutant
def test_explore_kills_the_mutant_in_the_fewest_steps(mutant: Mutant) -> None:
    """
    200 runs of seed 0 are enough, and the minimised trace is as short as is known to be possible.
    """
    assert hunt(mutant, seed=0).is_minimal


@pytest.mark.slow
@other_seeds
@every_mutant
def test_explore_kills_the_mutant_on_other_seeds(mutant: Mutant, seed: int) -> None:
    """
    Seed 0 was not lucky.
    """
    assert hunt(mutant, seed).is_minimal


@every_mutant
def test_hypothesis_kills_the_mutant_in_the_fewest_steps(mutant: Mutant) -> None:
    """
    The same scenario finds the same bug as a Hypothesis machine, within 400 runs.
    """
    assert kill(mutant, target_of(mutant), engine="hypothesis", seed=0, runs_max=400).is_minimal


@pytest.mark.slow
@other_seeds
@every_mutant
def test_hypothesis_kills_the_mutant_on_other_seeds(mutant: Mutant, seed: int) -> None:
    """
    Seed 0 was not lucky with Hypothesis either.
    """
    assert kill(mutant, target_of(mutant), engine="hypothesis", seed=seed, runs_max=400).is_minimal


@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if min(mutant.least.values()) <= PROVABLE],
    ids=lambda mutant: mutant.name,
)
def test_nothing_shorter_shows_the_mutant(mutant: Mutant) -> None:
    """
    No sequence that is shorter than the minimised one, over the values in it, fails alike.
    """
    assert shorter_failures(hunt(mutant, seed=0)) == []


def test_no_operation_can_go_from_what_is_too_long_to_prove() -> None:
    """
    Where all shorter sequences are too many to play, none with one operation less fails alike.
    """
    died = hunt(next(m for m in MUTANTS if m.name == "OrderLostOnReopen"), seed=0)

    assert died.steps == 6
    assert failures_without_one(died) == []


def test_the_clean_store_raises_no_alarm() -> None:
    """
    500 runs of 50 steps find nothing in the store that has no bug.
    """
    assert failures_in(runs=500) == []


@pytest.mark.slow
def test_the_clean_store_raises_no_alarm_in_20_000_runs() -> None:
    """
    20,000 runs of 50 steps find nothing in the store that has no bug.
    """
    assert failures_in(runs=20_000) == []


def failures_in(runs: int) -> list[str]:
    target = load_target("drivers.memory_store:MemoryStoreDriver")
    header = Header("conversation_store", target.name, seed=0, steps_max=50)
    explorer = Explorer(Store, Runs(target, Recorder(None)), header)
    return [str(b.failure.step) for b in islice(explorer.batches(), runs) if b.failure]
