"""What the engines cost a step: by themselves, on the store, and beside their peers."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import hypothesis
from hypothesis import HealthCheck, Verbosity, stateful

from drivers.memory_store import MemoryStoreDriver
from harness.exhaust import Exhaust
from harness.explore import Explorer
from harness.machine import CHUNK_RUNS, Chunks
from harness.run import Runs
from harness.scenario import Scenario
from harness.target import Target
from harness.trace import Header, Recorder
from harness.warned import warnings_recorded
from scenarios.store import Store
from tests.bench.null import Idle, NullDriver
from tests.bench.populations import BoundedStore, SmallStore
from tests.bench.store_by_hand import ByHand, Checked, play

ROUNDS = 7  # of which the fastest counts, or the median where two are compared
LENGTHS = (50, 500, 5_000)  # steps a run
STEPS = 50_000  # for each cost of the explorer
DEPTH = 4

NULL = Target("null", NullDriver, NullDriver.contract, None, ())
STORE = Target("store", MemoryStoreDriver, MemoryStoreDriver.contract, MemoryStoreDriver.policy, ())


@contextmanager
def opened(target: Target) -> Iterator[tuple[Runs, Header]]:
    """Begin a campaign as a worker does: a trace on disk, and warnings recorded."""
    header = Header(target.contract.name, target.name, seed=1, steps_max=LENGTHS[0])
    with (
        TemporaryDirectory() as folder,
        warnings_recorded() as warned,
        closing(Recorder(Path(folder, "trace.jsonl"))) as recorder,
    ):
        yield Runs(target, recorder, warned), header


def explored_us(scenario: type[Scenario], target: Target, steps_max: int) -> float:
    """Return the microseconds a step that runs of this length take."""
    with opened(target) as (runs, _):
        header = Header(target.contract.name, target.name, seed=1, steps_max=steps_max)
        batches = Explorer(scenario, runs, header).batches()
        steps = 0
        began = time.perf_counter()
        while steps < STEPS:
            steps += next(batches).steps
        return (time.perf_counter() - began) / steps * 1e6


def derived_us() -> float:
    """Return the microseconds a step of the machine that our scenario gives."""
    with opened(STORE) as (runs, header):
        began = time.perf_counter()
        steps = sum(batch.steps for batch in Chunks(Store, runs, header).batches(1, CHUNK_RUNS))
        return (time.perf_counter() - began) / steps * 1e6


def by_hand_us() -> float:
    """Return the microseconds a step of the machine written by hand."""
    steps = 0

    class Counted(ByHand):
        def teardown(self) -> None:
            nonlocal steps
            steps += self.checked.step - 1  # compared once before the first step

    settings = hypothesis.settings(
        max_examples=CHUNK_RUNS,
        stateful_step_count=LENGTHS[0],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    began = time.perf_counter()
    stateful.run_state_machine_as_test(hypothesis.seed(1)(Counted), settings=settings)
    return (time.perf_counter() - began) / steps * 1e6


def bare_us() -> float:
    """Return the microseconds a step of the same checks in a plain loop."""
    random = Random(1)
    began = time.perf_counter()
    for _ in range(STEPS // LENGTHS[0]):
        play(Checked(), LENGTHS[0], random)
    return (time.perf_counter() - began) / STEPS * 1e6


def exhausted() -> tuple[int, float]:
    """Return how many sequences there are up to DEPTH, and the seconds that all of them take."""
    with opened(STORE) as (runs, _):
        header = Header(STORE.contract.name, STORE.name, steps_max=DEPTH)
        began = time.perf_counter()
        sequences = sum(batch.runs for batch in Exhaust(SmallStore, runs, header).batches())
        return sequences, time.perf_counter() - began


def each_round(costs: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Return ROUNDS measurements of each cost, taken in turns so that each meets the same noise."""
    rounds = [{name: cost() for name, cost in costs.items()} for _ in range(ROUNDS)]
    return {name: [one[name] for one in rounds] for name in costs}


def costs_to_measure() -> dict[str, Callable[[], float]]:
    explorers = {
        f"{target.name} {steps_max}": lambda s=scenario, t=target, n=steps_max: explored_us(s, t, n)
        for scenario, target in ((Idle, NULL), (BoundedStore, STORE))
        for steps_max in LENGTHS
    }
    return {
        **explorers,
        "everyday": lambda: explored_us(Store, STORE, LENGTHS[0]),
        "derived": derived_us,
        "by hand": by_hand_us,
        "bare": bare_us,
    }


def row(figure: str, ours: str, peer: str = "", goal: str = "") -> None:
    print(f"  {figure:<44}{ours:>12}{peer:>14}{goal:>14}", flush=True)


def main() -> None:
    """Print one table: the figure, its peer, the goal."""
    print(f"Python {platform.python_version()}, Hypothesis {hypothesis.__version__}, ", end="")
    print(f"best of {ROUNDS} rounds, medians of ratios; microseconds a step unless said")
    row("", "ours", "peer", "goal")
    times = each_round(costs_to_measure())
    best = {name: min(values) for name, values in times.items()}
    for name in ("null", "store"):
        for steps_max in LENGTHS:
            goal = "at most 7" if name == "null" else ""
            row(
                f"explore, {name}, {steps_max:,} steps a run",
                f"{best[f'{name} {steps_max}']:.2f}",
                goal=goal,
            )
        flat = best[f"{name} {LENGTHS[-1]}"] / best[f"{name} {LENGTHS[0]}"]
        row(f"explore, {name}, {LENGTHS[-1]:,} against {LENGTHS[0]}", f"{flat:.2f}", "1", "flat")
    ratio = median(
        hand / ours for hand, ours in zip(times["by hand"], times["derived"], strict=True)
    )
    row("hypothesis, store", f"{best['derived']:.1f}", f"{best['by hand']:.1f}")
    row("  its speed in that of the machine by hand", f"{ratio:.2f}", "1", "at least 0.8")
    row("explore, store, everyday use", f"{best['everyday']:.2f}", f"{best['by hand']:.1f}")
    ours, peer = best["everyday"] - best["bare"], best["by hand"] - best["bare"]
    row(f"  the same without the checks ({best['bare']:.1f})", f"{ours:.2f}", f"{peer:.1f}")
    row("  its overhead in that of the machine by hand", f"{ours / peer:.3f}", "1", "at most 0.1")
    sequences, seconds = exhausted()
    row(f"exhaust to depth {DEPTH}, {sequences:,} sequences", f"{seconds:.1f} s", "", "under 10 s")


if __name__ == "__main__":
    main()
