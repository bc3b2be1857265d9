"""A worker: the process in which one scenario is run; it receives a job, and sends events."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..driver import DriverError
from ..failure import Failure
from ..known import Known
from ..leaks.cycles import TimeOver
from ..leaks.round_trip import TIME_OVER, RoundTrips, round_trips_of
from ..loading import BadName, Target, load_scenario, load_target
from ..lockstep.outcomes import crashed, is_the_systems
from ..lockstep.recorders import warnings_recorded
from ..lockstep.run import Batch, Runs
from ..printable import file_name
from ..scenario import Scenario
from ..search.exhaust import Exhaust
from ..search.explore import Explorer
from ..trace import (
    BadTrace,
    Header,
    Numbered,
    Recorder,
    Trace,
    is_signature_of,
    parse,
    plain,
    read,
    versions,
)
from .chance import first_failure
from .channel import Channel
from .events import (
    Began,
    Broke,
    Ended,
    Found,
    Listener,
    Message,
    Progress,
    Raised,
    Ready,
    Recorded,
    Replayed,
    Shorter,
)
from .findings import Findings
from .isolate import HANG_S, shorten

ENGINES = ("explore", "hypothesis", "exhaust")
PROGRESS_S = 0.1
ROUND_TRIP_EVERY = 30  # runs: looking for leaks takes about as long as two runs more
SLOW_S = 60.0  # how long a step may take in a campaign without a time budget
HUNT_CUT = "a hunt for leaks was cut short by the end of the time: give it more with --for"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD)
START_S = 60.0  # how long the imports and start() of a driver may take, in each worker


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do; names and numbers only, so that it can be sent as JSON.

    Ends after `runs`, or after `seconds`, whichever is given and comes first; `exhaust` ends when
    it has played all. `ends_at_s` is when the seconds are over, on the monotonic clock, which all
    processes share. With a `trace`, the job is to minimise that one, each replay in a process of
    its own. A step that takes longer than `hang_s` seconds is hung; until the driver is loaded and
    started, the limit is `start_s`. One run in `round_trip_every` ends with a hunt for leaks.
    Signatures in `told` were reported by an earlier worker: they are counted, and not reported
    again. `known` are the entries of known failures, without their dates; with `replays_known`,
    their traces are played first.
    """

    scenario: str
    driver: str
    engine: str
    seed: int
    steps: int
    runs: int | None = None
    seconds: float | None = None
    first_run: int = 1
    folder: str = ""
    trace: str = ""
    ends_at_s: float | None = None
    told: Sequence[str] = ()
    known: Sequence[Mapping[str, Any]] = ()
    replays_known: bool = False
    hang_s: float = HANG_S
    start_s: float = START_S
    round_trip_every: int = ROUND_TRIP_EVERY
    shows_log: bool = False
    shows_all: bool = False

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii")

    def path(self, name: str) -> Path | None:
        """Return where a file of this job belongs, or None where it has no folder."""
        stem = file_name(f"{self.scenario.rpartition(':')[2]}-{name}")
        return Path(self.folder) / f"{stem}.jsonl" if self.folder else None

    def is_over(self) -> bool:
        """Return whether the time of this job is over."""
        return self.ends_at_s is not None and time.monotonic() >= self.ends_at_s

    def running(self) -> Path | None:
        """Return where the trace of the run that is going on is kept."""
        return self.path("running")


class Engine(Protocol):
    """Plays runs of a scenario, and knows which of its rules never fired."""

    def unused(self) -> list[str]:
        """Return a line for each rule that has never fired."""
        ...


def work(job: Job, tell: Callable[[Message], None]) -> None:
    """Do a job in this process, and pass each message to `tell`.

    Raises BadName where its names lead nowhere, and whatever a bug of the model or the scenario
    raises.
    """
    target = load_target(job.driver)
    scenario = load_scenario(job.scenario)

    def tell_line(line: bytes) -> None:
        tell(Recorded(line.decode("ascii")))

    with (
        warnings_recorded() as warned,
        closing(Recorder(job.running(), tell_line)) as recorder,
    ):
        trips = RoundTrips(job.round_trip_every, alive=_alive(job, recorder))
        runs = Runs(
            target,
            recorder,
            warned,
            after_run=trips,
            shows_log=job.shows_log,
            shows_all=job.shows_all,
            put_back=surroundings(),
            tolerates=_tolerated(job),
        )
        runs.start()
        tell(Ready())
        if job.trace:
            path, running = Path(job.trace), job.running()
            tell(shorten(path, runs, scenario, running, job.hang_s, job.is_over))
        else:
            search = _Follower(job, scenario, runs, tell)
            if job.replays_known:
                search.replay_known()
            search.go(header_of(job, target))
        runs.close()


def header_of(job: Job, target: Target) -> Header:
    """Return what all traces of a job begin with."""
    return Header(
        contract=target.model.name,
        driver=job.driver,
        scenario=job.scenario,
        policy=plain(target.policy),
        engine=job.engine,
        seed=job.seed,
        steps_max=job.steps,
        tolerates=_tolerated(job),
        versions=versions(),
    )


def _tolerated(job: Job) -> tuple[str, ...]:
    return tuple(entry["signature"] for entry in job.known if entry["tolerate"])


def _alive(job: Job, recorder: Recorder) -> Callable[[], object]:
    """Return what a leak hunt calls in each of its steps, which stops it when time is over."""

    def alive() -> None:
        recorder.touch()
        if job.is_over():
            raise TimeOver

    return alive


class _Follower:
    """Follows an engine: counts, saves and minimises what it finds, and reports it."""

    def __init__(self, job: Job, scenario: type[Scenario[Any]], runs: Runs, tell: Listener) -> None:
        self._job = job
        self._scenario = scenario
        self._runs = runs
        self._tell = tell
        self._played = 0
        self._steps = 0
        self._known = [Known(**entry) for entry in job.known]
        self._findings = Findings(
            runs, scenario, job.path, job.told, self._known, job.driver, job.is_over
        )
        self._go_round: Callable[[str, Sequence[Numbered]], None] | None = None

    def go(self, header: Header) -> None:
        told = time.monotonic()
        sequences, engine, batches = self._engine(header)
        self._tell(Began(self._job.scenario, sequences))
        complete = True
        for batch in batches:
            self._count_tolerated()
            self._played += batch.runs
            self._steps += batch.steps
            if batch.failure:
                self._failed(batch, batch.failure)
                self._runs.tolerated.clear()  # by replays, which are no runs of the search
            now = time.monotonic()
            if now - told >= PROGRESS_S:
                told = now
                self._tell(Progress(self._played, self._steps, batch.header.run))
            if self._is_over():
                complete = False
                break
        found = self._findings
        is_all = complete and sequences > 0
        note = HUNT_CUT if TIME_OVER in round_trips_of(self._runs).growths.skipped else ""
        unused, steps = engine.unused(), self._steps
        self._tell(Ended(self._played, steps, found.counts, is_all, note, unused, found.known))

    def _engine(self, header: Header) -> tuple[int, Engine, Iterator[Batch]]:
        """Return about how many sequences there are (0: no end), the engine, and its runs."""
        if self._job.engine == "exhaust":
            exhaust = Exhaust(self._scenario, self._runs, header)
            return exhaust.estimate(), exhaust, exhaust.batches()
        if self._job.engine == "hypothesis":
            from ..search.machine import Chunks  # loads Hypothesis, which no other engine needs

            chunks = Chunks(self._scenario, self._runs, header, known=self._known)
            return 0, chunks, chunks.batches(self._job.first_run, self._job.runs)
        explorer = Explorer(self._scenario, self._runs, header)
        self._go_round = explorer.go_round
        for signature, path in self._traces():
            self._round(signature, path)
        return 0, explorer, explorer.batches(self._job.first_run)

    def _count_tolerated(self) -> None:
        known = self._findings.known
        for name, times in self._runs.tolerated.items():
            known[name] = known.get(name, 0) + times
        self._runs.tolerated.clear()

    def _traces(self) -> Iterator[tuple[str, Path]]:
        """Yield the traces of failures that are known or were reported: runs avoid them from the
        start.
        """
        for entry in self._known:
            if entry.trace and not entry.tolerate:
                yield entry.signature, Path(entry.trace)
        for name in self._job.told:
            path = self._job.path(name)
            if path is not None and path.exists():
                yield name, path

    def _round(self, signature: str, path: Path) -> None:
        """Avoid the failure of a trace, if it is one of this model and scenario."""
        with suppress(BadTrace):
            trace = read(path, self._runs.target.model.kinds())
            name = trace.header.signature
            self._learn(name if is_signature_of(signature, name) else signature, trace)

    def _learn(self, signature: str, trace: Trace) -> None:
        """Avoid the failure of a trace from the next run on, where the engine can."""
        if self._go_round is not None and trace.operations and not trace.header.round_trip:
            self._go_round(signature, trace.operations)

    def _is_over(self) -> bool:
        job = self._job
        return job.is_over() or (job.runs is not None and self._played >= job.runs)

    def _failed(self, batch: Batch, failure: Failure) -> None:
        for event in self._findings.add(batch, failure):
            if isinstance(event, Shorter) and not event.doubt:
                self._learn(event.signature, self._read(event.lines))
            if self._findings.is_known(event.signature):
                continue
            self._tell(replace(event, runs=self._played) if isinstance(event, Found) else event)

    def _read(self, lines: str) -> Trace:
        kinds = self._runs.target.model.kinds()
        return parse("the trace", lines.encode("ascii").split(b"\n"), kinds)[0]

    def replay_known(self) -> None:
        """Play the trace of each known failure, and report its outcome."""
        for entry in self._known:
            if not entry.trace:
                continue
            try:
                trace = read(Path(entry.trace), self._runs.target.model.kinds())
            except BadTrace as error:
                self._tell(Replayed(entry.signature, entry.trace, str(error)))
                continue
            # Not the run of the campaign that found it: it may end this process, and be reported.
            header = replace(trace.header, run=self._job.first_run - 1)
            failure = first_failure(replace(trace, header=header), self._runs)
            came = str(failure.signature) if failure else ""
            self._tell(Replayed(entry.signature, entry.trace, came))


def surroundings() -> Callable[[], None]:
    """Return a function that restores the working folder, the recursion limit and signal handlers.

    Both have to be called on the main thread.
    """
    folder = os.getcwd()
    limit = sys.getrecursionlimit()
    handlers = [(number, signal.getsignal(number)) for number in SIGNALS]

    def put_back() -> None:
        with suppress(OSError):
            os.chdir(folder)
        if sys.getrecursionlimit() != limit:
            sys.setrecursionlimit(limit)
        for number, handler in handlers:
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
        signal.setitimer(signal.ITIMER_REAL, 0)

    return put_back


def main() -> None:
    """Do the job that comes on the channel, and report its events there.

    An exception is reported as the system's or as ours, whichever raised it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the campaign's to handle
    channel = Channel()
    try:
        work(Job(**json.loads(channel.job)), channel.tell)
    except (DriverError, BadName) as error:
        channel.tell(Broke(str(error)))
    except BaseException as error:
        if is_the_systems(error):
            found = crashed(error)
            channel.tell(Raised(found.error, found.where))
        else:
            channel.tell(Broke("".join(traceback.format_exception(error)).rstrip()))
    else:
        return
    os._exit(1)  # not exit: a thread that the system left must not hold us


if __name__ == "__main__":
    main()
