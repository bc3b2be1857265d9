"""What the engines cost a step: by themselves, on the store, and beside their peers."""

from __future__ import annotations

import platform
import time
from random import Random
from statistics import median

import hypothesis
from threadline.contracts.conversation_store import Store
from threadline.loading import Target
from threadline.search.exhaust import Exhaust
from threadline.trace import Header

from drivers.memory_store import MemoryStoreDriver
from tests.bench import manager
from tests.bench.costs import (
    ROUNDS,
    STEPS,
    STEPS_MAX,
    Costs,
    by_hand_us,
    derived_us,
    each_round,
    explored_us,
    opened,
)
from tests.bench.null import Idle, NullDriver
from tests.bench.populations import BoundedStore, SmallStore
from tests.bench.store_by_hand import ByHand, Checked, play

Times = dict[str, list[float]]

LENGTHS = (STEPS_MAX, 500, 5_000)  # steps a run
DEPTH = 4

NULL = Target("null", NullDriver, NullDriver)
STORE = Target("store", MemoryStoreDriver, MemoryStoreDriver)


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
        header = Header(STORE.model.name, STORE.name, steps_max=DEPTH)
        began = time.perf_counter()
        sequences = sum(batch.runs for batch in Exhaust(SmallStore, runs, header).batches())
        return sequences, time.perf_counter() - began


def costs_to_measure() -> Costs:
    explorers = {
        f"{target.name} {steps_max}": lambda s=scenario, t=target, n=steps_max: explored_us(s, t, n)
        for scenario, target in ((Idle, NULL), (BoundedStore, STORE))
        for steps_max in LENGTHS
    }
    return {
        **explorers,
        "everyday": lambda: explored_us(Store, STORE, LENGTHS[0]),
        "derived": lambda: derived_us(Store, STORE),
        "by hand": lambda: by_hand_us(ByHand),
        "bare": bare_us,
    }


def row(figure: str, ours: str, peer: str = "", goal: str = "") -> None:
    print(f"  {figure:<44}{ours:>12}{peer:>14}{goal:>14}", flush=True)


def print_explored(times: Times) -> None:
    best = {name: min(values) for name, values in times.items()}
    for name, goal in (("null", "at most 7"), ("store", "")):
        for steps_max in LENGTHS:
            cost = f"{best[f'{name} {steps_max}']:.2f}"
            row(f"explore, {name}, {steps_max:,} steps a run", cost, goal=goal)
        flat = best[f"{name} {LENGTHS[-1]}"] / best[f"{name} {LENGTHS[0]}"]
        row(f"explore, {name}, {LENGTHS[-1]:,} against {LENGTHS[0]}", f"{flat:.2f}", "1", "flat")
    row("explore, store, everyday use", f"{best['everyday']:.2f}", f"{best['by hand']:.1f}")
    ours, peer = best["everyday"] - best["bare"], best["by hand"] - best["bare"]
    row(f"  the same without the checks ({best['bare']:.1f})", f"{ours:.2f}", f"{peer:.1f}")
    row("  its overhead in that of the machine by hand", f"{ours / peer:.3f}", "1", "at most 0.1")


def print_derived(subject: str, times: Times) -> None:
    """Print what a step of the hypothesis engine costs beside a machine written by hand."""
    ratio = median(
        hand / ours for hand, ours in zip(times["by hand"], times["derived"], strict=True)
    )
    row(f"hypothesis, {subject}", f"{min(times['derived']):.1f}", f"{min(times['by hand']):.1f}")
    row("  its speed in that of the machine by hand", f"{ratio:.2f}", "1", "at least 0.8")


def print_exhausted() -> None:
    sequences, seconds = exhausted()
    row(f"exhaust to depth {DEPTH}, {sequences:,} sequences", f"{seconds:.1f} s", "", "under 10 s")


def print_manager() -> None:
    """Print the parts of a step on the session manager, which add up to the whole."""
    times = each_round(manager.costs_of_steps())
    best = {name: min(values) for name, values in times.items()}
    census = best["stepped"] - best["blind"]
    row("explore, session manager", f"{best['explored']:.0f}")
    row("  model", f"{best['model']:.0f}")
    row("  system, through its driver", f"{best['system']:.0f}")
    row("  census, both, compared, with invariants", f"{census:.0f}")
    engine = best["explored"] - best["model"] - best["system"] - census
    row("  engine: drawing, renaming, trace", f"{engine:.0f}")
    print_derived("session manager", times)


def print_gets() -> None:
    """Print what a get of a known thread costs among many sessions, beside among few."""
    times = each_round(manager.costs_of_gets())
    few, many = min(times["few"]), min(times["many"])
    ratio = median(most / least for most, least in zip(times["many"], times["few"], strict=True))
    row(f"get, {manager.MANY:,} live sessions; {manager.FEW}", f"{many:.1f}", f"{few:.1f}")
    row("  its time in that among few", f"{ratio:.2f}", "1", "flat")


def main() -> None:
    """Print one table: the figure, its peer, the goal."""
    print(f"Python {platform.python_version()}, Hypothesis {hypothesis.__version__}, ", end="")
    print(f"best of {ROUNDS} rounds, medians of ratios; microseconds a step unless said")
    row("", "ours", "peer", "goal")
    print_manager()
    print_gets()
    times = each_round(costs_to_measure())
    print_explored(times)
    print_derived("store", times)
    print_exhausted()


if __name__ == "__main__":
    main()
