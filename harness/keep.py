"""Keeping a failure: saved before anything else, then minimised, and saved again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .events import Found, Shorter
from .failure import Failure
from .failure_text import failure_text
from .minimise import minimise
from .rule import Rule
from .run import Batch, Runs
from .trace import Trace


def keep(
    batch: Batch, failure: Failure, runs: Runs, rules: Sequence[Rule], path: Path | None
) -> Iterator[Found | Shorter]:
    """Save the failing run as it is and yield it; then minimise it, save that, and yield that.

    What a caller does between the two cannot lose the failure: it is on disk, and told.
    """
    name = str(failure.signature)
    trace = batch.trace()
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    saved = save(path, trace)
    lines = trace.encoded().decode("ascii")
    steps = len(failure.steps)
    yield Found(name, failure_text(failure, saved), saved, lines, batch.runs, steps)
    least = minimise(trace, failure.signature, runs, rules)
    if least.failure is None:
        text = failure_text(failure, saved, ["it did not fail again when it was replayed"])
        yield Shorter(name, text, lines, 0, steps)
        return
    saved = save(path, least.trace)
    text = failure_text(least.failure, saved)
    lines = least.trace.encoded().decode("ascii")
    yield Shorter(name, text, lines, least.replays, len(least.failure.steps))


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
