"""The round trip: tear a run down, repeat it on the same system, and see what has grown."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random

from ..bounds import Bounded
from ..failure import divergence_type
from ..history import Step
from ..lockstep.lockstep import Lockstep
from ..lockstep.outcomes import UNPLAYED
from ..lockstep.recorders import WarningRecorder
from ..lockstep.run import Runs
from ..model import Model
from ..trace import Header
from .block_count import BLOCKS, count_blocks
from .cycles import ALIVE, Cycles, Measure, TimeOver, Unlike, heap_aside
from .growth import (
    BRIEF_MAX,
    CYCLES_MAX,
    EXACT_MAX,
    WARM_UP,
    WATCHED,
    Growths,
    Suspect,
    blocks,
    suspect,
)
from .leak import Leak, class_of, leak_failure
from .reach import LENGTH, Path, Reach

OPERATIONS_MAX = 400_000  # of one round trip, after which what still grows is undecided; our choice
TEARDOWN_MAX = 1_000  # operations
TIME_OVER = "the time was over"
COLLECTED_EVERY = 20  # round trips: what runs before have left is collected


@dataclass(slots=True)
class RoundTrip:
    """Judges one run at its end. `wanted` is the path, in a signature, of a leak that is looked
    for.

    `alive` is called before each step of a cycle, as a sign that the hunt goes on; it may raise
    TimeOver. With `glances`, two cycles are watched, and more only where something has grown in
    them. With `counts_blocks`, memory blocks are counted too, once in a test, on a run in which
    nothing else grew. Each cycle has new names in place of the `identities`.
    """

    lockstep: Lockstep
    growths: Growths
    wanted: str = ""
    warned: Callable[[], int] = lambda: 0
    alive: Callable[[], object] = lambda: None
    glances: bool = False
    cycles_max: int = CYCLES_MAX
    counts_blocks: bool = False
    identities: Sequence[str] = ()

    def make(self) -> None:
        """Tear down, then watch cycles.

        Raises Divergence for a leak, for a bound that the live system has passed, and where model
        and system disagree in the teardown.
        """
        drawn = tuple(self.lockstep.steps)
        if not drawn:
            return
        driver = self.lockstep.driver
        self.growths.paths.edges.stop_at(driver.foreign)
        reach = Reach(driver.roots, self.growths.paths)
        if driver.bounds and (over := self._over(reach, reach.census(), 0, len(drawn))):
            self._fail(drawn, over)
        if trouble := tear_down(self.lockstep):
            self.growths.skip(trouble)
            return
        cycles = self._cycles()
        if self.growths.tried % COLLECTED_EVERY == 0:
            gc.collect()  # putting the heap aside puts off what Python would do by itself
        try:
            with heap_aside():
                leaks = self._watch(cycles)
        except Unlike as unlike:
            self.growths.skip(f"a cycle took another course: {unlike}")
            return
        except TimeOver:
            self.growths.skip(TIME_OVER)
            return
        self.growths.made += 1
        if leaks:
            self._fail(drawn, leaks)

    def _cycles(self) -> Cycles:
        """Return the cycles that repeat the run and its teardown."""
        run = self.lockstep
        more = self.growths, self.warned, self.alive, self.identities
        cycles = Cycles(run.driver, run.play, tuple(run.steps), *more)
        cycles.follow(run.returned())
        return cycles

    def _fail(self, drawn: tuple[Step, ...], leaks: list[Leak]) -> None:
        first = next((leak for leak in leaks if leak.path.name == self.wanted), leaks[0])
        others = [leak for leak in leaks if leak is not first]
        failure = leak_failure(first, drawn, others, self.lockstep.settings)
        raise divergence_type(failure.signature)(failure)

    def _watch(self, cycles: Cycles) -> list[Leak]:
        cycles.run(0 if self.glances else WARM_UP)  # the run itself has warmed up
        first, begun = cycles.measure(), cycles.played
        cycles.run(WATCHED // 2 if self.glances else WATCHED)
        second = cycles.measure()
        reached = {key: count for key, count in second.items() if isinstance(key, int)}
        if over := self._over(cycles.reach, reached, cycles.played, len(cycles.steps)):
            return over
        suspects = self._suspects(cycles, (begun, first), second)
        for size in blocks(cycles.played):
            if self._is_decided(cycles, suspects):
                break
            if (cycles.played + size) * len(cycles.steps) > OPERATIONS_MAX:
                break
            cycles.run(size)
            now = cycles.measure()
            for key, each in suspects.items():
                if each.open:
                    each.see(cycles.played, now.get(key, 0))
        return self._judge(cycles, suspects) or self._blocks(cycles)

    def _blocks(self, cycles: Cycles) -> list[Leak]:
        """Look for growth outside the roots, if that has not been done in this test."""
        if not (self.counts_blocks and not self.growths.block_count) and self.wanted != BLOCKS.name:
            return []
        caught = count_blocks(cycles, self.cycles_max)
        self.growths.block_count = str(caught)
        if not caught.leaks:
            return []
        size = len(cycles.steps)
        return [Leak(BLOCKS, "memory block outside the roots", caught.rate, 0, caught.cycles, size)]

    def _is_decided(self, cycles: Cycles, suspects: dict[int | str, Suspect]) -> bool:
        """Return whether nothing is left to watch, or something leaks that needs no watching."""
        exact = any(each.leaks and is_exact(cycles.path(key)) for key, each in suspects.items())
        return exact or not any(each.open for each in suspects.values())

    def _suspects(
        self, cycles: Cycles, first: tuple[int, Measure], second: Measure
    ) -> dict[int | str, Suspect]:
        """Return what grew, without what is known to stop at such a level."""
        found = {}
        for key, count in second.items():
            before = first[1].get(key, 0)
            if count <= before:
                continue
            path = cycles.path(key)
            if count <= self.growths.levels.get(path, 0):
                continue
            looks = (first[0], before), (cycles.played, count)
            found[key] = suspect(*looks, cycles_max=self._cycles_max(path))
        return found

    def _cycles_max(self, path: Path) -> int:
        if is_exact(path):
            return min(EXACT_MAX, self.cycles_max)
        known = any(f"{path.name}.".startswith(f"{leak}.") for leak in self.growths.leaks)
        return min(BRIEF_MAX, self.cycles_max) if known else self.cycles_max

    def _judge(self, cycles: Cycles, suspects: dict[int | str, Suspect]) -> list[Leak]:
        """Remember what stopped, and return what did not, without what stands behind another."""
        leaks: dict[Path, Leak] = {}
        decided = self._is_decided(cycles, suspects)
        for key, each in suspects.items():
            path = cycles.path(key)
            if each.bounded:
                self.growths.stops(path, each.levels[-1][1])
            elif each.leaks or decided:  # or grew all the time beside what leaks
                leaks[path] = self._leak(cycles, path, each)
                self.growths.leaks |= {path.name} if each.leaks else set()
            else:
                self.growths.undecided[path] = cycles.played
        found = topmost(leaks)
        return [leaks[path] for path in found]

    def _leak(self, cycles: Cycles, path: Path, each: Suspect) -> Leak:
        (begun, _), (ended, now) = each.levels[0], each.levels[-1]
        rate = each.grown / (ended - begun)
        kind = class_of(path, cycles.reach)
        return Leak(path, kind, rate, now, ended, len(cycles.steps))

    def _over(
        self, reach: Reach, now: Mapping[int, int], cycles: int, operations: int
    ) -> list[Leak]:
        """Return what is over a bound that the driver declares, after so many cycles: 0 while the
        system is live.
        """
        bounds: tuple[Bounded, ...] = self.lockstep.driver.bounds
        found = []
        for key, count in now.items() if bounds else ():
            path = reach.paths.path(key)
            bound = declared(path, bounds)
            if bound is not None and count > bound.at_most:
                kind = class_of(path, reach)
                found.append(Leak(path, kind, 0.0, count, cycles, operations, bound.at_most))
        return found


def tear_down(lockstep: Lockstep) -> str:
    """Step the operations that empty model and system; return why they are not empty then, or "".

    Raises Divergence where the two disagree on the way.
    """
    model, driver = lockstep.model, lockstep.driver
    if type(model).teardown is Model.teardown:
        return f"{type(model).__name__} has no teardown(), which takes it back to empty"
    number = lockstep.steps[-1].number
    for operation in model.teardown():
        if not callable(getattr(driver, operation.kind, None)):
            continue  # it lacks that
        number += 1
        with suppress(*UNPLAYED):  # what it names is gone: the census tells whether that matters
            lockstep.step(number, operation)
        if number - lockstep.steps[0].number > TEARDOWN_MAX + len(lockstep.steps):
            break
    left = sorted(
        name for name, value in model.census().items() if value != lockstep.empty.get(name)
    )
    return f"the teardown leaves {', '.join(left)}" if left else ""


def declared(path: Path, bounds: Iterable[Bounded]) -> Bounded | None:
    """Return the bound that is declared for the length on a path, if there is one."""
    if path[-1].label != LENGTH:
        return None
    return next((each for each in bounds if fnmatchcase(path.name, each.path)), None)


def is_exact(path: Path) -> bool:
    """Return whether a path counts what must be equal before and after, as threads and tasks."""
    if len(path) == 1:
        return not path[0].label.startswith(ALIVE)
    return len(path) == 2 and path[1].label in ("task", "timer")


def topmost(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that extend no other, the exact ones first, then the shortest.

    What a container holds extends the path of its length.
    """
    ordered = sorted(paths, key=lambda path: (not is_exact(path), len(path.holder), str(path)))
    found: list[Path] = []
    for path in ordered:
        if not any(path.begins_with(above.holder) for above in found):
            found.append(path)
    reached = [path for path in found if not path[0].label.startswith(ALIVE)]
    return reached or found


@dataclass(slots=True)
class RoundTrips:
    """Ends one run in `every` with a round trip; with 0, only runs of traces that say so.

    `growths` is what the runs so far have shown of growth; `alive` is called while a round trip
    goes on, and `cycles_max` is how many cycles one watches at most. With `counts_blocks`, memory
    blocks are counted too, once.
    """

    every: int = 0
    growths: Growths = field(default_factory=Growths)
    alive: Callable[[], object] = lambda: None
    cycles_max: int = CYCLES_MAX
    counts_blocks: bool = False

    def is_due(self, header: Header) -> bool:
        """Return whether a run is one of those that end with a round trip: the seed decides."""
        return (
            self.every > 0
            and Random(f"{header.seed}/{header.run}/round trip").random() * self.every < 1
        )

    def look(self, lockstep: Lockstep, header: Header, warned: WarningRecorder | None) -> None:
        """Look for leaks at the end of a run; raises Divergence for one.

        If it is one run of many, two cycles are watched, and more only where something grew.
        """
        RoundTrip(
            lockstep,
            self.growths,
            header.signature.partition("-")[2],
            (lambda: warned.resources) if warned else (lambda: 0),
            self.alive,
            glances=self.every > 1,
            cycles_max=self.cycles_max,
            counts_blocks=self.counts_blocks,
            identities=header.identities,
        ).make()


def round_trips_of(runs: Runs) -> RoundTrips:
    """Return how runs look for leaks, if they do."""
    return runs.after_run if isinstance(runs.after_run, RoundTrips) else RoundTrips()


__all__ = ["TIME_OVER", "RoundTrip", "RoundTrips", "is_exact", "tear_down", "topmost"]
