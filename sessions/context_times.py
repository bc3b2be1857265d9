"""How long it took to get contexts."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from threading import Lock

# Upper ends in seconds: a get is a look into a dict, and whatever takes longer waited for it.
BOUNDS_S = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0)


class ContextTimes:
    """A histogram, all 0 at the start; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sum_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    def observe(self, seconds: float) -> None:
        """Count a time; one of exactly an upper end is below it."""
        with self._lock:
            self._counts[bisect_left(BOUNDS_S, seconds)] += 1
            self._sum_s += seconds

    def sum_s(self) -> float:
        return self._sum_s

    def buckets(self) -> list[tuple[str, int]]:
        """Return the count up to each upper end, the last of which is +Inf: that of all."""
        with self._lock:
            counts = list(accumulate(self._counts))
        ends = [*map(str, BOUNDS_S), "+Inf"]
        return list(zip(ends, counts, strict=True))
