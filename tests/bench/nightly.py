"""How many bugs a night finds for each minute of a processor.

The same mutants are played four ways: by turns, the longer the more still pays; by turns evenly;
one after the other, as a loop over the scenarios would; and so by plain Hypothesis. All time is
that of this process, in which one slice after the other is played: what else the machine does, and
what a start of a worker takes, changes nothing.
`python -m tests.bench.nightly [SECONDS] [SEEDS] [EVERY]`: the processor time for each mutant, how
many nights are played, and which part of the mutants in each: with 3, every third, another third
for each seed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from threadline.campaign.campaign import Interrupted, never
from threadline.campaign.entry import Entry, Slice
from threadline.campaign.events import KINDS, Event, Found, Message
from threadline.campaign.hands import Done, Told
from threadline.campaign.job import Job
from threadline.campaign.mutant import Mutant
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.campaign.worker import work
from threadline.defaults import read_defaults
from threadline.loading import Target, load, load_target

EVENTS = tuple(
    KINDS[name] for name in ("Began", "Progress", "Found", "Shorter", "Reached", "Ended")
)
PARTS = (0.25, 0.5, 1.0)  # of the time, at which bugs are counted


class Here:
    """Plays each slice in this process, at once."""

    workers = 1

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        def tell(message: Message) -> None:
            if isinstance(message, EVENTS):
                told(message)  # type: ignore[arg-type]  # which are events

        work(job.begun(), tell)
        told(Done())

    def stop(self) -> None:
        """Nothing is played between two calls."""

    def close(self) -> None:
        """Nothing is held."""


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


def found(engine: str, seconds: float, seed: int, every: int) -> list[float]:
    """Play a night; return when it has killed a mutant, as a part of the time each."""
    moments: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="threadline-") as folder,
        patch("time.monotonic", time.process_time),
    ):
        played = entries(engine, seed, folder, every)
        began_s, whole_s = time.monotonic(), seconds * len(played)

        def hear(entry: Entry, _part: Slice | None, event: Event) -> None:
            if isinstance(event, Found):
                moments.setdefault(entry.name, (time.monotonic() - began_s) / whole_s)

        Night(Plan(played, 1, began_s + whole_s), hear, never).play(Here())
    return sorted(moments.values())


@contextmanager
def even() -> Iterator[None]:
    """Share all time evenly while the block lasts."""
    with patch("threadline.campaign.shares.EVEN", 1.0):
        yield


@contextmanager
def in_a_row() -> Iterator[None]:
    """Give each its whole part of the time at once while the block lasts."""
    with (
        even(),
        patch("threadline.campaign.plan.ROUNDS", 1),
        patch("threadline.campaign.shares.ROUNDS", 1),
    ):
        yield


@contextmanager
def short_slices() -> Iterator[None]:
    """Allow shorter slices than a night has: here, no worker has to be started for one."""
    with (
        patch("threadline.campaign.shares.SLICE_MIN_S", 0.25),
        patch("threadline.campaign.plan.SHORT_S", 0.2),
    ):
        yield


@contextmanager
def as_it_is() -> Iterator[None]:
    yield


WAYS: dict[str, tuple[str, Callable[[], object]]] = {
    "where it pays": ("explore", as_it_is),
    "even, by turns": ("explore", even),
    "in a row": ("explore", in_a_row),
    "Hypothesis, in a row": ("hypothesis", in_a_row),
}


def main() -> None:
    """Print how many mutants were killed by a quarter, a half and the end of the time."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    killed: dict[str, list[float]] = {name: [] for name in WAYS}
    minutes = 0.0
    for seed in range(seeds):
        minutes += seconds * len(entries("explore", seed, "", every)) / 60
        for name, (engine, shares) in WAYS.items():
            with short_slices(), shares():  # type: ignore[attr-defined]  # each is a context
                moments = found(engine, seconds, seed, every)
            killed[name] += moments
            print(f"seed {seed}: {name:20} {counts(moments)}", flush=True)
    for name, moments in killed.items():
        print(f"{name:20} {counts(moments)}; {rates(moments, minutes)} a CPU minute until then")


def counts(moments: list[float]) -> str:
    return ", ".join(
        f"{number} at {part:.0%}" for number, part in zip(by(moments), PARTS, strict=True)
    )


def rates(moments: list[float], minutes: float) -> str:
    return ", ".join(
        f"{n / (minutes * part):.1f}" for n, part in zip(by(moments), PARTS, strict=True)
    )


def by(moments: list[float]) -> list[int]:
    """Return how many of the moments are in each of the PARTS of the time."""
    return [sum(each <= part for each in moments) for part in PARTS]


if __name__ == "__main__":
    main()
