"""Growth: what goes on growing and what stops, told apart by doubling the number of cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .reach import Path, Paths

WARM_UP = 2  # cycles before the first census
WATCHED = 4  # cycles before the second
FIRST_BLOCK = 8
CYCLES_MAX = 4096
GROWTH_MAX = 2000  # entries: so much tells a leak from a cache of 1,000, in however few cycles
BRIEF_MAX = 126  # cycles, where the same path was seen to leak before in this test
EXACT_MAX = 30  # cycles, for threads, descriptors and the like, which no cache hoards


@dataclass(slots=True)
class Suspect:
    """Something that grew; `rate` is its growth per cycle at first."""

    rate: float
    cycles_max: int
    levels: list[tuple[int, int]] = field(default_factory=list)  # cycles played, count
    bounded: bool = False
    leaks: bool = False

    @property
    def open(self) -> bool:
        return not (self.bounded or self.leaks)

    @property
    def grown(self) -> int:
        return self.levels[-1][1] - self.levels[0][1]

    def see(self, cycles: int, count: int) -> None:
        """Judge one block more: it must have grown by at least half its first rate."""
        last_cycles, last_count = self.levels[-1]
        self.levels.append((cycles, count))
        if count - last_count < self.rate * (cycles - last_cycles) / 2:
            self.bounded = True
        elif cycles + FIRST_BLOCK > self.cycles_max or self.grown >= GROWTH_MAX:
            self.leaks = True


def suspect(first: tuple[int, int], second: tuple[int, int], cycles_max: int) -> Suspect:
    """Return a suspect after two counts, each with the number of cycles played by then."""
    rate = (second[1] - first[1]) / (second[0] - first[0])
    return Suspect(rate, cycles_max, [first, second])


def blocks(played: int) -> Iterator[int]:
    """Yield the lengths of the blocks to come, each twice the one before, up to CYCLES_MAX."""
    size = FIRST_BLOCK
    while played + size <= CYCLES_MAX:
        yield size
        played += size
        size *= 2


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
