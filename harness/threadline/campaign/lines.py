"""Lines: which lines of a project's files run while a trace is played."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coverage import Coverage

OURS = Path(__file__).resolve().parents[1]


class Lines:
    """Watches the files below the current folder, but for the harness and what pip has installed.

    With `files`, it watches these alone, wherever they are. Watching makes a step several times
    slower, so that it is done for a few runs alone. `taken` has the ways from one line to the next,
    of all runs together, that were taken in the files of `branches`.
    """

    def __init__(self, files: Sequence[str] = (), branches: Sequence[str] = ()) -> None:
        self.taken: dict[str, set[tuple[int, int]]] = {file: set() for file in branches}
        self._here = os.getcwd()
        ours = {"source": [self._here], "omit": [f"{OURS}/*"]}
        where: dict[str, Any] = {"include": list(files)} if files else ours
        # Neither files nor warnings: a project may measure its own coverage, and has its own rc.
        self._coverage = Coverage(
            data_file=None,
            config_file=False,
            messages=False,
            branch=bool(branches),
            **where,
        )
        self._coverage.set_option("run:disable_warnings", WARNINGS)
        if files and not branches and sys.version_info >= (3, 12):
            self._coverage.set_option("run:core", "sysmon")  # which is faster by a third

    @contextmanager
    def watched(self) -> Iterator[dict[str, list[int]]]:
        """Yield a mapping that has the lines of each file when the block is over."""
        found: dict[str, list[int]] = {}
        self._coverage.erase()
        self._coverage.start()
        try:
            yield found
        finally:
            self._coverage.stop()
            data = self._coverage.get_data()
            for file in sorted(data.measured_files()):
                if lines := data.lines(file):
                    found[os.path.relpath(file, self._here)] = sorted(lines)
                if file in self.taken:
                    self.taken[file].update(data.arcs(file) or ())


WARNINGS = ["no-data-collected", "module-not-measured", "already-imported", "couldnt-parse"]


def as_ranges(lines: list[int]) -> str:
    """Return ascending numbers as ranges: "1-3,7"."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)


def from_ranges(text: str) -> list[int]:
    """Return the numbers of ranges; raises ValueError for a text that has none."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
