"""By timing: whether what was found with tasks reordered can be seen in asyncio's order, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from random import Random
from typing import Any

from ..lockstep.run import Runs, replay
from ..minimise.fixpoint import never
from ..minimise.passes import Operations, anew, in_order
from ..overlapping import OverlapFailure
from ..scenario import Scenario
from ..search.timings import Timings
from ..trace import Trace
from .chance import Least, least_of

LEAST_TRIES, WHOLE_TRIES = 1_500, 300  # timings of the least operations, and of all; our choice
REACHABLE = "reachable by timing: it fails in asyncio's order of tasks as well"
NOT_TRIED = "whether it is reachable by timing was not tried to the end: the time was over"


def by_timing(
    whole: Trace,
    least: Least,
    runs: Runs,
    scenario: type[Scenario[Any]] | None,
    is_over: Callable[[], bool] = never,
) -> Least:
    """Return a failure, told as reachable by timing or as not where its run was adversarial.

    Then it is tried again with timings alone: of the operations that are left of it, then of the
    `whole` trace. What fails so takes its place, made as short. One that fails by chance is left as
    it is.
    """
    header, tries, other = least.trace.header, 0, ""
    if not header.adversarial or least.doubt or not least.replays or least.is_cut:
        return least
    sound = replace(header, adversarial=False)
    for operations in _timed(whole, least):
        if is_over():
            return _told(least, NOT_TRIED)
        tries += 1
        failure = replay(runs, sound, operations)
        if failure is None or failure.signature != least.failure.signature:
            if failure is not None and len(operations) == len(least.trace.operations):
                other = other or str(failure.signature)
            continue
        trace = Trace(sound, failure.operations)
        if not _is_reordered(least.trace):
            return _told(replace(least, trace=trace, failure=failure), REACHABLE)
        found = least_of(trace, failure, runs, scenario, is_over=is_over)
        return _told(replace(found, replays=found.replays + least.replays), REACHABLE)
    if other:
        return _told(least, f"reachable by timing, as {other}: the same operations fail so")
    return _told(
        least, f"needs another scheduler: {tries:,} timings in asyncio's order do not show it"
    )


def _timed(whole: Trace, least: Least) -> Iterator[Operations]:
    """Yield the operations under timings that need no other scheduler, the likeliest first."""
    rest = in_order(least.trace.operations)
    yield rest
    if not _is_reordered(least.trace):
        return
    tries = chain(_drawn(rest, least, LEAST_TRIES // 3), anew(rest))
    yield from islice(tries, LEAST_TRIES)
    if len(whole.operations) > len(rest):
        yield from _drawn(in_order(whole.operations), least, WHOLE_TRIES)


def _drawn(operations: Operations, least: Least, most: int) -> Iterator[Operations]:
    """Yield the operations under timings as an explorer draws them."""
    points: dict[str, int] = {}
    if isinstance(least.failure, OverlapFailure):
        for lane in least.failure.lanes:
            kind = lane.operation.kind
            points[kind] = max(points.get(kind, 0), lane.points)
    cancels = any(operation.timing.cancelled_at for _, operation in operations)
    for number in range(most):
        timings = Timings(Random(number), points, cancels=cancels)
        yield tuple((n, timings.draw(operation)) for n, operation in operations)


def _is_reordered(trace: Trace) -> bool:
    return any(operation.timing.resumes for _, operation in trace.operations)


def _told(least: Least, note: str) -> Least:
    return replace(least, notes=(*least.notes, note))
