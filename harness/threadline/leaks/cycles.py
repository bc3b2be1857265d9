"""Cycles: a recorded run and its teardown, again and again on one system, without a model."""

from __future__ import annotations

import gc
import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path as File
from typing import Any

from ..driver import Driver
from ..handle import Dangling, Handle
from ..history import Step
from ..operation import Operation, handles_in, map_atoms
from ..outcome import Ok, Outcome, Refused
from .growth import Growths
from .reach import Link, Path, Reach

ASKS_THE_SYSTEM = True  # outside of steps: see outcomes.is_the_systems
ALIVE = "alive "
# Of CPython's object.h: a class of Python's, whose objects its garbage collector knows.
_OWN = 1 << 9 | 1 << 14
RETRIES = 20  # a thread that was told to end needs a moment
RETRY_S = 0.001
THREADS_ASKED = 16  # for the processes that each has started: a file of the kernel's for each
_TASKS, _DESCRIPTORS = File("/proc/self/task"), File("/dev/fd")
THREADS = "threads"
DESCRIPTORS = "file descriptors"
CHILDREN = "child processes"
GENERATORS = "asynchronous generators"
WARNINGS = "resource warnings"
Measure = dict[int | str, int]
"""Counts by the number of a path, and by the name of a resource."""


class Unlike(Exception):
    """A cycle took another course than the run that it repeats, so that it proves nothing."""


class TimeOver(Exception):
    """The time of a hunt is over; raised by `alive`, which is called before each step."""


class Cycles:
    """Plays cycles, each with fresh handles, and measures what the system holds between two.

    `play` makes one call. `identities` are names of users and the like, in place of which each
    cycle has new ones, wherever they stand in an argument. Objects like those that the system
    returned under a handle are counted: they must be gone after the teardown, whoever holds them.
    """

    def __init__(
        self,
        driver: Driver[Any],
        play: Callable[[Operation], Outcome],
        steps: Sequence[Step],
        growths: Growths,
        warned: Callable[[], int],
        alive: Callable[[], object] = lambda: None,
        identities: Sequence[str] = (),
    ) -> None:
        self.steps = steps
        self.played = 0
        growths.paths.edges.stop_at(driver.foreign)
        self.reach = Reach(driver.roots, growths.paths)
        self._driver = driver
        driver.discard_notes()
        self._play = play
        self._binds = [any(handles_in(_value(step.expected))) for step in steps]
        self._warned = warned
        self._alive = alive
        self._identities = frozenset(identities)
        self._real: dict[Handle, object] = {}
        self._returned: dict[type, None] = {}
        self._before: dict[str, int] = {}

    def follow(self, returned: Iterable[object]) -> None:
        """Count objects like these as well."""
        for value in returned:
            self._follow(value)

    def run(self, count: int, *, following: bool = True) -> None:
        """Play so many cycles; raises Unlike where an operation ends otherwise than recorded.

        Without `following`, nothing of what is returned is remembered.
        """
        for _ in range(count):
            for index in range(len(self.steps)):
                self.step(index, following=following)
            self.end()

    def step(self, index: int, *, following: bool = True) -> None:
        """Play one step of the cycle."""
        self._alive()
        step = self.steps[index]
        try:
            resolved = self._renamed(step.operation).resolved(self._real)
        except Dangling as dangling:
            raise Unlike(f"{step}: {dangling}") from None
        outcome = self._play(resolved)
        if type(outcome) is not type(step.expected):
            raise Unlike(f"{step} came back with {outcome}, and with {step.expected} before")
        if self._binds[index]:
            self._rebind(_value(step.expected), _value(outcome), following=following)

    def end(self) -> None:
        """Drop what the cycle was given."""
        self._real.clear()
        self._driver.discard_notes()
        self.played += 1

    def measure(self) -> Measure:
        """Count what is reached, what the process holds, and what is alive that should be gone."""
        found: Measure = {**self.reach.census()}  # type: ignore[dict-item]
        roots = self.reach.roots().values()
        loops = [root for root in roots if isinstance(root, AbstractEventLoop)]
        self._before = settled(self._before, lambda: resources(loops, self._warned()))
        found.update(self._before)
        found.update(self._survivors())
        return found

    def path(self, key: int | str) -> Path:
        """Return the path that a measure has under a number, or a path of that name alone."""
        return self.reach.paths.path(key) if isinstance(key, int) else Path((Link(key, ""),))

    def survivors(self, kind: str) -> list[object]:
        """Return what is alive of this type, made in a cycle that has ended."""
        return [held for held in gc.get_objects() if type(held).__name__ == kind]

    def _survivors(self) -> dict[str, int]:
        """Count living objects by type, without those that only await the garbage collector.

        Weak references would not do, as slots may forbid them. It is cheap, as the earlier heap is
        aside.
        """
        found = self._count_returned()
        if any(found.values()):
            gc.collect()
            found = self._count_returned()
        return found

    def _count_returned(self) -> dict[str, int]:
        counts = dict.fromkeys(self._returned, 0)
        for held in gc.get_objects() if counts else ():
            if type(held) in counts:
                counts[type(held)] += 1
        return {f"{ALIVE}{kind.__name__}": count for kind, count in counts.items()}

    def _rebind(self, expected: object, actual: object, *, following: bool) -> None:
        """Bind the handles of a recorded value to what stands in their places this time."""
        if type(expected) is Handle:
            if expected not in self._real and following:
                self._follow(actual)
            self._real[expected] = actual
        elif isinstance(expected, dict) and isinstance(actual, dict):
            for key, value in expected.items():
                real = map_atoms(key, self._known)
                if real in actual:
                    self._rebind(value, actual[real], following=following)
        elif isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
            for one, other in zip(expected, actual, strict=False):
                self._rebind(one, other, following=following)

    def _renamed(self, operation: Operation) -> Operation:
        return operation.mapped(self._fresh) if self._identities else operation

    def _fresh(self, atom: object) -> object:
        """Return the name that stands for an identity in this cycle; anything else as it is."""
        is_one = type(atom) is str and atom in self._identities
        return f"{atom}-{self.played + 1}" if is_one else atom

    def _known(self, atom: object) -> object:
        return self._real.get(atom, atom) if type(atom) is Handle else self._fresh(atom)

    def _follow(self, value: object) -> None:
        if type(value).__flags__ & _OWN == _OWN:
            self._returned[type(value)] = None


@contextmanager
def heap_aside() -> Iterator[None]:
    """Restrict the garbage collector to what is made in this block, however large the heap."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _value(outcome: Outcome) -> object:
    """Return all of an outcome that can hold a handle."""
    told = outcome.told if isinstance(outcome, (Ok, Refused)) else None
    value = outcome.value if isinstance(outcome, Ok) else None
    return (value, told) if told else (value,)


def resources(loops: Iterable[AbstractEventLoop], warned: int) -> dict[str, int]:
    """Count what must be equal before and after; `warned` is how many ResourceWarnings there were.

    Takes about 50 microseconds on Linux. Tasks and timers are counted where a loop is a root.
    """
    threads = _listed(_TASKS)
    return {
        THREADS: len(threads) or threading.active_count(),
        DESCRIPTORS: len(_listed(_DESCRIPTORS)),
        CHILDREN: sum(map(_children, threads[:THREADS_ASKED])),
        GENERATORS: sum(len(getattr(loop, "_asyncgens", ())) for loop in loops),
        WARNINGS: warned,
    }


def settled(before: Mapping[str, int], look: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Count again for a moment while there is more than before, as threads may be ending."""
    now = look()
    for _ in range(RETRIES):
        if all(count <= before.get(name, count) for name, count in now.items()):
            break
        time.sleep(RETRY_S)
        now = look()
    return now


def _listed(folder: File) -> list[str]:
    """Return the names in a folder of the kernel's; none where there is no such folder."""
    with suppress(OSError):
        return os.listdir(folder)
    return []


def _children(thread: str) -> int:
    with suppress(OSError):
        return len((_TASKS / thread / "children").read_bytes().split())
    return 0
