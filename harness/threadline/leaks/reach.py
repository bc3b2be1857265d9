"""The rooted path census: how many objects are reached from a system's roots, path by path."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import NamedTuple

from ..printable import printable
from .edges import Edges, is_sized, size

ASKS_THE_SYSTEM = True  # outside of steps: see outcomes.is_the_systems
OBJECTS_MAX = 50_000  # looked at in one census; our choice: a system torn down has hundreds
LENGTH = "len()"


class Link(NamedTuple):
    """One edge of a path: how its holder names it, and the type of what stands there."""

    label: str
    kind: str

    def __str__(self) -> str:
        return f"{self.label} -> {self.kind}" if self.kind else self.label


class Path(tuple[Link, ...]):
    """The way from a root to objects: the first link is the root, by its name.

    The last can be `len()`, which counts all that containers on this path hold.
    """

    __slots__ = ()

    @property
    def holder(self) -> Path:
        """The path of the container whose length this is; else the path itself."""
        return Path(self[:-1]) if self[-1].label == LENGTH else self

    @property
    def name(self) -> str:
        """A short name, the labels alone: letters, digits, _ and dots, if the system's own are.

        It is printable in any case, as it becomes part of a signature and of a type's name.
        """
        words = (link.label.strip(".") for link in self.holder)
        plain = ("each" if word == "[*]" else word.replace(" ", "_") for word in words)
        return printable(".".join(plain))

    def __str__(self) -> str:
        first, *rest = self
        root = f"{first.label}: {first.kind}" if first.kind else first.label
        return " / ".join([root, *map(str, rest)])

    def begins_with(self, other: Path) -> bool:
        return self[: len(other)] == other


@dataclass(slots=True)
class Paths:
    """Numbers the paths that were ever met, for one test; a path of a loop of types has an end.

    What is met a second time on its own path (`.next -> Node / .next -> Node`) is counted where it
    was met first, so that there are no more paths than types allow.
    """

    edges: Edges = field(default_factory=Edges)
    numbers: dict[tuple[int, str, type | None], int] = field(default_factory=dict)
    above: list[int] = field(default_factory=list)
    sized: dict[type, bool] = field(default_factory=dict)
    links: list[tuple[str, type | None]] = field(default_factory=list)

    def is_sized(self, kind: type) -> bool:
        """Return whether objects of a type have a length to be counted; asked once of each type."""
        if kind not in self.sized:
            self.sized[kind] = is_sized(kind)
        return self.sized[kind]

    def number(self, above: int, label: str, kind: type | None) -> int:
        """Return the number of the path that extends `above` by this edge; `above` is -1 for a
        root.
        """
        known = self.numbers.get((above, label, kind))
        if known is not None:
            return known
        at = above
        while at >= 0 and self.links[at] != (label, kind):
            at = self.above[at]
        if at < 0:
            at = len(self.links)
            self.links.append((label, kind))
            self.above.append(above)
        self.numbers[above, label, kind] = at
        return at

    def path(self, number: int) -> Path:
        found: list[Link] = []
        while number >= 0:
            label, kind = self.links[number]
            found.append(Link(label, kind.__name__ if kind else ""))
            number = self.above[number]
        return Path(found[::-1])


@dataclass(slots=True)
class Reach:
    """What can be reached from the roots, by the shortest way; `cut` says that a census had to
    stop.

    `roots` is called anew for each census, as a system can be started again.

    A module among the roots is looked into; elsewhere modules, classes and loops end the way.
    """

    roots: Callable[[], Mapping[str, object]]
    paths: Paths = field(default_factory=Paths)
    cut: bool = False

    def census(self) -> dict[int, int]:
        """Count what is reached, by the number of its path; cost: what is reached."""
        counts: dict[int, int] = {}
        for number, found in self._walk():
            counts[number] = counts.get(number, 0) + 1
            if self.paths.is_sized(type(found)):
                length = self.paths.number(number, LENGTH, None)
                counts[length] = counts.get(length, 0) + (size(found) or 0)
        return counts

    def objects(self, path: Path) -> list[object]:
        """Return what is reached on a path, or the containers whose length it is."""
        wanted = path.holder
        return [found for number, found in self._walk() if self.paths.path(number) == wanted]

    def all_objects(self) -> Iterator[tuple[int, object]]:
        """Yield everything that is reached, each with the number of its path."""
        return self._walk()

    def _walk(self) -> Iterator[tuple[int, object]]:
        """Yield each object once, breadth first, so that each has its shortest path."""
        edges, number, is_leaf = self.paths.edges.of, self.paths.number, self.paths.edges.is_leaf
        queue = deque((number(-1, n, type(root)), root) for n, root in self.roots().items())
        seen = {id(root) for _, root in queue}
        left = OBJECTS_MAX
        while queue:
            at, holder = queue.popleft()
            yield at, holder
            for label, held in edges(holder):
                kind = type(held)
                if (
                    id(held) in seen
                    or kind is ModuleType
                    or (is_leaf(kind) and not self.paths.is_sized(kind))
                ):
                    continue
                seen.add(id(held))
                left -= 1
                if left < 0:
                    self.cut = True
                    return
                queue.append((number(at, label, kind), held))
