"""What a reader is shown of calls that overlapped: their lanes, and the order that is closest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ..failure import Divergence, divergence_type
from ..history import Step
from ..outcome import Outcome, Unknown
from ..overlapping import Lane, OverlapFailure
from ..schedule import Call
from .moments import Placed
from .outcomes import joined
from .threads import Threads


def with_lanes(
    divergence: Divergence, calls: Sequence[Call], order: Sequence[int], threads: Threads | None
) -> Divergence:
    """Return a failure with the lanes of its calls, and the numbers of an order of them.

    `threads` is what switched them, if they ran in threads.
    """
    failure = divergence.failure
    shown = OverlapFailure(
        failure.signature,
        failure.disagreement,
        failure.steps,
        failure.settings,
        failure.policy,
        tuple(_lane(call, is_thread=threads is not None) for call in calls),
        tuple(number for number, _ in groupby(order)),
    )
    return divergence_type(failure.signature)(shown)


def steps_of(calls: Sequence[Call], order: Sequence[Placed]) -> list[Step]:
    """Return calls as steps, with what is expected in an order where it has them."""
    found: dict[int, Outcome | None] = {}
    for call, expected, _, answers in order:
        before = found.get(call.number)
        if before is None or expected is None:
            found[call.number] = expected
        else:
            found[call.number] = joined(before, expected, is_own=answers)
    steps = []
    for call in calls:
        expected = found.get(call.number, call.expected)
        if isinstance(call.outcome, Unknown):
            expected = call.outcome
        shown = expected if expected is not None else call.expected
        steps.append(Step(call.number, call.operation, shown, shown))
    return steps


def _lane(call: Call, *, is_thread: bool) -> Lane:
    ends = [call.ended_at, *(until for _, until in call.marks)]
    return Lane(
        call.number,
        call.operation,
        call.began_at,
        max(ends),
        tuple(call.marks),
        call.is_cut,
        tuple(call.stops) if is_thread else None,
        call.points,
    )
