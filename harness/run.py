"""A run: one life of a model and a system, opened for an engine or for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from .failure import Divergence, Failure
from .handle import Dangling
from .history import Step
from .lockstep import Lockstep
from .target import Target
from .trace import Header, Numbered, Recorder, Trace
from .warned import Warned


@dataclass(slots=True)
class Runs:
    """Opens one run after another on a target, each recorded from its first line."""

    target: Target
    recorder: Recorder
    warned: Warned | None = None

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
        return Trace(self.header, tuple((step.number, step.operation) for step in steps))


@dataclass(slots=True)
class Replay:
    """What a replay showed: its steps, the operations that it skipped, and its failure if any."""

    steps: list[Step] = field(default_factory=list)
    skipped: list[tuple[Numbered, Dangling]] = field(default_factory=list)
    failure: Failure | None = None


def replay(runs: Runs, header: Header, operations: Iterable[Numbered]) -> Replay:
    """Run operations again on a fresh run, skipping those whose handle nothing stands behind."""
    shown = Replay()
    with runs.open(header.line(), header.settings) as lockstep:
        shown.steps = lockstep.steps
        for number, operation in operations:
            try:
                lockstep.step(number, operation)
            except Dangling as dangling:
                shown.skipped.append(((number, operation), dangling))
            except Divergence as divergence:
                shown.failure = divergence.failure
                break
    return shown
