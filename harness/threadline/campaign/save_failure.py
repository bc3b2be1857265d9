"""Keeping a failure: saved before anything else, then minimised, and saved again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..failure import Failure
from ..lockstep.run import Batch, Runs, replay
from ..minimise.fixpoint import Again, minimise, never
from ..report.failure_text import failure_text
from ..scenario import Scenario
from ..trace import Trace
from .events import Found, Shorter

LEFT_BEHIND = (
    "it did not fail on a system made anew: the driver's reset() leaves something of earlier runs"
)
NOT_AGAIN = "it did not fail again when replayed"
TIME_OVER = "not minimised to the end: the time was over"


def keep(
    batch: Batch,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    is_over: Callable[[], bool] = never,
) -> Iterator[Found | Shorter]:
    """Save the failing run as it is and yield it; then minimise it, save that, and yield that.

    What a caller does between the two cannot lose the failure: it is on disk, and told. When time
    `is_over`, the best so far is yielded.
    """
    name = str(failure.signature)
    trace = batch.trace()
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    saved = save(path, trace)
    lines = trace.encoded().decode("ascii")
    text = failure_text(failure, saved, driver=driver_to_give(runs.target))
    yield Found(name, text, saved, lines, batch.runs, len(failure.steps))
    yield shorten(trace, failure, runs, scenario, path, is_over=is_over)


def shorten(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    again: Again = replay,
    is_over: Callable[[], bool] = never,
) -> Shorter:
    """Minimise a trace that fails so, save it in place of the long one, and tell of it."""
    name, driver = str(failure.signature), driver_to_give(runs.target)
    if runs.resets and replay(runs, trace.header, trace.operations, anew=True) is None:
        return _as_it_is(trace, failure, path, LEFT_BEHIND, driver)
    least = minimise(trace, failure.signature, runs, scenario, again, is_over)
    if least.failure is None:
        return _as_it_is(trace, failure, path, TIME_OVER if least.is_cut else NOT_AGAIN, driver)
    saved = save(path, least.trace)
    log = [] if least.is_cut else runs.log_of(least.trace.header, least.trace.operations)
    notes = [TIME_OVER] if least.is_cut else []
    text = failure_text(least.failure, saved, notes, log, driver=driver)
    lines = least.trace.encoded().decode("ascii")
    return Shorter(name, text, lines, least.replays, len(least.failure.steps), saved)


def _as_it_is(trace: Trace, failure: Failure, path: Path | None, why: str, driver: str) -> Shorter:
    """Return the trace that was saved, and why it did not become shorter."""
    saved = str(path) if path is not None and path.exists() else ""
    lines, steps = trace.encoded().decode("ascii"), len(failure.steps)
    text = failure_text(failure, saved, [why], driver=driver)
    return Shorter(str(failure.signature), text, lines, 0, steps, saved)


def save(path: Path | None, trace: Trace) -> str:
    """Write a trace in one piece, and return where; "" where nothing could be written."""
    if path is None:
        return ""
    partial = path.with_suffix(".partial")
    try:
        partial.write_bytes(trace.encoded())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        return ""
    return str(path)
