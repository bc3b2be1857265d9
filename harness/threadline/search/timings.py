"""Timings drawn for the operations of one run: how they overlap, in one of several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from random import Random
from types import MappingProxyType

from ..operation import Operation
from ..timing import ALONE, CALM, DURING, WITH, Late, Timing

# No single way finds all: "few" comes near what the minimiser leaves, "many" reaches what needs a
# crowd, "ranks" is PCT (Burckhardt et al. 2010, ASPLOS): whole operations wait for all others.
WAYS = {"few": 40, "many": 30, "ranks": 25, "calm": 5}
LONG_WAYS = {**WAYS, "rush": 30}  # of a run in which somebody can be overtaken by too many
DENSITIES = (0.15, 0.3, 0.6)  # how likely each entry is, in a run of the way "many"; our choice
LATE_MAX = 3  # ticks by which most I/Os are late at most
RANKED_LATE = 4  # ticks by which each I/O of a low operation is late, in a run of the way "ranks"
POINTS_LEAST = 2  # I/Os that an operation is taken to have before it was ever seen
POINTS_MOST = 12  # of one operation that can be late, and the first that are mostly drawn from
LINES_MOST = 200  # of one operation that are drawn from, where it runs in a thread; our choice
RESUMES_MOST = 40  # times that a task is ready, of one operation, that are drawn from; our choice
RESUMED_LATE = (1, 1, 2, 3, 4)  # ticks by which a task that is ready goes on later; our choice
STRIKES = 0.4  # how likely a crash comes in the middle of an operation, in half of the runs
STRUCK_LATE = (2, 3, -2, -3)  # ticks by which the I/O is late that a crash comes in
STOPS_MAX = 3  # of a low operation that runs in a thread, in a run of the way "ranks"


class Timings:
    """Draws a timing for each operation of one run.

    `points` is how many I/Os operations of each kind have been seen to make. With `cancels`, some
    callers are cancelled. Operations of the kinds in `calm` overlap nothing. With `lines`,
    operations run in threads, and points are their lines. With `resumptions`, how often tasks of an
    operation of each kind were seen to be ready, such go on late, too: an adversarial run. Those of
    the kinds in `crashes` were seen to end the process: some strike in the middle of others, of
    whose kinds `counts` has the I/Os of some that were seen.
    """

    def __init__(
        self,
        random: Random,
        points: Mapping[str, int],
        *,
        cancels: bool,
        calm: Set[str] = frozenset(),
        lines: bool = False,
        is_long: bool = False,
        resumptions: Mapping[str, int] | None = None,
        crashes: Set[str] = frozenset(),
        counts: Mapping[str, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        ways = LONG_WAYS if is_long else WAYS
        self.way = random.choices(list(ways), list(ways.values()))[0]
        self._random = random
        self._points = points
        self._density = 0.2 if self.way == "few" else random.choice(DENSITIES)
        self._cancels = cancels and not lines and random.random() < 0.5 and self.way != "rush"
        self._lines = lines
        self._resumptions = resumptions
        self._calm = calm
        self._is_calm = False  # whether the operation that was drawn last overlaps nothing
        self._crashes = crashes if crashes and random.random() < 0.5 else frozenset()
        self._counts = counts
        self._strikes = False  # whether a crash is to come next
        self._changes = random.randint(1, 3)  # the depth of PCT: so often a rank changes

    def draw(self, operation: Operation) -> Operation:
        """Return the operation with a timing."""
        was_calm, self._is_calm = self._is_calm, operation.kind in self._calm
        if self.way == "calm" or self._is_calm:
            return operation
        timing = self._ranked(operation) if self.way == "ranks" else self._sparse(operation)
        if self._crashes:
            timing = self._struck(operation, timing)
        if was_calm:
            timing = replace(timing, begins=ALONE)
        elif self.way == "rush":  # there is always somebody else
            timing = Timing(DURING, ((1, RANKED_LATE),))
        if self._resumptions is not None:
            timing = replace(timing, resumes=self._resumes(self._resumptions, operation.kind))
        return operation if timing == CALM else operation.timed(timing)

    def takes_strike(self) -> bool:
        """Return whether the next operation is to be a crash; it is asked once for each."""
        strikes, self._strikes = self._strikes, False
        return strikes

    def _struck(self, operation: Operation, timing: Timing) -> Timing:
        """Return the timing of a crash, or of an operation in the middle of which one may come."""
        if operation.kind in self._crashes:
            return replace(timing, begins=DURING if timing.begins == ALONE else timing.begins)
        counts = self._counts.get(operation.kind, ())
        # Not the most that were ever seen: few operations would come so far.
        made = self._random.choice(counts) if counts else 0
        self._strikes = made > 0 and self._random.random() < STRIKES
        if not self._strikes:
            return timing
        point, late = self._random.randint(1, made), self._random.choice(STRUCK_LATE)
        return Timing(timing.begins, ((point, late),))

    def _sparse(self, operation: Operation) -> Timing:
        """Return a timing each entry of which is there by chance."""
        random, density = self._random, self._density
        delays: dict[int, int] = {}
        while random.random() < density and len(delays) < POINTS_MOST:
            delays[self._point(operation)] = self._late()
        begins = self._begins(0.5 if self.way == "few" else density + 0.3)
        return Timing(begins, tuple(sorted(delays.items())), self._cancelled(operation))

    def _ranked(self, operation: Operation) -> Timing:
        """Return a timing by which an operation goes at once, or waits for others at each I/O."""
        random = self._random
        begins = self._begins(0.8)
        if random.random() < 0.5:
            return Timing(begins, (), self._cancelled(operation))
        if self._lines:  # at a few of its lines, as it has so many
            stops = {self._point(operation) for _ in range(random.randint(1, STOPS_MAX))}
            return Timing(begins, tuple((line, RANKED_LATE) for line in sorted(stops)))
        first = 1
        if self._changes and random.random() < 0.5:  # its rank falls in the middle
            self._changes -= 1
            first = self._point(operation)
        last = min(first + POINTS_MOST - 1, max(first, self._seen(operation)))
        delays = tuple((point, RANKED_LATE) for point in range(first, last + 1))
        return Timing(begins, delays, self._cancelled(operation))

    def _resumes(self, seen: Mapping[str, int], kind: str) -> Late:
        """Return when tasks of an operation go on later than asyncio lets them."""
        random, found = self._random, dict[int, int]()
        last = min(RESUMES_MOST, max(POINTS_LEAST, seen.get(kind, 0)))
        while random.random() < self._density and len(found) < last:
            found[random.randint(1, last)] = random.choice(RESUMED_LATE)
        return tuple(sorted(found.items()))

    def _begins(self, likely: float) -> str:
        if self._random.random() >= likely:
            return ALONE
        return WITH if self._random.random() < 0.3 else DURING

    def _late(self) -> int:
        ticks = self._random.randint(1, LATE_MAX)
        return ticks if self._lines or self._random.random() < 0.6 else -ticks

    def _cancelled(self, operation: Operation) -> int:
        if not self._cancels or self._random.random() >= 0.25:
            return 0
        if self._random.random() < 0.4:
            return -self._random.randint(1, LATE_MAX)
        return self._point(operation)

    def _point(self, operation: Operation) -> int:
        seen = self._seen(operation)
        most = LINES_MOST if self._lines else POINTS_MOST
        # The end of a long operation counts as well, but most happens in the first half of it.
        while most < seen and not self._lines and self._random.random() < 0.5:
            most *= 2
        return self._random.randint(1, min(most, seen))

    def _seen(self, operation: Operation) -> int:
        return max(POINTS_LEAST, self._points.get(operation.kind, 0))
