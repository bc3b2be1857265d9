"""A run: one life of a model and a system, opened for an engine or for a replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from ..clocked import give, take_back
from ..driver import Driver, DriverError, end
from ..failure import Divergence, Failure
from ..handle import Dangling
from ..history import Step
from ..lifecycle import CLOSE, HUNT, START
from ..loading import BadName, Target
from ..operation import Operation
from ..outcome import Unpredictable
from ..pool import Now
from ..trace import AS_EVER, Header, Mode, Numbered, Recorder, Trace
from .lent import lent_to
from .lockstep import Lockstep, Record, lifecycle_failure
from .outcomes import UNPLAYED, crashed, is_interrupt, is_the_systems
from .overlap import Overlap
from .recorders import WarningRecorder

CLOSING = "close"  # stands behind the last step of a trace while its system is closed
RENEWED_EVERY = 20  # runs: one in so many is played on a driver made anew, to see that reset cleans


class AfterRun(Protocol):
    """A check that follows the last step of a run, as that for leaks."""

    def is_due(self, header: Header) -> bool:
        """Return whether a run is one of those that are examined: the seed decides."""
        ...

    def look(self, lockstep: Lockstep, header: Header, warned: WarningRecorder | None) -> None:
        """Examine a run at its end; raises Divergence for what is found."""
        ...


class Follower(Protocol):
    """Follows each run from its begin to its end, as whoever counts what is reached."""

    def begin(self, header: bytes, now: Now, record: Record) -> Record:
        """Return what is to be called before each step of a run: `record`, or what calls it."""
        ...

    def end(self, lockstep: Lockstep) -> None:
        """Take a run whose last step was played; called again for one that was torn down then."""
        ...


@dataclass(slots=True)
class Runs:
    """Opens one run after another on a target, each recorded from its first line.

    `after_run` examines some runs when they are over, and each whose trace asks for it. With
    `shows_log`, a failure has what the system logged; with `shows_all`, no value in it is cut.
    `follower` follows each run. `put_back` is called after each run, to restore what a system may
    change of its process. Disagreements of a signature that it `tolerates` are counted in
    `tolerated`, by runs, and end none. `has_io` says whether anything has taken time in a run whose
    operations overlapped; `undecided` counts runs of which not all could be judged.
    """

    target: Target
    recorder: Recorder
    warned: WarningRecorder | None = None
    after_run: AfterRun | None = None
    follower: Follower | None = None
    shows_log: bool = False
    shows_all: bool = False
    put_back: Callable[[], object] = lambda: None
    tolerates: Sequence[str] = ()
    tolerated: dict[str, int] = field(default_factory=dict)
    has_io: bool = False
    undecided: int = 0
    _kept: Kept = field(default_factory=lambda: Kept())

    @contextmanager
    def open(
        self,
        header: bytes,
        settings: Mapping[str, object],
        *,
        anew: bool = False,
        tolerates: Sequence[str] | None = None,
        mode: Mode = AS_EVER,
    ) -> Iterator[Lockstep]:
        """Begin a run on a fresh model and a system as good as fresh, given back at the end.

        With `anew`, the system is made anew, though it could be reset. What it `tolerates` may
        differ from run to run, as in replays. The `mode` says whether operations run beside each
        other, as their timings say; in a long run, more of them (`fairness.OVERTAKEN_MAX`).
        """
        self.recorder.begin(header)
        try:
            lockstep = self._lockstep(
                header,
                settings,
                anew=anew,
                mode=mode,
                tolerates=self.tolerates if tolerates is None else tolerates,
            )
            is_good = False
            try:
                yield lockstep
                lockstep.finish()
                is_good = not lockstep.has_diverged
            finally:
                lockstep.stop()
                self._count(lockstep)
                self._give_back(lockstep, is_good=is_good)
        finally:
            take_back()
            if self.warned is not None:
                self.warned.take()
            self.put_back()

    def _lockstep(
        self,
        header: bytes,
        settings: Mapping[str, object],
        *,
        anew: bool,
        mode: Mode,
        tolerates: Sequence[str],
    ) -> Lockstep:
        begun = partial(Overlap, partial(self.target.new_model, settings), mode)
        lockstep = (begun if mode.overlap else Lockstep)(
            self.target.new_model(settings),
            self._started(settings, anew=anew),
            self.recorder.record,
            self.warned,
            self.target.invariants,
            settings,
            tolerates,
        )
        if self.follower is not None:
            lockstep.record = self.follower.begin(header, lockstep.now, self.recorder.record)
        return lockstep

    def _count(self, lockstep: Lockstep) -> None:
        self.has_io = self.has_io or lockstep.has_io
        self.undecided += lockstep.undecided > 0
        for name in lockstep.tolerated:
            self.tolerated[name] = self.tolerated.get(name, 0) + 1
        if self.follower is not None:
            self.follower.end(lockstep)

    def begin(self, header: Header, *, anew: bool = False) -> AbstractContextManager[Lockstep]:
        """Begin the run that a header is of: under its settings, with what it tolerates."""
        return self.open(
            header.line(),
            header.settings,
            anew=anew,
            tolerates=header.tolerates,
            mode=header.mode,
        )

    def start(self) -> None:
        """Call the driver's start(), if that has not been done in this process.

        What it raises is raised by each run, too, as its failure.
        """
        self._kept.start(self.target.driver)

    @property
    def has_started(self) -> bool:
        """Return whether the driver's start() has raised nothing in this process."""
        return self._kept.failed is None

    def _started(self, settings: Mapping[str, object], *, anew: bool) -> Driver[Any]:
        try:
            return self._kept.driver(self.target, settings, anew=anew)
        except (BadName, DriverError):
            raise  # it is the driver that is wrong
        except BaseException as error:
            if is_interrupt(error):
                raise
            raise lifecycle_failure(START, 1, (), crashed(error), settings) from error

    def _give_back(self, lockstep: Lockstep, *, is_good: bool) -> None:
        """Give the system back; if that raises, it is the failure of a run that had none."""
        # Otherwise a step has raised what ends the worker.
        if is_good or lockstep.has_diverged:
            self.recorder.mark(CLOSING.encode())
        try:
            self._kept.give_back(is_good=is_good)
        except BaseException as error:
            if is_good or is_interrupt(error):
                raise lockstep.fail(CLOSE, error, lockstep.steps) from error

    def log_of(self, header: Header, operations: Iterable[Numbered]) -> list[str]:
        """Return what the system logs and warns while a trace is played, where that is shown."""
        if self.warned is None or not self.shows_log:
            return []
        self.warned.logged.take()
        replay(self, header, operations)
        return self.warned.logged.take()

    def turning(self) -> int:
        """Return the number of the turn that the loop of the system makes now; 0 between turns."""
        made = self._kept.made
        pump = made._pump if made is not None else None
        return pump.turning if pump is not None else 0

    @property
    def resets(self) -> bool:
        """Return whether a run can be played on the system of the run before."""
        return self.target.driver.reset is not Driver.reset

    def close(self) -> None:
        """Give back the system that was kept for the next run; what that raises is lost."""
        with suppress(Exception):
            self._kept.drop()

    def is_due(self, header: Header) -> bool:
        """Return whether a run is examined when it is over."""
        return self.after_run is not None and self.after_run.is_due(header)

    def look(self, lockstep: Lockstep, header: Header) -> None:
        """Examine a run that is over; raises Divergence for what is found."""
        if self.after_run is None:
            return
        lockstep.finish()
        drawn = tuple(lockstep.steps)
        if self.follower is not None:
            self.follower.end(lockstep)
        try:
            self.after_run.look(lockstep, header, self.warned)
        except BaseException as error:
            if is_interrupt(error) or not is_the_systems(error):
                raise
            raise lockstep.fail(HUNT, error, drawn) from error


@dataclass(slots=True)
class Kept:
    """The driver that a run is played on, kept for the next where it can be reset.

    `failed` is what start() has raised in this process.
    """

    made: Driver[Any] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    runs: int = 0
    failed: BaseException | None = None

    def start(self, driver: type[Driver[Any]]) -> None:
        """Call a driver's start() once in this process."""
        if vars(driver).get("_has_started"):
            return
        driver._has_started = True  # type: ignore[attr-defined]  # read here alone
        try:
            with lent_to(driver):
                driver.start()
        except BaseException as error:
            if is_interrupt(error):
                raise
            self.failed = error

    def driver(self, target: Target, settings: Mapping[str, object], *, anew: bool) -> Driver[Any]:
        """Return a driver as good as fresh: the one kept, reset, or a new one."""
        self.runs += 1
        is_old = anew or settings != self.settings or self.runs % RENEWED_EVERY == 0
        if self.made is not None and not is_old:
            with suppress(Exception):
                return _as_new(self.made)
        self.drop()
        self.start(target.driver)
        if self.failed is not None:
            raise self.failed
        self.settings = dict(settings)
        with lent_to(target.driver):
            self.made = target.new_driver(settings)
        return self.made

    def give_back(self, *, is_good: bool) -> None:
        """Keep the driver for the next run, or close it."""
        if self.made is None or not is_good or type(self.made).reset is Driver.reset:
            self.drop()

    def drop(self) -> None:
        """Close the driver."""
        driver, self.made = self.made, None
        if driver is not None:
            end(driver)


def _as_new(driver: Driver[Any]) -> Driver[Any]:
    """Return a driver that was reset; its modules were given back when the run before was over."""
    if driver.clocked:
        give(driver.clocked, driver.clock, driver._sleep)
    with lent_to(type(driver)):
        driver.reset()
    driver._told = None  # what was told meanwhile belongs to no operation
    return driver


@dataclass(frozen=True, slots=True)
class Batch:
    """What an engine yields after one run, or several of Hypothesis's; how the last one ended."""

    runs: int
    steps: int
    header: Header
    failure: Failure | None = None

    def trace(self) -> Trace:
        """Return the failing run as a trace."""
        header = replace(self.header, signature=str(self.failure.signature) if self.failure else "")
        return Trace(header, self.failure.operations if self.failure else ())


class Skipped(NamedTuple):
    """An operation that was not played, because its handle names nothing in this run."""

    number: int
    operation: Operation
    because: Dangling | Unpredictable


def play(lockstep: Lockstep, operations: Iterable[Numbered]) -> Iterator[Step | Skipped]:
    """Step operations under their own numbers, yielding each; raises Divergence where one fails."""
    for number, operation in operations:
        try:
            yield lockstep.step(number, operation)
        except UNPLAYED as because:
            yield Skipped(number, operation, because)


def replay(
    runs: Runs, header: Header, operations: Iterable[Numbered], *, anew: bool = False
) -> Failure | None:
    """Play operations on a fresh run, and return its failure, if it has one."""
    try:
        with runs.begin(header, anew=anew) as lockstep:
            deque(play(lockstep, operations), maxlen=0)
            if header.round_trip:
                runs.look(lockstep, header)
    except Divergence as divergence:
        return divergence.failure
    return None
