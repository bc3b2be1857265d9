"""What one test has learnt of growth, from run to run."""

from __future__ import annotations

from dataclasses import dataclass, field

from .reach import Path, Paths


@dataclass(slots=True)
class Growths:
    """What one test has learnt so far, from run to run.

    levels: what had grown and then stopped, and how high. leaks: paths that never stopped, by
    name. undecided: those whose budget ended first, with the cycles watched. skipped: why round
    trips could not be made, with how often. made: how many were. block_count: what became of
    counting memory blocks, once in a test; "" before that.
    """

    paths: Paths = field(default_factory=Paths)
    levels: dict[Path, int] = field(default_factory=dict)
    leaks: set[str] = field(default_factory=set)
    undecided: dict[Path, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    made: int = 0
    block_count: str = ""

    @property
    def tried(self) -> int:
        """How many round trips there were, with those that could not be made."""
        return self.made + sum(self.skipped.values())

    def stops(self, path: Path, level: int) -> None:
        """Remember that a path stopped growing at this level."""
        self.levels[path] = max(level, self.levels.get(path, 0))

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
