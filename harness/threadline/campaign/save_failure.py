"""Keeping a failure: saved before anything else, then minimised, and saved again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..failure import Failure
from ..lockstep.run import Batch, Runs, replay
from ..minimise.fixpoint import Again, minimise
from ..report.failure_text import failure_text
from ..scenario import Scenario
from ..trace import Trace
from .events import Found, Shorter

LEFT_BEHIND = (
    "it did not fail on a system made anew: the driver's reset() leaves something of earlier runs"
)


def keep(
    batch: Batch, failure: Failure, runs: Runs, scenario: type[Scenario[Any]], path: Path | None
) -> Iterator[Found | Shorter]:
    """Save the failing run as it is and yield it; then minimise it, save that, and yield that.

    What a caller does between the two cannot lose the failure: it is on disk, and told.
    """
    name = str(failure.signature)
    trace = batch.trace()
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    saved = save(path, trace)
    lines = trace.encoded().decode("ascii")
    text = failure_text(failure, saved, driver=driver_to_give(runs.target))
    yield Found(name, text, saved, lines, batch.runs, len(failure.steps))
    yield shorten(trace, failure, runs, scenario, path)


def shorten(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    again: Again = replay,
) -> Shorter:
    """Minimise a trace that fails so, save it in place of the long one, and tell of it."""
    name, driver = str(failure.signature), driver_to_give(runs.target)
    if runs.resets and replay(runs, trace.header, trace.operations, anew=True) is None:
        text = failure_text(failure, str(path or ""), [LEFT_BEHIND], driver=driver)
        return Shorter(name, text, trace.encoded().decode("ascii"), 0, len(failure.steps))
    least = minimise(trace, failure.signature, runs, scenario, again)
    if least.failure is None:
        notes = ["it did not fail again when replayed"]
        text = failure_text(failure, str(path or ""), notes, driver=driver)
        return Shorter(name, text, trace.encoded().decode("ascii"), 0, len(failure.steps))
    saved = save(path, least.trace)
    log = runs.log_of(least.trace.header, least.trace.operations)
    text = failure_text(least.failure, saved, log=log, driver=driver)
    lines = least.trace.encoded().decode("ascii")
    return Shorter(name, text, lines, least.replays, len(least.failure.steps))


def save(path: Path | None, trace: Trace) -> str:
    """Write a trace in one piece, and return where; "" where nothing could be written."""
    if path is None:
        return ""
    partial = path.with_suffix(".partial")
    try:
        partial.write_bytes(trace.encoded())
        partial.replace(path)
    except OSError:
        return ""
    return str(path)
