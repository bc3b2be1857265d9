"""A run: one life of a model and a system, opened for an engine or for a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import NamedTuple

from ..failure import Divergence, Failure
from ..handle import Dangling
from ..history import Step
from ..leaks.doubling import CYCLES_MAX
from ..leaks.growth import Known
from ..leaks.round_trip import RoundTrip
from ..loading import Target
from ..operation import Operation
from ..trace import Header, Numbered, Recorder, Trace
from .lockstep import Lockstep
from .warning_recorder import Warned


@dataclass(slots=True)
class Runs:
    """Opens one run after another on a target, each recorded from its first line.

    A round trip ends one run in `round_trip_every`; none, if that is 0. `known` is what the runs
    so far have told of growth; `alive` is called while a round trip goes on, and `cycles_max` is
    how many cycles one watches at most. Who `nets` looks outside the roots too, once.
    """

    target: Target
    recorder: Recorder
    warned: Warned | None = None
    round_trip_every: int = 0
    known: Known = field(default_factory=Known)
    alive: Callable[[], object] = lambda: None
    cycles_max: int = CYCLES_MAX
    nets: bool = False

    @contextmanager
    def open(self, header: bytes, settings: Mapping[str, object]) -> Iterator[Lockstep]:
        """Begin a run on a fresh model and a fresh system, closed at the end of the block."""
        self.recorder.begin(header)
        driver = self.target.make(**settings)
        try:
            yield Lockstep(
                self.target.contract, driver, settings, self.recorder.record, self.warned
            )
        finally:
            driver.close()
            if self.warned is not None:
                self.warned.take()

    def is_due(self, header: Header) -> bool:
        """Say whether a run is one of those that end with a round trip: the seed decides."""
        every = self.round_trip_every
        return every > 0 and Random(f"{header.seed}/{header.run}/round trip").random() * every < 1

    def round_trip(self, lockstep: Lockstep, header: Header) -> None:
        """Look for leaks at the end of a run; raises Divergence for one.

        A glance where it is one run of many: two cycles are watched, and more if something grew.
        """
        wanted = header.signature.partition("-")[2]
        resources = (lambda: warned.resources) if (warned := self.warned) else (lambda: 0)
        glances = self.round_trip_every > 1
        trip = RoundTrip(lockstep, self.known, wanted, resources, self.alive)
        replace(trip, glances=glances, cycles_max=self.cycles_max, nets=self.nets).make()


@dataclass(frozen=True, slots=True)
class Batch:
    """What an engine tells after one run (Hypothesis: after some), and how its last one ended."""

    runs: int
    steps: int
    header: Header
    failure: Failure | None = None

    def trace(self) -> Trace:
        """Return the failing run as a trace."""
        steps = self.failure.steps if self.failure else ()
        header = replace(self.header, signature=str(self.failure.signature) if self.failure else "")
        return Trace(header, tuple((step.number, step.operation) for step in steps))


class Skipped(NamedTuple):
    """An operation that was not played, because its handle names nothing in this run."""

    number: int
    operation: Operation
    because: Dangling


def play(lockstep: Lockstep, operations: Iterable[Numbered]) -> Iterator[Step | Skipped]:
    """Step operations under their own numbers, yielding each; raises Divergence where they part."""
    for number, operation in operations:
        try:
            yield lockstep.step(number, operation)
        except Dangling as dangling:
            yield Skipped(number, operation, dangling)


def replay(runs: Runs, header: Header, operations: Iterable[Numbered]) -> Failure | None:
    """Play operations on a fresh run, and return its failure, if it has one."""
    with runs.open(header.line(), header.settings) as lockstep:
        try:
            deque(play(lockstep, operations), maxlen=0)
            if header.round_trip:
                runs.round_trip(lockstep, header)
        except Divergence as divergence:
            return divergence.failure
    return None
