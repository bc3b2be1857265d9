"""Virtual time: seconds that pass only when an operation says so."""

from __future__ import annotations


class VirtualClock:
    """A clock that stands still until it is advanced; starts at a fixed epoch second.

    Hand it to a system that takes a clock, as the object or as the function that it also is.
    """

    def __init__(self, start_s: float = 1_700_000_000.0) -> None:
        self._now_s = start_s

    def __call__(self) -> float:
        """Return the seconds since the epoch, as time.time does."""
        return self._now_s

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Advance the clock; raises ValueError for a negative duration."""
        if seconds < 0:
            raise ValueError(f"time cannot go back, got {seconds!r} seconds; give 0 or more")
        self._now_s += seconds
