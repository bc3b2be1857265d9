"""How many bugs a night finds for each minute of a processor.

Shares of time that learn, even ones, and plain Hypothesis play the same mutants, by turns.
`python -m tests.bench.nightly [SECONDS] [SEEDS] [EVERY]`: the time of each night, how many are
played, and which part of the mutants in each: with 3, every third, another third for each seed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from threadline.campaign.campaign import never
from threadline.campaign.entry import Entry
from threadline.campaign.hands import Local
from threadline.campaign.job import Job
from threadline.campaign.mutant import Mutant
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.defaults import read_defaults
from threadline.loading import load, load_target

WORKERS = 2


def entries(engine: str, seed: int, folder: str, every: int = 1) -> list[Entry]:
    """Return an entry for each of so many mutants, the scenario in which it hides."""
    made = []
    for group in read_defaults().mutants:
        module = group.rpartition(":")[0]
        for mutant in load(group):
            assert isinstance(mutant, Mutant)
            name = f"{module}:{mutant.name}"
            scenario = f"{mutant.scenario.__module__}:{mutant.scenario.__name__}"
            job = Job(scenario, name, engine, seed, 50, folder=folder, follows=engine == "explore")
            made.append(Entry(mutant.name, job, load_target(name)))
    return made[seed % every :: every]


def found(engine: str, seconds: float, seed: int, every: int) -> tuple[int, float]:
    """Play a night; return how many mutants it has killed, and in how many CPU minutes."""
    began_s = cpu_s()
    with tempfile.TemporaryDirectory(prefix="threadline-") as folder:
        played = entries(engine, seed, folder, every)
        plan = Plan(played, WORKERS, time.monotonic() + seconds)
        Night(plan, lambda *_: None, never).play(Local(WORKERS))
    return sum(bool(entry.failures) for entry in played), (cpu_s() - began_s) / 60


def cpu_s() -> float:
    """Return the processor time of all workers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def even() -> Iterator[None]:
    """Share all time evenly while the block lasts."""
    with patch("threadline.campaign.shares.EVEN", 1.0):
        yield


@contextmanager
def as_it_is() -> Iterator[None]:
    yield


WAYS: dict[str, tuple[str, Callable[[], object]]] = {
    "where it pays": ("explore", as_it_is),
    "even": ("explore", even),
    "Hypothesis, even": ("hypothesis", even),
}


def main() -> None:
    """Print the mutants killed in a minute of a processor, in each night and in all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    bugs, minutes = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0.0)
    for seed in range(seeds):
        for name, (engine, shares) in WAYS.items():
            with shares():  # type: ignore[attr-defined]  # each is a context
                killed, took = found(engine, seconds, seed, every)
            bugs[name] += killed
            minutes[name] += took
            print(f"seed {seed}: {name:18} {killed:3} bugs in {took:5.1f} CPU minutes", flush=True)
    middle = bugs["even"] / minutes["even"]
    for name in WAYS:
        rate = bugs[name] / minutes[name]
        print(f"{name:18} {rate:6.2f} bugs a CPU minute, {rate / middle:5.2f} of even")


if __name__ == "__main__":
    main()
