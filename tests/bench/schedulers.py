"""Three races of a store of sessions, as found by Threadline and by two explorers of schedules.

    uv run --python 3.13 --isolated --with simloom --with frontrun \
        python -m tests.bench.schedulers

For each: the runs to the first failure, the alarms about programs that are right on asyncio's own
loop, and whether a seed finds the same again. An explorer that is not installed is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from tests.toys import racing
from tests.toys.racing import AtOnce, RightDesks

SEEDS = range(10)
RUNS_MAX = 1_000
CLEAN_RUNS = 300
REPEATS = 20


class Subject(NamedTuple):
    """A store, its driver, what two callers do at once, and what must hold afterwards."""

    driver: str
    kind: type[RightDesks]
    workers: tuple[Callable[[Play], Awaitable[Any]], ...]
    holds: Callable[[Play], bool]


class Play:
    """One run of a store without Threadline: each of its I/O gives way once."""

    def __init__(self, kind: type[RightDesks]) -> None:
        self.told: list[str] = []
        self.entered: list[str] = []
        self.desks = kind(self._io, lambda _, text: self.told.append(text))

    async def _io(self) -> None:
        await asyncio.sleep(0)

    async def enter(self) -> None:
        self.entered.append(await self.desks.enter("ana"))

    async def say_hi(self) -> None:
        await self.desks.write("ana", "hi")

    async def say_yo(self) -> None:
        await self.desks.write("ana", "yo")


ENTERING = (Play.enter, Play.enter)
WRITING = (Play.say_hi, Play.say_yo)


def is_one_desk(play: Play) -> bool:
    return len(set(play.entered)) == 1


def is_all_there(play: Play) -> bool:
    return sorted(play.desks.logs["ana"]) == ["hi", "yo"]


def is_told_in_order(play: Play) -> bool:
    return play.told == play.desks.logs["ana"]


RACES = {
    "looks, waits, stores": Subject("Checking", racing.ChecksThenTakes, ENTERING, is_one_desk),
    "writes back what it read": Subject("WritingBack", racing.WritesBack, WRITING, is_all_there),
    "tells before it stores": Subject("TellingEarly", racing.TellsEarly, WRITING, is_told_in_order),
}
RIGHT = {
    "looks and stores": Subject("RightDriver", RightDesks, ENTERING, is_one_desk),
    "stores and tells": Subject("RightDriver", RightDesks, WRITING, is_told_in_order),
    "relies on the loop's order": Subject("Giving", racing.GivesWay, WRITING, is_told_in_order),
}


class Found(NamedTuple):
    """The number of the run that failed, None if none did, and what tells one failure from another.

    runs are all that were played.
    """

    failed_in: int | None
    runs: int
    same_as: str = ""


def by_threadline(subject: Subject, seed: int, runs_max: int) -> Found:
    name = f"tests.toys.racing:{subject.driver}"
    header = Header("desks", name, seed=seed, steps_max=30, overlap=True)
    batches = Explorer(AtOnce, Runs(load_target(name), Recorder(None)), header).batches()
    for number, batch in enumerate(islice(batches, runs_max), 1):
        if batch.failure:
            return Found(number, number, digest(batch.failure.steps))
    return Found(None, runs_max)


def by_simloom(subject: Subject, seed: int, runs_max: int) -> Found:
    async def main() -> None:
        play = Play(subject.kind)
        await asyncio.gather(*(worker(play) for worker in subject.workers))
        assert subject.holds(play)

    explored = import_module("simloom").explore(main, runs=runs_max, start_seed=seed * runs_max)
    if not explored.failed:
        return Found(None, explored.runs)
    return Found(explored.runs, explored.runs, explored.first_failure.digest)


def by_frontrun(subject: Subject, seed: int, runs_max: int) -> Found:
    async def explored() -> Any:
        return await import_module("frontrun").explore(
            setup=lambda: Play(subject.kind),
            workers=list(subject.workers),
            invariant=subject.holds,
            strategy="random",
            max_attempts=runs_max,
            seed=seed,
        )

    result = asyncio.run(explored())
    if result.counterexample is None:
        return Found(None, result.num_explored)
    return Found(result.num_explored, result.num_explored, str(result.counterexample))


EXPLORERS: dict[str, Callable[[Subject, int, int], Found]] = {
    "threadline": by_threadline,
    "simloom": by_simloom,
    "frontrun": by_frontrun,
}


def line(explorer: str, name: str, subject: Subject) -> str:
    """Return what an explorer makes of a race: runs to find on ten seeds, failures of one seed."""
    find = EXPLORERS[explorer]
    failed = [found.failed_in for seed in SEEDS if (found := find(subject, seed, RUNS_MAX))]
    runs = [number for number in failed if number is not None]
    again = {find(subject, 0, RUNS_MAX).same_as for _ in range(REPEATS)}
    shown = f"{median(runs):.0f} ({min(runs)} to {max(runs)})" if runs else "-"
    return f"{explorer:12}{name:28}{len(runs):>3} of {len(SEEDS)}   {shown:>16}   {len(again):>6}"


def main() -> None:
    """Print both tables."""
    present = [name for name in EXPLORERS if find_spec(name)]
    print(", ".join(f"{name} {version(name)}" for name in present))
    print(f"{'':12}{'race':28}{'seeds':>8}{'runs to find':>19}{f'of {REPEATS}':>9}")
    for explorer in present:
        for name, subject in RACES.items():
            print(line(explorer, name, subject), flush=True)
    print(f"\n{'':12}{'right':28}{'alarm in run':>14}{'runs':>7}")
    for explorer in present:
        for name, subject in RIGHT.items():
            found = EXPLORERS[explorer](subject, 0, CLEAN_RUNS)
            alarm = "none" if found.failed_in is None else str(found.failed_in)
            print(f"{explorer:12}{name:28}{alarm:>14}{found.runs:>7}", flush=True)


if __name__ == "__main__":
    main()
