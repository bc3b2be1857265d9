"""A campaign: one worker process after another, watched from outside, so that nothing is lost."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ..allowed import driver_to_give
from ..failure import Failure, failure_text
from ..known import Known, covering
from ..loading import Target
from ..lockstep.outcomes import ModelError
from ..outcome import Crashed, Hung, Outcome
from ..play import played
from ..trace import BadTrace, Trace, parse, save
from .chance import TIME_OVER
from .channel import Line, start_worker
from .child import FileWatch, MemoryWatch
from .events import (
    Broke,
    Ended,
    Event,
    Found,
    Free,
    Listener,
    Memory,
    Progress,
    Raised,
    Ready,
    Recorded,
    Shorter,
)
from .isolate import death, hung, last_run, last_step_failure
from .job import REPLAY, Job, header_of
from .spares import Spares
from .tally import Tally

Interrupted: TypeAlias = Callable[[], bool]
POLL_S = 0.2
OVERTIME_S = 0.5  # what a worker has to end by itself, once its time is over
STALL_S = 4.0  # that a busy machine may hold up a step; our choice
FAIR_START_S = 10.0  # that a driver had to start, before it counts that it has not; our choice
CLOSING_S = 0.5  # and when it hangs up, to end
ENDING_S = 2.0  # and once all is told: the system's own threads and exit handlers are waited for
ALIKE_MAX = 3  # deaths by one signature, where no time ends a campaign
KNOWN_MAX = 30  # by one that is known, and so must not hide the others; our choice
BARREN_MAX = 3  # workers in a row that end before their first step
NOT_WRITTEN = "not minimised: the trace could not be written"


class WorkerFailed(RuntimeError):
    """A worker ended by a bug that is not the system's: in a model, a scenario or the harness."""


@dataclass(slots=True)
class Worker:
    """One process that does a job, watched.

    `end` is the outcome of its last step, where the system has ended the process. `interrupted` is
    asked between events; where it returns true, events() raises KeyboardInterrupt, with no event
    lost.
    """

    job: Job
    line: Line
    interrupted: Interrupted
    end: Outcome | None = None
    broke: str = ""
    is_kept: bool = False  # from an earlier job
    is_free: bool = False  # for another one
    ready: bool = False
    has_begun: bool = False  # and played a run
    late: bool = False  # its time was over before it had ended
    has_told_all: bool = False
    waited_s: float = 0.0  # for the step that was the last
    held_mib: float = 0.0  # of memory, where that was measured and not passed on yet
    recorded: list[str] = field(default_factory=list)  # of the run, where no file could be written

    def events(self) -> Iterator[Event]:
        """Yield the worker's events until it ends or is ended.

        Its process is gone afterwards, unless it is free for another job.
        """
        try:
            for _ in self._turns():
                yield from self._heard()
                if self.held_mib and not self.has_told_all:
                    yield Memory(self.held_mib)
                    self.held_mib = 0.0
            if self.is_free:
                return
            status = self.line.stop(CLOSING_S if self.line.closed else 0.0)
            yield from self._heard()
        except KeyboardInterrupt:
            self.line.stop()
            yield from self._heard()
            self.is_free = False
            raise
        finally:
            if not self.is_free:
                self.line.hang_up()
        if self.end is None and not (self.has_told_all or self.late):
            self.end = death(status)

    @property
    def has_had_no_time(self) -> bool:
        """Return whether its time was over before anything could be played, and that says nothing
        of the system: a start that took longer does.
        """
        return self.late and not self.has_begun and self.waited_s < FAIR_START_S

    @property
    def has_ended_idle(self) -> bool:
        """Return whether it was kept from an earlier job, and has ended before it took this one."""
        return self.is_kept and self.end is not None and not self.ready

    def last_run(self, target: Target) -> tuple[Trace, str] | None:
        """Return the run that the worker was in, and what came behind its last step."""
        if self.recorded:
            with suppress(BadTrace):
                lines = "".join(self.recorded).encode("ascii").split(b"\n")
                return parse("the run", lines, target.model.kinds())
        return last_run(self.job.running(), target)

    def _heard(self) -> Iterator[Event]:
        """Take what can be read of the worker now, and yield what is for others."""
        for message in self.line.messages():
            if isinstance(message, Ready):
                self.ready = True
            elif isinstance(message, Free):
                self.is_free = True
            elif isinstance(message, Raised):
                self.end = Crashed(message.error, message.where)
            elif isinstance(message, Broke):
                self.broke = message.text
            elif isinstance(message, Recorded):
                self._record(message.line)
            else:
                if not self.has_begun and isinstance(message, Progress | Found | Ended):
                    self.has_begun, self.job = True, self.job.started()
                is_last = Shorter if self.job.trace else Ended
                self.has_told_all = self.has_told_all or isinstance(message, is_last)
                yield message

    def _record(self, line: str) -> None:
        if line.startswith('{"threadline"'):
            self.recorded.clear()
        self.recorded.append(line)

    def _turns(self) -> Iterator[None]:
        """Yield when there is something to read; stop when the worker ends, or must be ended."""
        file_watch = FileWatch(self.job.running())
        memory_watch = MemoryWatch(self.line.child.process.pid, self._most_mib())
        with selectors.DefaultSelector() as selector:
            selector.register(self.line.socket, selectors.EVENT_READ)
            while not (self.line.closed or self.is_free):
                ready = bool(selector.select(POLL_S))
                if self.interrupted():
                    raise KeyboardInterrupt
                if ready:
                    file_watch.restart()
                if held := memory_watch.look():
                    self.held_mib = held
                yield
                if (over := memory_watch.over()) and not self._has_said_why():
                    self.end = over
                    return
                self.waited_s = file_watch.idle_s(looks=self.ready)
                if self._is_to_end() or self.line.child.has_ended():
                    return

    def _is_to_end(self) -> bool:
        """Return whether the worker has had its time: as a whole, for a step, or to end."""
        if self._has_said_why():
            return self.waited_s > ENDING_S
        last_s = self.job.last_s()
        if last_s is not None and time.monotonic() > last_s + OVERTIME_S:
            self.late = True
            if self.ready and self.waited_s >= max(STALL_S, (self.job.seconds or 0.0) / 2):
                self.end = hung(round(self.waited_s, 1))  # which is more than slow
        elif self.waited_s > self._limit_s():
            self.end = hung(self._limit_s())
        return self.late or self.end is not None

    def _has_said_why(self) -> bool:
        """Return whether the worker has said why it ends, so that it only has to be waited for."""
        return self.has_told_all or bool(self.broke) or isinstance(self.end, Crashed)

    def _most_mib(self) -> float | None:
        most_mib = self.job.memory_max_mib
        # Who minimises watches a fork of its own, which must be ended first.
        return most_mib and most_mib * (2 if self.job.trace else 1)

    def _limit_s(self) -> float:
        if not self.ready:
            return self.job.start_s
        # Who minimises such a step waits for it in a fork of its own.
        return 2 * self.job.hang_s + CLOSING_S if self.job.trace else self.job.hang_s


def never() -> bool:
    return False


def start(job: Job, interrupted: Interrupted = never, spares: Spares | None = None) -> Worker:
    """Give a job to a worker that waits for one, or to a process that is started for it."""
    if (running := job.running()) is not None:
        with suppress(OSError):
            running.unlink(missing_ok=True)  # so that no earlier worker's run is taken for its own
    while spares is not None and (line := spares.take(job.driver)) is not None:
        if not line.child.has_ended() and line.send(job.encoded()):
            return Worker(job, line, interrupted, is_kept=True)
        line.hang_up()
    return Worker(job, start_worker(job.encoded()), interrupted)


def campaign(
    job: Job,
    target: Target,
    listen: Listener,
    interrupted: Interrupted = never,
    spares: Spares | None = None,
) -> None:
    """Run one scenario to its end, with a new worker after each step that ended its process.

    Passes every event to `listen`. Its workers come from the `spares`, and go there. A step that
    does not return, a dead process, and whatever else the system does to its worker are failures of
    liveness. Takes `job.seconds`, its patience and what it may take to finish, plus at most
    OVERTIME_S and the time to end a process. Raises WorkerFailed where the bug is not the system's,
    and KeyboardInterrupt when `interrupted` returns true; all failures found so far have been
    passed on by then.
    """
    job = replace(job, keeps=spares is not None).begun()
    tally = Tally(job.scenario, listen)
    barren, next_job = 0, job
    while True:
        worker = _heard_out(next_job, tally, interrupted, spares)
        if tally.ended:
            return
        if worker.late and worker.end is None:
            tally.end(_late(worker, target, tally), is_unreached=worker.has_had_no_time)
            return
        death = _report_end(worker, target, tally, interrupted)
        barren = 0 if death.has_played else barren + 1
        if note := _why_not_go_on(next_job, tally, death, barren):
            break
        next_job = _after(worker.job, job, tally, death)
        if next_job.is_over() or next_job.runs == 0:
            break
    tally.end(note)


def _heard_out(job: Job, tally: Tally, interrupted: Interrupted, spares: Spares | None) -> Worker:
    """Return a worker that has told all it had to tell of a job; raises WorkerFailed.

    One that was kept, and has ended before it took the job, is no failure: another takes its place.
    """
    while True:
        worker = start(job, interrupted, spares)
        tally.begin_worker()
        for event in worker.events():
            tally.hear(event)
        if worker.is_free and spares is not None:
            spares.give(job.driver, worker.line)
        if worker.broke:
            raise WorkerFailed(f"{job.scenario} on {job.driver}: {worker.broke}")
        if not worker.has_ended_idle:
            return worker


def _after(last: Job, whole: Job, tally: Tally, death: Death) -> Job:
    """Return the job of the next worker: what is left of the whole, behind the run of a death."""
    counted = dict.fromkeys((*tally.failures, *tally.known), "")
    return replace(
        last,
        runs=None if whole.runs is None else whole.runs - tally.runs,
        first_run=death.run + 1,
        told={**counted, **last.told, **tally.traces},
        doubted=sorted(tally.doubted.union(set(last.doubted) - tally.traces.keys())),
        replays_known=False,
    )


@dataclass(frozen=True, slots=True)
class Death:
    """The run in which the system has ended a worker, and the signature of that failure."""

    run: int
    signature: str
    has_played: bool


def _report_end(worker: Worker, target: Target, tally: Tally, interrupted: Interrupted) -> Death:
    """Report what ended a worker as the failure of the run it was in, and return that."""
    job, end = worker.job, worker.end
    assert end is not None
    at_start = Trace(replace(header_of(job, target), run=job.first_run - 1), ()), ""
    trace, phase = (worker.last_run(target) if worker.ready else None) or at_start
    try:
        failure = last_step_failure(trace, target, end, phase)
    except ModelError as error:
        raise WorkerFailed(f"{job.scenario} on {job.driver}: {error}") from error
    name = str(failure.signature)
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    in_order = job.engine in ("explore", REPLAY)  # so that numbers of runs tell how many there were
    tally.died(in_order * (trace.header.run - job.first_run + 1), len(trace.operations))
    has_played = bool(trace.operations) or trace.header.run > job.first_run
    death = Death(max(trace.header.run, tally.last_run), name, has_played)
    if covering([Known(**entry) for entry in job.known], name, job.driver) is not None:
        tally.knows(name)
        return death
    if name in tally.failures:
        tally.found(name)
        return death
    notes = []
    if isinstance(end, Hung) and not worker.ready:
        notes.append(f"{job.driver} was still starting after {end.limit}")
    saved = save(job.path(name), trace)
    lines, driver = trace.encoded().decode("ascii"), driver_to_give(target)
    text = failure_text(failure, saved, notes, driver=driver, full=job.shows_all)
    steps, play = len(failure.steps), played(failure)
    tally.hear(Found(name, text, saved, lines, tally.runs, steps, play=play))
    if job.engine == REPLAY:  # it was stored as short as it gets
        tally.hear(Shorter(name, text, lines, 1, steps, saved, play=play))
    elif saved and trace.operations and not job.is_spent():
        _minimise(replace(job, trace=saved), failure, tally, interrupted, driver)
    else:
        if trace.operations:
            notes.append(TIME_OVER if saved else NOT_WRITTEN)
            text = failure_text(failure, saved, notes, driver=driver, full=job.shows_all)
        tally.hear(Shorter(name, text, lines, 0, steps, saved, play=play))
    return death


def _minimise(
    job: Job, failure: Failure, tally: Tally, interrupted: Interrupted, driver: str
) -> None:
    """Minimise a saved trace in a process of its own, whose end is no failure of the campaign."""
    for event in start(replace(job, keeps=False), interrupted).events():
        if isinstance(event, Shorter):
            if not event.play:  # the text is why it was not minimised
                text = failure_text(
                    failure, job.trace, [event.text], driver=driver, full=job.shows_all
                )
                event = replace(event, text=text)
            tally.hear(event)


def _why_not_go_on(job: Job, tally: Tally, death: Death, barren: int) -> str:
    """Return why a campaign ends behind what has ended a worker; "" where it goes on."""
    if job.engine == "exhaust":
        return "not all was played: a search of every sequence cannot go on behind a dead process"
    if barren == BARREN_MAX:
        return f"{barren} processes in a row have ended before their first step"
    name = death.signature
    times, most = tally.failures.get(name, 0), ALIKE_MAX
    if name in tally.known:
        times, most = tally.known[name], KNOWN_MAX
    if job.ends_at_s is None and times >= most:
        return f"{name} has ended {most} processes; with --for it would go on"
    return ""


def _late(worker: Worker, target: Target, tally: Tally) -> str:
    """Count the run that was cut short when the time was over; return the note about it."""
    job = worker.job
    if not worker.ready:
        return f"{job.driver} was still starting when the time was over: give it more with --for"
    trace, _ = worker.last_run(target) or (None, "")
    if trace is None or not trace.operations:
        return "" if tally.steps else "nothing was played when the time was over"
    tally.steps += len(trace.operations)
    if worker.waited_s < STALL_S:
        return ""
    # Whether it hangs, nobody can say; whoever finds out needs the run.
    saved = save(job.path("unfinished"), trace)
    kept = f"; its run is in {saved}" if saved else ""
    step = trace.operations[-1][1]
    return f"{step} had not come back for {worker.waited_s:.0f} s when the time was over{kept}"
