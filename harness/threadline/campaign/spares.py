"""Spares: workers that have done a job, and wait for the next one on the same driver."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from .channel import Line


@dataclass(slots=True)
class Spares:
    """At most so many workers that wait; of more, the one that waits longest is ended.

    Can be used from any thread.
    """

    most: int
    _waiting: OrderedDict[int, tuple[str, Line]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, driver: str) -> Line | None:
        """Return a worker that has the driver loaded and started, if one waits."""
        with self._lock:
            own = [key for key, (name, _) in self._waiting.items() if name == driver]
            return self._waiting.pop(own[-1])[1] if own else None

    def give(self, driver: str, line: Line) -> None:
        """Keep a worker that waits."""
        with self._lock:
            self._waiting[id(line)] = driver, line
            too_many = len(self._waiting) > self.most
            oldest = self._waiting.popitem(last=False)[1][1] if too_many else None
        if oldest is not None:
            oldest.hang_up()

    def close(self) -> None:
        """End all that wait."""
        with self._lock:
            lines = [line for _, line in self._waiting.values()]
            self._waiting.clear()
        for line in lines:
            line.hang_up()
