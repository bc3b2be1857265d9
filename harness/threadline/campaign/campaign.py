"""A campaign: one worker process after another, watched from outside, so that nothing is lost."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from ..loading import Target
from ..report.failure_text import failure_text
from ..trace import Trace
from .events import Began, Ended, Event, Found, Listener, Progress, decode
from .isolate import cause, death, hung, last_step_failure, last_trace
from .save_failure import save
from .worker import OUR_BUG, Job

Interrupted: TypeAlias = Callable[[], bool]
POLL_S = 0.2
DEATHS_MAX = 3


class WorkerFailed(RuntimeError):
    """A worker ended by a bug that is not the system's: in a model, a scenario or the harness."""


@dataclass(slots=True)
class Worker:
    """One process that does a job; `hang_s` is how long a step may take, None for no limit.

    `interrupted` is asked between events, so that none is lost by half: where it says so, events()
    raises KeyboardInterrupt.
    """

    process: subprocess.Popen[bytes]
    running: Path | None
    hang_s: float | None
    interrupted: Interrupted
    hung: bool = False
    rest: bytes = b""  # the beginning of a line

    def events(self) -> Iterator[Event]:
        """Yield what the worker tells, until it ends or is ended for a step without an end."""
        assert self.process.stdout is not None
        stream = self.process.stdout.fileno()
        for ready in self._turns(stream):
            if not ready:
                continue
            chunk = os.read(stream, 1 << 16)
            if not chunk:
                break
            yield from self._heard(chunk)
        self.process.wait()

    def last_events(self) -> Iterator[Event]:
        """End the process, and yield what it has told until then and nobody has heard."""
        assert self.process.stdout is not None
        self.process.kill()
        yield from self._heard(self.process.stdout.read())

    def end(self) -> None:
        """End the process, and wait until it is gone."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _heard(self, chunk: bytes) -> Iterator[Event]:
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        yield from map(decode, lines)

    def _turns(self, stream: int) -> Iterator[bool]:
        """Yield whether there is something to read; stops when a step has taken too long."""
        seen, since = self._growth(), time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while True:
                ready = bool(selector.select(POLL_S))
                if self.interrupted():
                    raise KeyboardInterrupt
                growth = self._growth()
                if ready or growth != seen:
                    seen, since = growth, time.monotonic()
                elif self.hang_s is not None and time.monotonic() - since > self.hang_s:
                    self.hung = True
                    self.process.kill()
                yield ready

    def _growth(self) -> tuple[int, int] | None:
        """Return what changes with each step: a line is written to the trace before it runs."""
        with suppress(OSError):
            if self.running is not None:
                status = self.running.stat()
                return status.st_size, status.st_mtime_ns
        return None


def never() -> bool:
    return False


def start(job: Job, interrupted: Interrupted = never) -> Worker:
    """Start a process for a job; only with a time budget is a step's time limited as well."""
    if (running := job.running()) is not None:
        with suppress(OSError):
            running.unlink(missing_ok=True)  # so that no earlier worker's run is taken for its own
    process = subprocess.Popen(
        [sys.executable, "-m", "threadline.campaign.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(job.encoded())
    return Worker(process, running, job.hang_s if job.seconds is not None else None, interrupted)


def campaign(job: Job, target: Target, listen: Listener, interrupted: Interrupted = never) -> None:
    """Run one scenario to its end, beginning again behind a step that ended its process.

    Tells `listen` everything, a step without an end or a dead process as a failure of liveness.
    Raises WorkerFailed where the bug is not the system's, and KeyboardInterrupt, with all told
    that was found, when `interrupted` says so.
    """
    started = time.monotonic()
    tally = _Tally(job.scenario, listen)
    for deaths in range(1, DEATHS_MAX + 1):
        worker = start(job, interrupted)
        try:
            for event in worker.events():
                tally.hear(event)
        except KeyboardInterrupt:
            for event in worker.last_events():
                tally.hear(event)
            raise
        finally:
            worker.end()
        if tally.ended:
            return
        if worker.process.returncode == OUR_BUG:
            raise WorkerFailed(f"{job.scenario} on {job.driver}: see the traceback above")
        last_run = _report_death(job, target, worker, tally)
        left = None if job.seconds is None else job.seconds - (time.monotonic() - started)
        if deaths == DEATHS_MAX or job.engine != "explore" or (left is not None and left <= 0):
            break
        job = replace(job, seconds=left, first_run=last_run + 1)
    listen(Ended(tally.runs, tally.steps, tally.failures))


class _Tally:
    """Adds up what one worker after another tells of the same scenario."""

    def __init__(self, scenario: str, listen: Listener) -> None:
        self._scenario = scenario
        self.runs = 0
        self.steps = 0
        self.last_run = 0
        self.failures: dict[str, int] = {}
        self.ended = False
        self._listen = listen
        self._began = False
        self._runs_before = 0
        self._steps_before = 0

    def hear(self, event: Event) -> None:
        if not self._began and not isinstance(event, Began):
            self.hear(Began(self._scenario))  # its worker has ended before it could tell
        if isinstance(event, Began):
            self._runs_before, self._steps_before = self.runs, self.steps
            if self._began:
                return
            self._began = True
        elif isinstance(event, Progress):
            self._count(event)
            self.last_run = event.last_run
            event = replace(event, runs=self.runs, steps=self.steps)
        elif isinstance(event, Found):
            if not event.instead:
                self.found(event.signature)
        elif isinstance(event, Ended):
            self._count(event)
            self.ended = True
            more = {name: count - 1 for name, count in event.failures.items()}
            for name, count in more.items():
                self.failures[name] += count
            # What the last worker has not used, one before it may have.
            unused = [] if self._runs_before else event.unused
            event = Ended(self.runs, self.steps, self.failures, event.complete, unused)
        self._listen(event)

    def found(self, signature: str) -> None:
        self.failures[signature] = self.failures.get(signature, 0) + 1

    def _count(self, event: Progress | Ended) -> None:
        self.runs = self._runs_before + event.runs
        self.steps = self._steps_before + event.steps


def _report_death(job: Job, target: Target, worker: Worker, tally: _Tally) -> int:
    """Tell of the step that ended a worker, and return the number of its run."""
    status = worker.process.returncode
    trace = last_trace(job.running(), target)
    if trace is None:
        raise WorkerFailed(f"{job.scenario} on {job.driver}: {cause(status)} before its first step")
    failure = last_step_failure(trace, target, hung(job.hang_s) if worker.hung else death(status))
    name = str(failure.signature)
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    tally.runs += 1
    tally.steps += len(failure.steps)
    if name in tally.failures:
        tally.found(name)
    else:
        saved = save(job.path(name), trace)
        lines = trace.encoded().decode("ascii")
        text = failure_text(failure, saved)
        tally.hear(Found(name, text, saved, lines, tally.runs, len(failure.steps)))
        if saved:
            _minimise(replace(job, trace=saved, seconds=None), tally)
    return max(trace.header.run, tally.last_run)


def _minimise(job: Job, tally: _Tally) -> None:
    """Minimise a saved trace in a process of its own, whose end is no failure of the campaign."""
    worker = start(job)
    try:
        for event in worker.events():
            tally.hear(event)
    finally:
        worker.end()
