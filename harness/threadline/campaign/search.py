"""A search in a worker: follows an engine, and saves, minimises and reports what it finds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from ..failure import Failure
from ..known import Known
from ..leaks.round_trip import TIME_OVER, round_trips_of
from ..lockstep.loop_watch import LoopWatch
from ..lockstep.outcomes import ModelError
from ..lockstep.run import Batch, Runs, replay
from ..minimise.alone import alone
from ..scenario import Scenario
from ..search.behaviour import Behaviour, First, packed, unpacked
from ..search.exhaust import Exhaust
from ..search.explore import Explorer
from ..search.goals import Goals, followed
from ..trace import BadTrace, Header, Numbered, Trace, is_signature_of, parse, read
from .chance import first_failure
from .events import Began, Ended, Found, Listener, Progress, Reached, Replayed, Shorter
from .findings import Findings
from .job import REPLAY, Job
from .lines import Lines
from .replays import Replays

PROGRESS_S = 0.1
REACHED_S = 2.0  # how often a worker says what its runs have reached
LOOK_BACK = 0.1  # of its time: in which the runs that were first are played again, for their lines
LOOK_BACK_MAX_S = 2.0
WARM = 0.2  # of its time: in which an explorer plays what earlier searches have reached
NOTHING_TAKES_TIME = (
    "nothing in it takes time, so that operations overlap only where they give way; await the "
    "driver's io() where a store or a peer in memory stands for one with I/O"
)
NO_LINE_COUNTS = (
    "no line of the system's counts, so that no thread is switched; name its packages in the "
    'driver: threaded = ("my_app",)'
)
HUNT_CUT = "a hunt for leaks was cut short by the end of the time: give it more with --for"


class Engine(Protocol):
    """Plays runs of a scenario, and knows which of its rules never fired."""

    def unused(self) -> list[str]:
        """Return a line for each rule that has never fired."""
        ...


class Search:
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
            runs, scenario, job.path, job.told, job.doubted, self._known, job.driver, job.is_spent
        )
        self._go_round: Callable[[str, Sequence[Numbered]], None] | None = None
        self._behaviour: Behaviour | None = None
        if job.follows:
            self._behaviour = Behaviour(set(unpacked(job.seen)))
        # Every sequence of a few steps is played, whether or not a goal can be met in so few.
        self._goals = Goals([] if job.engine == "exhaust" else scenario.goals())
        own = [self._behaviour] if self._behaviour else []
        runs.follower = followed(*own, self._goals)
        self._began_s = time.monotonic()

    def go(self, header: Header) -> None:
        sequences, engine, batches = self._engine(header)
        self._tell(Began(self._job.scenario, sequences))
        watch = LoopWatch(self._runs.turning)
        with watch if self._watches(header) else nullcontext():
            complete = self._follow(batches)
        found = self._findings
        is_all = complete and sequences > 0
        is_cut = TIME_OVER in round_trips_of(self._runs).growths.skipped
        note = HUNT_CUT if is_cut else self._of_overlap(header)
        unused, steps, unmet = engine.unused(), self._steps, self._goals.unmet
        unsure = self._runs.undecided  # before runs are looked at again
        self._tell_reached()
        self._look_back()
        counts = found.counts, is_all, note, unused, found.known, unmet
        self._tell(Ended(self._played, steps, *counts, undecided=unsure, held=watch.places))

    def _watches(self, header: Header) -> bool:
        """Return whether it is to be seen what holds the loop: where operations overlap on one."""
        return header.overlap and not self._runs.target.driver.threaded

    def _follow(self, batches: Iterator[Batch]) -> bool:
        """Take each run until the time is over; return whether all that there are were played."""
        told = reached = time.monotonic()
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
            if now - reached >= REACHED_S:
                reached = now
                self._tell_reached()
            if self._is_over():
                return False
        return True

    def _of_overlap(self, header: Header) -> str:
        """Return what is to be said of operations that were to overlap."""
        if self._played and header.overlap and not self._runs.has_io:
            is_threaded = self._runs.target.driver.threaded
            return NO_LINE_COUNTS if is_threaded else NOTHING_TAKES_TIME
        return ""

    def _tell_reached(self) -> None:
        """Report what was reached since the last time."""
        if self._behaviour is None:
            return
        operations, states, transitions = self._behaviour.take()
        if operations:
            self._tell(Reached(operations, packed(states), packed(transitions)))

    def _look_back(self) -> None:
        """Play the runs that were the first to reach something again, to see the lines they run.

        As many as there is time for; those that have reached most come first.
        """
        if self._behaviour is None:
            return
        self._behaviour.is_off = True
        lines = Lines()
        for first in self._behaviour.firsts():
            if self._job.is_over():
                return
            self._tell(self._seen_again(first, lines))

    def _seen_again(self, first: First, lines: Lines) -> Reached:
        content = first.trace.decode("ascii")
        trace = without_hunt(self._read(content))
        with lines.watched() as found:
            replay(self._runs, trace.header, trace.operations)
        return Reached({}, packed(first.states), "", found, content)

    def _engine(self, header: Header) -> tuple[int, Engine, Iterator[Batch]]:
        """Return about how many sequences there are (0: no end), the engine, and its runs."""
        if self._job.engine == "exhaust":
            exhaust = Exhaust(self._scenario, self._runs, header)
            return exhaust.estimate(), exhaust, exhaust.batches()
        if self._job.engine == "hypothesis":
            from ..search.machine import Chunks, examples_at  # loads what no other engine needs

            kept = examples_at(self._job.examples) if self._job.examples else {}
            chunks = Chunks(self._scenario, self._runs, header, known=self._known, **kept)
            return 0, chunks, chunks.batches(self._job.first_run, self._job.runs)
        if self._job.engine == REPLAY:
            replays = Replays(self._runs, self._job.replays, self._tell)
            return 0, replays, replays.batches(self._job.first_run)
        explorer = Explorer(self._scenario, self._runs, header)
        self._go_round = explorer.go_round
        for signature, path in self._traces():
            self._round(signature, path)
        own = explorer.batches(self._job.first_run)
        return 0, explorer, chain(self._warm(explorer), own)

    def _warm(self, explorer: Explorer) -> Iterator[Batch]:
        """Play what earlier searches have reached, as long as it takes its share of the time."""
        replays = Replays(self._runs, self._job.replays, self._tell)
        for name, content in self._job.replays:
            trace = replays.read(name, content)
            if trace is None:
                continue
            try:
                yield explorer.warm(trace)
            except ModelError as error:
                replays.set_aside(name, trace, str(error))
            spent_s = time.monotonic() - self._began_s
            if spent_s > WARM * (self._job.seconds or math.inf):
                return

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
        for name, path in self._job.told.items():
            if path and Path(path).exists():
                yield name, Path(path)

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
        if job.runs is not None and self._played >= job.runs:
            return True
        if self._behaviour is None or job.ends_at_s is None:
            return job.is_over()
        later_s = min(LOOK_BACK * (job.seconds or 0.0), LOOK_BACK_MAX_S)
        return time.monotonic() + later_s >= job.ends_at_s

    def _failed(self, batch: Batch, failure: Failure) -> None:
        if self._behaviour is None:
            self._tell_found(batch, failure)
            return
        self._behaviour.is_off = True  # replays are no runs
        try:
            self._tell_found(batch, failure)
        finally:
            self._behaviour.is_off = False

    def _tell_found(self, batch: Batch, failure: Failure) -> None:
        batch = alone(self._runs, batch)
        failure = batch.failure or failure
        is_short = self._job.engine == REPLAY  # and was stored so
        for event in self._findings.add(batch, failure, minimises=not is_short):
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


def without_hunt(trace: Trace) -> Trace:
    """Return a trace that ends without a hunt for leaks."""
    return Trace(replace(trace.header, round_trip=False), trace.operations)
