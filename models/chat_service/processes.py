"""Things that go on beside each other and wait: a kernel of discrete events."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from models.session_manager.clock import Clock
from models.session_manager.ids import Key


@dataclass(slots=True, eq=False)
class Places:
    """A number of places, of which so many are taken."""

    size: int
    taken: int = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self.size


class Until(NamedTuple):
    """A wait for a second."""

    until_s: float


class Place(NamedTuple):
    """A wait for a place, in vain if there is none before a second; first come, first served."""

    places: Places
    until_s: float


class Word(NamedTuple):
    """A wait for somebody to say a word, in vain if nobody does before a second."""

    word: str
    until_s: float


class Gate(NamedTuple):
    """A moment of its own, where operations overlap: others can come before it.

    key: of a thread, which can be shut.
    """

    key: Key | None = None


Wait: TypeAlias = Until | Place | Word | Gate
Steps: TypeAlias = Generator[Wait, bool, None]
"""What a process does: it yields what it waits for, and is told whether it has got a place."""


@dataclass(slots=True, eq=False)
class Process:
    """One that goes on, and the place that it was handed and has not heard of yet.

    step: that of the operation that it belongs to; 0 for what goes on by itself, and passes gates.
    """

    steps: Steps
    step: int = 0
    handed: Places | None = None
    has_begun: bool = False


class Processes:
    """Runs each process to its next wait, in the order in which the waits began or ended.

    gated: whether processes wait at gates. shut: the threads whose gates nobody passes now.
    """

    def __init__(self, clock: Clock, *, gated: bool = False) -> None:
        self.gated = gated
        self.shut: list[Key] = []
        self._clock = clock
        self._ready: deque[Process] = deque()
        self._waits: dict[Process, Wait] = {}  # in the order in which they began

    def start(self, steps: Steps, step: int = 0) -> Process:
        """Start a process of a step at the next run."""
        process = Process(steps, step)
        self._ready.append(process)
        return process

    def end(self, process: Process) -> None:
        """Cancel a process, wherever it is; it gives back what it has."""
        self._waits.pop(process, None)
        if process in self._ready:
            self._ready.remove(process)
        if process.handed:
            self.give_back(process.handed)
        process.steps.close()

    def give_back(self, places: Places) -> None:
        """Hand a place to the first whose wait for one is not due, or leave it free."""
        for process, wait in self._waits.items():
            if isinstance(wait, Place) and wait.places is places and not self._is_due(wait):
                process.handed = places
                self._make_ready(process)
                return
        places.taken -= 1

    def next_s(self) -> float:
        """Return when the next wait ends by itself."""
        return min(map(_due_s, self._waits.values()), default=float("inf"))

    def wake(self) -> None:
        """End the waits that are due."""
        for process in [process for process, wait in self._waits.items() if self._is_due(wait)]:
            self._make_ready(process)

    def say(self, word: str) -> None:
        """End the waits for a word."""
        waits = list(self._waits.items())
        for process in [
            each for each, wait in waits if isinstance(wait, Word) and wait.word == word
        ]:
            self._make_ready(process)

    def at_gates(self) -> list[int]:
        """Return the steps of the processes that wait at a gate that is not shut."""
        waits = self._waits.items()
        return [
            process.step
            for process, wait in waits
            if isinstance(wait, Gate) and wait.key not in self.shut
        ]

    def pass_gate(self, step: int) -> None:
        """Open the gate at which the process of a step waits."""
        waiting = [each for each, wait in self._waits.items() if isinstance(wait, Gate)]
        self._make_ready(next(each for each in waiting if each.step == step))

    def run(self) -> bool:
        """Run all that are ready until nothing is; return whether anything was."""
        found = bool(self._ready)
        while self._ready:
            self._go_on(self._ready.popleft())
        return found

    def goes_on(self, process: Process) -> bool:
        """Return whether a process has not ended."""
        return process in self._waits or process in self._ready

    def is_in_line(self, process: Process) -> bool:
        """Return whether a process waits for a place."""
        return isinstance(self._waits.get(process), Place)

    def _make_ready(self, process: Process) -> None:
        del self._waits[process]
        self._ready.append(process)

    def _go_on(self, process: Process) -> None:
        has_place, process.handed = process.handed is not None, None
        try:
            wait = process.steps.send(has_place) if process.has_begun else next(process.steps)
            process.has_begun = True
            while (answer := self._at_once(process, wait)) is not None:
                wait = process.steps.send(answer)
        except StopIteration:
            return
        self._waits[process] = wait

    def _at_once(self, process: Process, wait: Wait) -> bool | None:
        """Return what ends a wait as it begins, if anything does: whether it has got a place."""
        if isinstance(wait, Gate):
            return None if self.gated and process.step else False
        if isinstance(wait, Place) and not wait.places.is_full:
            wait.places.taken += 1
            return True
        return False if self._is_due(wait) else None

    def _is_due(self, wait: Wait) -> bool:
        return _due_s(wait) <= self._clock.now_s


def _due_s(wait: Wait) -> float:
    """Return when a wait ends by itself."""
    return float("inf") if isinstance(wait, Gate) else wait.until_s
