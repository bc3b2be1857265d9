"""How many bugs a night finds for each minute of its workers.

Shares of time that learn, even ones, and plain Hypothesis play the same mutants, by turns.
`python -m tests.bench.nightly [SECONDS] [SEEDS]`: the time of each night, and how many are played.
"""

from __future__ import annotations

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


def entries(engine: str, seed: int, folder: str) -> list[Entry]:
    """Return an entry for each scenario of each mutant that hides in one scenario."""
    made = []
    for group in read_defaults().mutants:
        module = group.rpartition(":")[0]
        for mutant in load(group):
            assert isinstance(mutant, Mutant)
            name = f"{module}:{mutant.name}"
            scenario = f"{mutant.scenario.__module__}:{mutant.scenario.__name__}"
            job = Job(scenario, name, engine, seed, 50, folder=folder, follows=engine == "explore")
            made.append(Entry(mutant.name, job, load_target(name)))
    return made


def found(engine: str, seconds: float, seed: int) -> float:
    """Play a night on all mutants; return how many of them it has killed a minute of a worker."""
    with tempfile.TemporaryDirectory(prefix="threadline-") as folder:
        played = entries(engine, seed, folder)
        plan = Plan(played, WORKERS, time.monotonic() + seconds)
        Night(plan, lambda *_: None, never).play(Local(WORKERS))
    return sum(bool(entry.failures) for entry in played) / (seconds * WORKERS / 60)


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
    """Print the mutants killed in a minute of a worker, and the ratio to even shares."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    for seed in range(seeds):
        for name, (engine, shares) in WAYS.items():
            with shares():  # type: ignore[attr-defined]  # each is a context
                rates[name].append(found(engine, seconds, seed))
    middle = sorted(rates["even"])[seeds // 2]
    for name, each in rates.items():
        of_even = sorted(each)[seeds // 2] / middle if middle else 0.0
        print(f"{name:18} {sorted(each)[seeds // 2]:6.2f} bugs a minute, {of_even:5.2f} of even")


if __name__ == "__main__":
    main()
