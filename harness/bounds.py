"""What is known of growth within one test: bounds that users declare, and what was seen to stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from .reach import LENGTH, Path, Paths


@dataclass(frozen=True, slots=True)
class Bounded:
    """A promise: the containers on a path hold at most so much together, after each run.

    `path` is the short name that a report shows, in which * stands for anything.
    """

    path: str
    at_most: int


def bounded(path: str, at_most: int) -> Bounded:
    """Declare a bound, to be listed in a driver's `bounds`; it is then asserted.

    Raises ValueError for a bound below 0.
    """
    if at_most < 0:
        raise ValueError(f"{path} cannot hold {at_most}; give the most that it may hold, 0 or more")
    return Bounded(path, at_most)


@dataclass(slots=True)
class Known:
    """What one test has learnt so far, from run to run.

    levels: what had grown and then stopped, and how high. leaks: paths that never stopped, by
    name. undecided: those whose budget ended first, with the cycles watched. skipped: why round
    trips could not be made, with how often. made: how many were.
    """

    paths: Paths = field(default_factory=Paths)
    levels: dict[Path, int] = field(default_factory=dict)
    leaks: set[str] = field(default_factory=set)
    undecided: dict[Path, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def stops(self, path: Path, level: int) -> None:
        """Remember that a path stopped growing at this level."""
        self.levels[path] = max(level, self.levels.get(path, 0))

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def declared(path: Path, bounds: Iterable[Bounded]) -> Bounded | None:
    """Return the bound that is declared for the length on a path, if there is one."""
    if path[-1].label != LENGTH:
        return None
    return next((each for each in bounds if fnmatchcase(path.name, each.path)), None)
