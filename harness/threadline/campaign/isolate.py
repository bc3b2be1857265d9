"""Replays in a child process, for failures that end their process or never come back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failure import Disagreement, Failure, Property, Signature
from ..history import Step
from ..loading import Target
from ..lockstep.outcomes import expected_of
from ..lockstep.run import UNPLAYED, Runs, replay
from ..minimise.fixpoint import minimise
from ..outcome import Crashed, Hung, Outcome, Unknown
from ..report.failure_text import failure_text
from ..scenario import Scenario
from ..trace import Header, Numbered, Trace, read
from .chance import BY_CHANCE
from .events import Shorter
from .save_failure import save

HANG_S = 10.0  # how long a step may take in a campaign that has a time budget
BRIEF_S = 0.5  # and while its trace is minimised, where most replays hang
POLL_S = 0.002


def shorten(
    path: Path, runs: Runs, scenario: type[Scenario[Any]], running: Path | None, hang_s: float
) -> Shorter:
    """Minimise a saved trace whose last step ends its process or never comes back.

    While minimising, a step counts as hung after BRIEF_S; what is found so is then replayed with
    the whole of `hang_s`, and kept only if it hangs for as long.
    """
    trace = read(path, runs.target.model.kinds())
    if running is None:
        raise ValueError("replays in a child need a file that it leaves its trace in")
    whole = Isolated(runs, running, hang_s).replay
    failure = whole(runs, trace.header, trace.operations)
    if failure is None:
        again = last_step_failure(trace, runs.target, Unknown())
        text = failure_text(again, str(path), ["it came back when it was replayed"])
        name, lines, steps = str(again.signature), path.read_text("ascii"), len(again.steps)
        return Shorter(name, text, lines, 0, steps, BY_CHANCE)
    brief = Isolated(runs, running, min(BRIEF_S, hang_s)).replay
    least = minimise(trace, failure.signature, runs, scenario, brief)
    confirmed = whole(runs, least.trace.header, least.trace.operations)
    if confirmed is not None:
        trace, failure = least.trace, confirmed
    text = failure_text(failure, save(path, trace))
    lines = trace.encoded().decode("ascii")
    return Shorter(str(failure.signature), text, lines, least.replays, len(failure.steps))


@dataclass(frozen=True, slots=True)
class Isolated:
    """Replays each trace in a fork of this process, which must have one thread only.

    `running` is where `runs` records its traces: the last line there is the step that did not end.
    """

    runs: Runs
    running: Path
    hang_s: float

    def replay(self, _: Runs, header: Header, operations: Iterable[Numbered]) -> Failure | None:
        """Return the failure of a step that ends its process, or takes longer than `hang_s`."""
        child = os.fork()
        if child == 0:
            try:
                replay(self.runs, header, operations)
            finally:
                os._exit(0)
        end = self._end_of(child)
        trace = last_trace(self.running, self.runs.target)
        if end is None or trace is None:
            return None
        return last_step_failure(trace, self.runs.target, end)

    def _end_of(self, child: int) -> Outcome | None:
        """Wait for a child, and return how it ended; None if it did as it should."""
        seen, since = self._size(), time.monotonic()
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                return death(code) if code else None
            if (size := self._size()) != seen:
                seen, since = size, time.monotonic()
            elif time.monotonic() - since > self.hang_s:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return hung(self.hang_s)
            time.sleep(POLL_S)

    def _size(self) -> int:
        return self.running.stat().st_size


def last_trace(running: Path | None, target: Target) -> Trace | None:
    """Return the trace that a process has left behind, if it took a step."""
    with suppress(OSError, ValueError):
        if running is not None:
            trace = read(running, target.model.kinds())
            return trace if trace.operations else None
    return None


def last_step_failure(trace: Trace, target: Target, end: Outcome) -> Failure:
    """Return the failure of a run whose last step never came back.

    The model alone tells what happened before: had the system differed, the run would have ended.
    """
    model = target.new_model(trace.header.settings)
    steps = []
    for number, operation in trace.operations:
        try:
            expected = expected_of(model.at(number), operation)
        except UNPLAYED:
            continue
        steps.append(Step(number, operation, expected, expected))
    last = steps[-1]._replace(actual=end)
    disagreement = Disagreement("outcome", last.expected, end)
    signature = Signature(Property.LIVENESS, last.operation.kind)
    return Failure(signature, disagreement, (*steps[:-1], last))


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
    return f"exit status {status}"
