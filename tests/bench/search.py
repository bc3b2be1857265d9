"""How soon a bug is found: our explorer against a machine written by hand for Hypothesis."""

from __future__ import annotations

import multiprocessing
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Verbosity, stateful
from threadline import Driver, Scenario
from threadline.loading import Target
from threadline.lockstep.run import Runs
from threadline.minimise.fixpoint import minimise
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from tests.bench import protocol, sequence

SEEDS = range(10)
STEPS_MAX = 50
SECONDS_MAX = 90  # for one seed; what is not found by then counts as if found then, so as too soon
RUNS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """What it took to find a bug once, and how many steps were left of it; 0: not found."""

    runs: int
    seconds: float
    steps: int


@dataclass(frozen=True, slots=True)
class Shape:
    """One bug, as a scenario of ours and as a machine written by hand."""

    name: str
    scenario: type[Scenario[Any]]
    driver: type[Driver[Any]]
    by_hand: type[stateful.RuleBasedStateMachine]
    steps_least: int
    hide: Callable[[int], None]


SHAPES = (
    Shape(
        "5 operations in one order, of 8",
        sequence.Pressing,
        sequence.ButtonsDriver,
        sequence.ByHand,
        sequence.STEPS_LEAST,
        sequence.hide,
    ),
    Shape(
        "a protocol of 6 states, 10 steps",
        protocol.Talking,
        protocol.ChannelDriver,
        protocol.ByHand,
        protocol.STEPS_LEAST,
        lambda _seed: None,  # the same bug for every seed
    ),
)


def explored(place: int, seed: int) -> Found:
    """Find the bug of that place with our explorer, its trace on disk, and minimise it."""
    shape = SHAPES[place]
    shape.hide(seed)
    target = Target(shape.name, shape.driver, shape.driver)
    header = Header(target.model.name, target.name, seed=seed, steps_max=STEPS_MAX)
    with TemporaryDirectory() as folder, closing(Recorder(Path(folder, "trace.jsonl"))) as recorder:
        runs = Runs(target, recorder)
        began = time.perf_counter()
        for batch in Explorer(shape.scenario, runs, header).batches():
            seconds = time.perf_counter() - began
            if batch.failure:
                least = minimise(batch.trace(), batch.failure.signature, runs, shape.scenario)
                return Found(batch.header.run, seconds, len(least.trace.operations))
            if seconds > SECONDS_MAX:
                break
    return Found(batch.header.run, seconds, 0)


class Stopwatch:
    """Counts the runs of a machine and stops them in time; knows the run that found the bug."""

    def __init__(self) -> None:
        self.runs = 0
        self.steps = 0
        self.found: tuple[int, float] | None = None
        self._began = time.perf_counter()

    def on(self, by_hand: type[stateful.RuleBasedStateMachine]) -> Any:
        """Return the machine with its teardown observed; Hypothesis's last run is its shortest."""
        watch = self

        class Watched(by_hand):  # type: ignore[valid-type, misc]  # a class given as a value
            def teardown(self) -> None:
                watch.saw(self.system.operations, is_wrong=self.system.is_wrong)

        return Watched

    def saw(self, operations: int, *, is_wrong: bool) -> None:
        self.runs += 1
        seconds = time.perf_counter() - self._began
        if is_wrong:
            self.found = self.found or (self.runs, seconds)
            self.steps = operations
        elif self.found is None and seconds > SECONDS_MAX:
            raise KeyboardInterrupt  # the one exception that ends Hypothesis at once


def drawn_by_hypothesis(place: int, seed: int) -> Found:
    """Find the bug of that place with the machine written by hand, and let Hypothesis shrink it."""
    settings = hypothesis.settings(
        max_examples=RUNS_MAX,
        stateful_step_count=STEPS_MAX,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    watch = Stopwatch()
    SHAPES[place].hide(seed)
    machine = hypothesis.seed(seed)(watch.on(SHAPES[place].by_hand))
    with suppress(AssertionError, KeyboardInterrupt):
        stateful.run_state_machine_as_test(machine, settings=settings)
    runs, seconds = watch.found or (watch.runs, float(SECONDS_MAX))
    return Found(runs, seconds, watch.steps)


def paired(place: int, seed: int) -> tuple[Found, Found]:
    """Find the bug with both, at once after each other, so that a busy machine slows both."""
    return explored(place, seed), drawn_by_hypothesis(place, seed)


def each_seed(place: int) -> list[tuple[Found, Found]]:
    """Return what each seed finds, each in a process of its own, one after another."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        return list(pool.map(paired, [place] * len(SEEDS), SEEDS))


def row(name: str, found: Sequence[Found], steps_least: int) -> str:
    """Return one line of the table: medians, how often it was found, how often minimal."""
    hits = [one for one in found if one.steps]
    minimal = sum(one.steps == steps_least for one in hits)
    return (
        f"  {name:<26}{median(one.runs for one in found):>10,.0f}"
        f"{median(one.seconds for one in found):>12.4f}{len(hits):>7}{minimal:>9}"
    )


def main() -> None:
    """Print one table for both shapes."""
    print(f"Python {platform.python_version()}, Hypothesis {hypothesis.__version__}, ", end="")
    print(f"{STEPS_MAX} steps a run, seeds {SEEDS[0]} to {SEEDS[-1]}; medians to the first failure")
    for place, shape in enumerate(SHAPES):
        print(f"\n  {shape.name:<26}      runs     seconds  found  minimal", flush=True)
        ours, peers = zip(*each_seed(place), strict=True)
        print(row("explore", ours, shape.steps_least))
        print(row("Hypothesis, by hand", peers, shape.steps_least))
        fewer = median(one.runs for one in peers) / median(one.runs for one in ours)
        faster = median(one.seconds for one in peers) / median(one.seconds for one in ours)
        print(f"  {'times less (goal 10, 100)':<26}{fewer:>10,.0f}{faster:>12,.0f}")


if __name__ == "__main__":
    main()
