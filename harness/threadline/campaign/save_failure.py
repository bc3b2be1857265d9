"""Keeping a failure: saved before anything else, then minimised, and saved again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..failure import Failure, failure_text
from ..lockstep.run import Batch, Runs
from ..minimise.fixpoint import never
from ..scenario import Scenario
from ..trace import Trace, save
from .chance import least_of
from .events import Found, Shorter


def keep(
    batch: Batch,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    *,
    instead: bool = False,
    is_over: Callable[[], bool] = never,
) -> Iterator[Found | Shorter]:
    """Save the failing run as it is and yield it; then minimise it, save that, and yield that.

    What a caller does between the two cannot lose the failure: it is on disk, and told. One that is
    kept `instead` of another takes the place of one that had failed by chance. When time `is_over`,
    the best so far is yielded.
    """
    name = str(failure.signature)
    trace = batch.trace()
    trace = Trace(replace(trace.header, signature=name), trace.operations)
    saved = save(path, trace)
    lines = trace.encoded().decode("ascii")
    text = failure_text(failure, saved, driver=driver_to_give(runs.target), full=runs.shows_all)
    yield Found(name, text, saved, lines, batch.runs, len(failure.steps), instead)
    yield shorten(trace, failure, runs, scenario, path, is_doubted=instead, is_over=is_over)


def shorten(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    *,
    is_doubted: bool = False,
    is_over: Callable[[], bool] = never,
) -> Shorter:
    """Minimise a trace that fails so, save it in place of the long one, and tell of it.

    Whose signature `is_doubted` was seen to fail by chance. When time `is_over`, it is the best so
    far.
    """
    least = least_of(trace, failure, runs, scenario, is_doubted=is_doubted, is_over=is_over)
    if least.replays:
        saved = save(path, least.trace)
        log = runs.log_of(least.trace.header, least.trace.operations) if not least.is_cut else []
    else:
        saved, log = str(path) if path is not None and path.exists() else "", []
    text = failure_text(
        least.failure,
        saved,
        least.notes,
        log,
        driver=driver_to_give(runs.target),
        full=runs.shows_all,
    )
    lines, steps = least.trace.encoded().decode("ascii"), len(least.failure.steps)
    return Shorter(str(failure.signature), text, lines, least.replays, steps, saved, least.doubt)
