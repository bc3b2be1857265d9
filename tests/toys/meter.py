"""A meter: some of its changes are seen, some are not, and some end their process."""

from __future__ import annotations

import os
import signal

LEVEL_MAX = 9


class Meter:
    """Counts up, and is drained; from a level above LEVEL_MAX on nothing works any more."""

    def __init__(self) -> None:
        self.total = 0
        self.calls = 0

    def add(self, amount: int) -> int:
        """Count up, and return what is counted by now; raises ValueError for less than 0."""
        self.calls += 1  # which nobody looks at
        if amount < 0:
            raise ValueError(amount)
        self.total += amount
        return self.total

    def drain(self) -> None:
        while self.total > 0:
            self.total -= 1

    def halt(self, level: int) -> None:
        """End the process above a level."""
        if level > LEVEL_MAX:
            os._exit(3)

    def cut(self, level: int) -> None:
        """End the process that watches this one above a level."""
        if level > LEVEL_MAX:
            os.kill(os.getppid(), signal.SIGKILL)

    def twice(self) -> int:
        """Return what nobody asks for."""
        return self.total * 2
