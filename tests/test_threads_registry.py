"""The registry, which promises to be safe, called from threads: no alarm; without a lock, one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest
from threadline.campaign.mutant import Mutant
from threadline.failure import failure_text
from threadline.loading import load_target
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Batch, Runs, replay
from threadline.minimise.fixpoint import minimise
from threadline.search.explore import Explorer
from threadline.timing import CALM, DURING, Timing
from threadline.trace import Header, Recorder

from models.session_manager import SessionManagerModel as Sessions
from scenarios.overlap import Threads
from tests.mutants.threads import MUTANTS

DRIVER = "drivers.sessions_threads:SessionThreadsDriver"
# These take five seconds to be minimised.
LONG = {"InvalidatesUnlocked", "SweepsUnlocked"}


def runs(name: str = DRIVER) -> Runs:
    return Runs(load_target(name), Recorder(None))


def header(seed: int = 0) -> Header:
    return Header("session_manager", DRIVER, overlap=True, steps_max=30, seed=seed)


def explored(played: Runs, most: int, seed: int = 0) -> Iterator[Batch]:
    return islice(Explorer(Threads, played, header(seed)).batches(), most)


def test_the_registry_is_safe_where_threads_call_it() -> None:
    """
    The getter, the ids and the registry agree with the model for 50 runs.
    """
    batches = explored(runs(), 50)

    assert [failure_text(batch.failure) for batch in batches if batch.failure] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_registry_is_safe_for_long(seed: int) -> None:
    """
    With other seeds they do for 5,000 runs each.
    """
    batches = explored(runs(), 5_000, seed)

    assert [failure_text(batch.failure) for batch in batches if batch.failure] == []


def test_runs_are_judged() -> None:
    """
    A window of six threads is explained by an order, and not given up.
    """
    get = Sessions.get("ana", None, None)
    with runs().begin(header()) as run:
        assert isinstance(run, Overlap)
        for number in range(1, 7):
            late = Timing(DURING, ((9 * number, 7 - number),))
            run.step(number, get.timed(late))
        run.finish()

        assert run.undecided == 0
        assert len(run.steps) == 6
        assert run.points["get"] > 60


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, marks=[pytest.mark.slow] if mutant.name in LONG else [])
        for mutant in MUTANTS
    ],
    ids=[mutant.name for mutant in MUTANTS],
)
def test_a_registry_without_its_lock_in_one_place_is_found(mutant: Mutant) -> None:
    """
    It fails within 200 runs, in at most 4 operations, of which at most 3 things are said; and not
    where nothing overlaps.
    """
    changed = runs(f"tests.mutants.threads:{mutant.name}")
    found = next(batch for batch in explored(changed, 200) if batch.failure)
    assert found.failure is not None
    least = minimise(found.trace(), found.failure.signature, changed, Threads)
    operations = [operation for _, operation in least.trace.operations]
    calm = [(number, each.timed(CALM)) for number, each in least.trace.operations]

    assert len(operations) <= 4
    assert sum(operation.timing.entries for operation in operations) <= 3
    assert replay(changed, least.trace.header, least.trace.operations) is not None
    assert replay(changed, least.trace.header, calm) is None
