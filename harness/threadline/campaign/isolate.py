"""Replays in a child process, for failures that end their process or never come back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..descriptor import LOST
from ..difference import where
from ..failure import Disagreement, Failure, Property, Signature, failure_text
from ..history import Step
from ..lifecycle import CLOSE, START, Lifecycle
from ..loading import Target
from ..lockstep.outcomes import DONE, UNPLAYED, expected_of
from ..lockstep.run import CLOSING, Runs, replay
from ..minimise.fixpoint import minimise, never
from ..outcome import Crashed, Hung, Outcome
from ..play import played
from ..scenario import Scenario
from ..trace import BadTrace, Header, Numbered, Trace, parse, plain, read, save
from .chance import BY_CHANCE, TIME_OVER
from .child import FileWatch, MemoryWatch
from .events import Shorter

HANG_S = 10.0  # how long a step may take in a campaign that has a time budget
BRIEF_S = 0.5  # and while its trace is minimised, where most replays hang
POLL_S = 0.002
CAME_BACK = "it came back when it was replayed"
NOT_RECORDED = "not minimised: replays could not be recorded"
OVER = b" over"  # stands behind the trace of a fork that came to its end


def shorten(
    path: Path,
    runs: Runs,
    scenario: type[Scenario[Any]],
    running: Path | None,
    hang_s: float,
    is_over: Callable[[], bool] = never,
    memory_max_mib: float | None = None,
) -> Shorter:
    """Minimise a saved trace whose last step ends its process or never returns.

    While minimising, a step counts as hung after BRIEF_S; the result is then replayed with the
    whole of `hang_s`, and kept only if it hangs that long. Ends early when time `is_over`. If no
    replay ends so, the text of the event says why, and has nothing else.
    """
    trace, driver = read(path, runs.target.model.kinds()), driver_to_give(runs.target)
    if running is None:
        raise ValueError("replays in a child need a file that it leaves its trace in")
    whole = Isolated(runs, running, hang_s, memory_max_mib).replay
    failure = whole(runs, trace.header, trace.operations)
    if failure is None:
        why = CAME_BACK if last_run(running, runs.target) else NOT_RECORDED
        doubt = BY_CHANCE if why == CAME_BACK else ""
        lines, steps = path.read_text("ascii"), len(trace.operations)
        return Shorter(trace.header.signature, why, lines, 0, steps, str(path), doubt)
    brief = Isolated(runs, running, min(BRIEF_S, hang_s), memory_max_mib).replay
    # What could come in the place of another is looked for in this process, which must outlive it.
    own = None if isinstance(failure.step.operation, Lifecycle) else scenario
    least = minimise(trace, failure.signature, runs, own, brief, is_over)
    notes = [TIME_OVER] if least.is_cut else []
    confirmed = None if least.is_cut else whole(runs, least.trace.header, least.trace.operations)
    if confirmed is None and least.failure and not isinstance(failure.step.actual, Hung):
        confirmed = least.failure  # an end needs no time to be one
    if confirmed is not None:
        trace, failure = least.trace, confirmed
    saved = save(path, trace)
    text = failure_text(failure, saved, notes, driver=driver, full=runs.shows_all)
    lines = trace.encoded().decode("ascii")
    name, steps, play = str(failure.signature), len(failure.steps), played(failure)
    return Shorter(name, text, lines, least.replays, steps, saved, play=play)


@dataclass(frozen=True, slots=True)
class Isolated:
    """Replays each trace in a fork of this process, which must have one thread only.

    `running` is where `runs` records its traces: the last line there is the step that did not end.
    """

    runs: Runs
    running: Path
    hang_s: float
    memory_max_mib: float | None = None

    def replay(self, _: Runs, header: Header, operations: Iterable[Numbered]) -> Failure | None:
        """Return the failure of a step that ends its process, takes longer than `hang_s`, or makes
        the process hold more memory than it may.
        """
        child = os.fork()
        if child == 0:
            self.runs.recorder.own()
            try:
                replay(self.runs, header, operations)
            finally:
                self.runs.recorder.mark(OVER)
                os._exit(0)
        watch = FileWatch(self.running)
        end = end_of(child, watch, self.memory_max_mib, lambda: self.hang_s)
        run = last_run(self.running, self.runs.target)
        if run is None or run[1].endswith(OVER.decode()):
            return None
        return last_step_failure(run[0], self.runs.target, end, run[1])


def end_of(
    child: int,
    file_watch: FileWatch,
    memory_max_mib: float | None,
    limit_s: Callable[[], float],
) -> Outcome:
    """Wait for a fork of this process, and return how it ended.

    It is ended itself when the file has not changed for `limit_s` seconds, or when it holds more
    memory than it may.
    """
    memory_watch = MemoryWatch(child, memory_max_mib)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return death(os.waitstatus_to_exitcode(status))
        most_s = limit_s()
        is_late = file_watch.idle_s() > most_s
        memory_watch.look()
        if is_late or memory_watch.over():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return memory_watch.over() or hung(most_s)
        time.sleep(POLL_S)


def last_run(running: Path | None, target: Target) -> tuple[Trace, str] | None:
    """Return the run that a process has left behind, and what came after its last step."""
    lines: list[bytes] = []
    with suppress(OSError):
        lines = running.read_bytes().split(b"\n") if running is not None else []
    while lines:
        try:
            return parse("the run", lines, target.model.kinds())
        except BadTrace:
            lines.pop()  # the system has written there, too
    return None


def last_step_failure(trace: Trace, target: Target, end: Outcome, phase: str = "") -> Failure:
    """Return the failure of a run whose last step never returned.

    The outcomes of the earlier steps come from the model: had the system differed, the run would
    have ended. Without a step, it was the start of the system that did not return, or its close
    where `phase` says so.
    """
    model = target.new_model(trace.header.settings)
    steps = []
    for number, operation in trace.operations:
        try:
            expected = expected_of(model.at(number), operation)
        except UNPLAYED:
            continue
        steps.append(Step(number, operation, expected, expected))
    if not steps or phase == CLOSING:
        number = steps[-1].number + 1 if steps else 1
        steps.append(Step(number, CLOSE if phase == CLOSING else START, DONE, DONE))
    last = steps[-1]._replace(actual=end)
    disagreement = Disagreement("outcome", last.expected, end)
    field = where(disagreement.of, last.expected, end)
    signature = Signature(Property.LIVENESS, last.operation.kind, field)
    return Failure(
        signature,
        disagreement,
        (*steps[:-1], last),
        trace.header.settings,
        plain(target.policy),
    )


def hung(seconds: float) -> Outcome:
    """Return the outcome of a step that took longer than it may."""
    return Hung(f"{seconds:g} s")


def death(status: int | None) -> Outcome:
    """Return the outcome of a step during which its process ended."""
    return Crashed(f"the process ended: {cause(status)}")


def cause(status: int | None) -> str:
    """Return the words for an exit status as subprocess gives it: below 0, a signal."""
    if status is not None and status < 0:
        return f"signal {signal.Signals(-status).name}"
    if status == LOST:
        return f"exit status {status}, or it closed a descriptor that is not its own"
    return f"exit status {status}"
