"""A failure of operations that ran beside each other: no order of them explains what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from .failure import Failure
from .history import count, folded, labelled, operation_text
from .lifecycle import Lifecycle
from .operation import Operation

BAR_MAX = 24  # columns of a lane, in which time is shown


class Lane(NamedTuple):
    """When an operation went on, in ticks, and in which of them it has waited.

    `is_cut` says that its caller was cancelled, or that it has crashed. Where it ran in a thread,
    `stops` are the lines before which that was put aside. `points` is how many I/Os it has made, or
    lines it has run.
    """

    number: int
    operation: Operation
    began: int
    ended: int
    waits: tuple[tuple[int, int], ...]
    is_cut: bool
    stops: tuple[str, ...] | None = None
    points: int = 0

    @property
    def timing(self) -> str:
        """Return how it ran beside others, for a reader."""
        timing = self.operation.timing
        if self.stops is None:
            return str(timing)
        delays = [abs(ticks) for _, ticks in timing.delays]
        stops = [f"{place} comes {n} later" for place, n in zip(self.stops, delays, strict=False)]
        return ", ".join(filter(None, (str(replace(timing, delays=(), cancelled_at=0)), *stops)))

    def bar(self, first: int) -> str:
        """Return the lane as text, a column a tick: # where it runs, . where it waits."""
        columns = ["#"] * (self.ended - self.began + 1)
        for since, until in self.waits:
            for tick in range(max(since, self.began), min(until, self.ended + 1)):
                columns[tick - self.began] = "."
        if self.is_cut:
            columns[-1] = "x"
        return " " * (self.began - first) + "".join(columns)

    def spans(self, first: int) -> Iterator[tuple[str, int, int]]:
        """Yield what the lane does, as in `bar`: a sign, the column it begins in, and its end."""
        end = 0
        for sign, columns in groupby(self.bar(first)):
            begin, end = end, end + sum(1 for _ in columns)
            if sign != " ":
                yield sign, begin, end


@dataclass(frozen=True, slots=True)
class OverlapFailure(Failure):
    """A failure whose last step overlapped others: `lanes` are theirs, in the order they began.

    `order` are their numbers, in the order that explains most of what came.
    """

    lanes: tuple[Lane, ...] = ()
    order: tuple[int, ...] = ()

    @property
    def operations(self) -> tuple[tuple[int, Operation], ...]:
        found = [
            (step.number, step.operation)
            for step in self.steps
            if not isinstance(step.operation, Lifecycle)
        ]
        return tuple(sorted(found, key=lambda each: each[0]))

    @property
    def has_overlap(self) -> bool:
        """Whether its lanes tell anything: there are several, or the one has a timing."""
        return len(self.lanes) > 1 or any(lane.operation.timing.entries for lane in self.lanes)

    @property
    def is_threaded(self) -> bool:
        """Whether its operations ran in threads."""
        return any(lane.stops is not None for lane in self.lanes)

    @property
    def first(self) -> int:
        """The tick in which the first of its lanes began."""
        return min((lane.began for lane in self.lanes), default=0)

    def closest(self) -> str:
        """Return what is to be said of the order of its operations; "" where nothing is."""
        if len(self.lanes) < 2 or not self.order:
            return ""
        of = count(len(self.lanes), "operation")
        numbers = ", ".join(map(str, self.order))
        return f"of the {of} at once, no order explains this; closest is {numbers}"

    def under(self) -> list[str]:
        return [*Failure.under(self), *(self._lines() if self.has_overlap else [])]

    def _lines(self) -> list[str]:
        closest = self.closest()
        lines = labelled("order:", closest) if closest else []
        signs = "# runs, . waits for I/O, x gets no answer"
        if self.is_threaded or any(lane.operation.timing.resumes for lane in self.lanes):
            signs = signs.replace(" for I/O", "")
        if self.is_threaded:
            signs = signs.partition(", x")[0]
        lines.append(f"  at once, time to the right: {signs}")
        width = max(len(str(lane.number)) for lane in self.lanes)
        bars = [_fitted(lane.bar(self.first)) for lane in self.lanes]
        room = max(map(len, bars))
        for lane, bar in zip(self.lanes, bars, strict=True):
            start = f"      {lane.number:>{width}}  {bar:<{room}}  "
            lines += folded(start, operation_text(lane.operation), len(start))
            timing = lane.timing
            lines += folded(" " * len(start), timing, len(start)) if timing else []
        return lines


def _fitted(bar: str) -> str:
    """Return a bar that fits: of a long wait, the middle is left out."""
    if len(bar) <= BAR_MAX:
        return bar
    return f"{bar[: BAR_MAX - 8]}~{bar[-7:]}"
