"""Branches: the ways on from a line that no run has taken, though it was there."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from coverage import Coverage
from coverage.python import PythonFileReporter

from .mutants import Source


class Branch(NamedTuple):
    """A way from one line to another; 0 is the end of the function."""

    line: int
    to: int


def untaken(source: Source, taken: Set[tuple[int, int]]) -> Iterator[Branch]:
    """Yield the ways that were not taken from lines where another one was, in a file.

    `taken` has pairs of lines, as the library coverage gives them. A way to a line that was never
    executed is left out: that line says so itself.
    """
    file = PythonFileReporter(source.file, Coverage(data_file=None, config_file=False, branch=True))
    several = {line for line, count in file.exit_counts().items() if count > 1}
    ran, left = {to for _, to in taken}, {line for line, _ in taken}
    for line, to in sorted(file.arcs() - taken):
        if line in several & left and (to < 0 or to in ran):
            yield Branch(line, max(to, 0))
