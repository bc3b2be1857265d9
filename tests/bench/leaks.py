"""Prints what the hunt for leaks finds, misses and costs, beside its peers on the same runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from threadline.leaks.cycles import heap_aside
from threadline.leaks.growth import BRIEF_MAX, WARM_UP, WATCHED, Growths
from threadline.leaks.investigate import cycles_of
from threadline.leaks.round_trip import tear_down
from threadline.loading import load_target

from scenarios.connections import Connections
from tests.bench.leak_rules import print_scores
from tests.bench.leak_runs import played
from tests.mutants.benign import GROWERS, USER_GROWERS
from tests.planted_leaks import (
    BY_IDENTITY,
    BY_NAME,
    CLEAN,
    OF_SERVICE,
    PLANTED,
    SERVICE_CYCLES,
    alarms,
    hunt,
    is_told,
)

SEEDS = 20
CLEAN_RUNS = 10  # of each seed of a benign grower
COST_RUNS, COST_STEPS = 40, 50
HEAPS = (50_000, 1_000_000)  # objects that have nothing to do with the system


def main(seeds: int) -> None:
    """Run all; ends with status 1 where a leak was missed or misnamed, or a benign one flagged."""
    wrong = [*planted(seeds), *benign(seeds)]
    print_scores(seeds)
    print()
    for others in HEAPS:
        print_cost(others)
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


def planted(seeds: int) -> Iterator[str]:
    """Hunt each planted leak; print how it was found, and yield what went wrong."""
    print(f"{'planted leak':<28}{'found':>7}{'least':>7}{'named':>7}{'runs':>6}{'seconds':>9}")
    expected = {**PLANTED, **BY_IDENTITY, **OF_SERVICE}
    for name in expected:
        cycles_max = SERVICE_CYCLES if name in OF_SERVICE else BRIEF_MAX
        found = least = named = 0
        runs, seconds = [], []
        for seed in range(seeds):
            began = time.perf_counter()
            try:
                died, story = hunt(BY_NAME[name], seed, cycles_max)
            except AssertionError as error:
                yield str(error)
                continue
            found += 1
            least += dict(BY_NAME[name].least) == {str(died.signature): died.steps}
            named += is_told(story, expected[name])
            runs.append(died.runs)
            seconds.append(time.perf_counter() - began)
        row = f"{found:>7}{least:>7}{named:>7}{median(runs):>6.0f}{median(seconds):>9.2f}"
        print(f"{name:<28}{row}", flush=True)
        if not found == least == named == seeds:
            yield f"{name}: of {seeds} seeds {found} found, {least} minimal, {named} named"


def benign(seeds: int) -> Iterator[str]:
    """Watch each benign grower; print what was seen to stop, and yield each false alarm."""
    print(f"\n{'benign grower':<28}{'runs':>7}{'flagged':>9}{'undecided':>11}  stops at")
    for grower in (*GROWERS, *USER_GROWERS):
        flagged = undecided = 0
        levels: dict[str, int] = {}
        for seed in range(seeds):
            failures, known = alarms(grower, seed, CLEAN_RUNS)
            flagged += len(failures)
            undecided += len(known.undecided)
            levels |= {path.name: level for path, level in known.levels.items()}
        stops = next((f"{name}, {level:,}" for name, level in levels.items()), "nothing grew")
        row = f"{seeds * CLEAN_RUNS:>7,}{flagged:>9}{undecided:>11}  {stops}"
        print(f"{grower.name:<28}{row}", flush=True)
        if flagged or undecided:
            yield f"{grower.name}: {flagged} flagged, {undecided} undecided"


def print_cost(others: int) -> None:
    """Print what looking takes of the cycles that it watches, beside so many other objects."""
    heap = [[number] for number in range(others)]
    looked_s = cycled_s = 0.0
    known = Growths()
    for run in range(1, COST_RUNS + 1):
        with played(load_target(CLEAN), Connections, 0, run, COST_STEPS) as lockstep:
            tear_down(lockstep)
            cycles = cycles_of(lockstep, known)
            with heap_aside():
                for count in (WARM_UP, WATCHED):
                    cycled_s += timed(lambda cycles=cycles, count=count: cycles.run(count))  # type: ignore[misc]  # defaults
                    looked_s += timed(cycles.measure)
    each_ms = looked_s / COST_RUNS * 1e3
    share = looked_s / cycled_s
    print(f"{len(heap):>10,} other objects: looking takes {each_ms:.2f} ms a run, {share:.1%}")


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
