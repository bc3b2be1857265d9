"""What a step costs on one target: explored, derived and by hand, measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Verbosity, stateful
from threadline import Scenario
from threadline.loading import Target
from threadline.lockstep.recorders import warnings_recorded
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.search.machine import CHUNK_RUNS, Chunks
from threadline.trace import Header, Recorder

from tests.bench import manager_by_hand, store_by_hand

ROUNDS = 7  # of which the fastest counts, or the median where two are compared
STEPS_MAX = 50  # a run
STEPS = 50_000  # for each cost of the explorer

ByHand = type[store_by_hand.ByHand] | type[manager_by_hand.ByHand]
Costs = dict[str, Callable[[], float]]


@contextmanager
def opened(target: Target) -> Iterator[tuple[Runs, Header]]:
    """Begin a campaign as a worker does: a trace on disk, and warnings recorded."""
    header = Header(target.model.name, target.name, seed=1, steps_max=STEPS_MAX)
    with (
        TemporaryDirectory() as folder,
        warnings_recorded() as warned,
        closing(Recorder(Path(folder, "trace.jsonl"))) as recorder,
    ):
        yield Runs(target, recorder, warned), header


def explored_us(scenario: type[Scenario[Any]], target: Target, steps_max: int) -> float:
    """Return the microseconds a step that runs of this length take."""
    with opened(target) as (runs, _):
        header = Header(target.model.name, target.name, seed=1, steps_max=steps_max)
        batches = Explorer(scenario, runs, header).batches()
        steps = 0
        began = time.perf_counter()
        while steps < STEPS:
            steps += next(batches).steps
        return (time.perf_counter() - began) / steps * 1e6


def derived_us(scenario: type[Scenario[Any]], target: Target) -> float:
    """Return the microseconds a step of the machine that a scenario gives."""
    with opened(target) as (runs, header):
        began = time.perf_counter()
        steps = sum(batch.steps for batch in Chunks(scenario, runs, header).batches(1, CHUNK_RUNS))
        return (time.perf_counter() - began) / steps * 1e6


def by_hand_us(machine: ByHand) -> float:
    """Return the microseconds a step of a machine written by hand."""
    settings = hypothesis.settings(
        max_examples=CHUNK_RUNS,
        stateful_step_count=STEPS_MAX,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    before = machine.steps_taken
    began = time.perf_counter()
    stateful.run_state_machine_as_test(hypothesis.seed(1)(machine), settings=settings)
    return (time.perf_counter() - began) / (machine.steps_taken - before) * 1e6


def each_round(costs: Costs) -> dict[str, list[float]]:
    """Return ROUNDS measurements of each cost, taken in turns so that each meets the same noise."""
    rounds = [{name: cost() for name, cost in costs.items()} for _ in range(ROUNDS)]
    return {name: [one[name] for one in rounds] for name in costs}
