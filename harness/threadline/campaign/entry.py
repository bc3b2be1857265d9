"""An entry of a campaign: one scenario on one driver, played in slices that are summed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..history import count
from ..loading import Target
from ..lockstep.loop_watch import of_held
from ..search.behaviour import packed, unpacked
from .events import Began, Ended, Event, Found, Memory, Progress, Reached, Replayed, Shorter
from .job import REPLAY, Job

FIRST_RUNS_APART = 1_000_000  # numbers of runs that a slice has for itself
NOT_REACHED = "not played: there was no time for it; give it more with --for"
UNDECIDED = "too many orders were possible, or the model could not say what is right"
STATES_MAX = 50_000  # states, and transitions, that are told apart, as in a worker


@dataclass(slots=True, eq=False)
class Slice:
    """One job of an entry, and what it has come to so far."""

    number: int
    job: Job
    runs: int = 0
    steps: int = 0
    new_states: int = 0
    new_lines: int = 0
    new_signatures: float = 0.0  # of the second that the entry finds a half, of the third a third
    failures: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    held_mib: float = 0.0


@dataclass(slots=True, eq=False)
class Entry:
    """A scenario on a driver, and the sum of its slices, which may be played at the same time.

    Of a failure that two slices find, the first is reported, and the other counted. `spent_s` is
    what its slices have taken, together. `traces` are the files of its failures.
    """

    name: str
    job: Job
    target: Target
    slices: list[Slice] = field(default_factory=list)
    running: list[Slice] = field(default_factory=list)
    spent_s: float = 0.0
    rate: float | None = None  # of what is new for each second of late; None before the first
    states: set[int] = field(default_factory=set)
    transitions: set[int] = field(default_factory=set)
    stored_states: set[int] = field(default_factory=set)  # by the corpus, from earlier campaigns
    lines: dict[str, set[int]] = field(default_factory=dict)
    operations: dict[str, dict[str, int]] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)
    found: dict[str, Found | Shorter] = field(default_factory=dict)  # the latest of each signature
    notes: list[str] = field(default_factory=list)
    broken: str = ""
    undecided: int = 0
    held: dict[str, int] = field(default_factory=dict)  # how often each line held the loop
    _notes_of_idle: list[str] = field(default_factory=list)
    _owners: dict[str, Slice] = field(default_factory=dict)
    _unused: dict[str, str] | None = None
    _unmet: list[str] | None = None
    _complete: bool = True
    _had_time: bool = False  # in some slice, to take a step

    @property
    def runs(self) -> int:
        return sum(each.runs for each in self.slices)

    @property
    def steps(self) -> int:
        return sum(each.steps for each in self.slices)

    @property
    def is_unreached(self) -> bool:
        """Return whether the time was over before anything of it could be played."""
        return not (self.steps or self._had_time or self.broken)

    @property
    def failures(self) -> dict[str, int]:
        """How many runs each signature has ended."""
        found = dict.fromkeys(self._owners, 0)
        for each in self.slices:
            for name, runs in each.failures.items():
                found[name] = found.get(name, 0) + runs
        return {name: max(1, runs) for name, runs in found.items()}

    @property
    def known(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in self.slices:
            for name, runs in each.known.items():
                found[name] = found.get(name, 0) + runs
        return found

    def begin(self, **changes: object) -> Slice:
        """Return a new slice: the entry's job with these changes, and what is known by now."""
        number = len(self.slices) + 1
        taken = {each.job.suffix for each in self.running}
        places = ["", *(f"-{place}" for place in range(2, len(taken) + 2))]
        suffixes = [f"{self.job.suffix}{place}" for place in places]
        job = replace(
            self.job,
            first_run=1 + (number - 1) * FIRST_RUNS_APART,
            told={**self.job.told, **self.traces},
            doubted=[name for name, found in self.found.items() if _is_doubted(found)],
            suffix=next(suffix for suffix in suffixes if suffix not in taken),
            seen=packed(sorted(self.states | self.stored_states)[:STATES_MAX]),
        )
        made = Slice(number, replace(job, **changes))  # type: ignore[arg-type]  # fields of a job
        self.slices.append(made)
        self.running.append(made)
        return made

    def over(self, part: Slice) -> None:
        """Take that a slice is over; what its job was told is told to the next, and forgotten."""
        self.running.remove(part)
        part.job = replace(part.job, seen="", replays=(), told={}, known=())

    def hear(self, part: Slice, event: Event) -> Iterator[Event]:
        """Take an event of a slice, and yield what is to be passed on of it, as the entry's own."""
        if isinstance(event, Began):
            if part is self.slices[0]:
                yield event
        elif isinstance(event, Memory):
            part.held_mib = event.mib
        elif isinstance(event, Replayed):
            yield event
        elif isinstance(event, Found):
            yield from self._take_found(part, event)
        elif isinstance(event, Shorter):
            yield from self._take_shorter(part, event)
        elif isinstance(event, Reached):
            self._take_reached(part, event)
            yield event
        else:
            part.runs, part.steps = event.runs, event.steps
            if isinstance(event, Ended):
                self._take_end(part, event)
            yield Progress(self.runs, self.steps, 0)

    def end(self) -> Ended:
        """Return the event that ends the entry."""
        notes = list(self.notes)
        if not self.slices:
            notes.append(NOT_REACHED)
        if not self.steps:  # else a slice that came too late to play says nothing of use
            notes += self._notes_of_idle
        if self.undecided:
            notes.append(f"{count(self.undecided, 'run')} not judged to the end: {UNDECIDED}")
        if self.held:
            notes.append(of_held(self.held))
        return Ended(
            self.runs,
            self.steps,
            self.failures,
            complete=self._complete and bool(self.slices),
            note="; ".join(dict.fromkeys(notes)),
            unused=[*(self._unused or {}).values()],
            unmet=self._unmet or [],
            known=self.known,
            is_unreached=self.is_unreached,
        )

    def _take_found(self, part: Slice, event: Found) -> Iterator[Event]:
        name = event.signature
        part.failures.setdefault(name, 1)
        owner = self._owners.setdefault(name, part)
        if owner is part or event.instead:
            self._owners[name] = part
            self.traces[name] = event.trace
            self.found[name] = event
            if not event.instead and part.job.engine != REPLAY:
                part.new_signatures += 1 / len(self.found)
            yield replace(event, runs=self.runs)
        else:
            self._drop(event)

    def _take_shorter(self, part: Slice, event: Shorter) -> Iterator[Event]:
        """Take the minimised form of a slice's own failure.

        Another's takes its place only where that one fails by chance, and the other each time.
        """
        name = event.signature
        if self._owners.get(name) is not part:
            if event.doubt or not _is_doubted(self.found.get(name)):
                self._drop(event)
                return
            self._owners[name] = part
        self.traces[name] = event.trace
        self.found[name] = event
        yield event

    def _drop(self, event: Found | Shorter) -> None:
        """Remove the trace of a failure that another slice has found as well: one is enough."""
        if event.trace and event.trace != self.traces.get(event.signature):
            with suppress(OSError):
                Path(event.trace).unlink()

    def _take_reached(self, part: Slice, event: Reached) -> None:
        for kind, outcomes in event.operations.items():
            mine = self.operations.setdefault(kind, {})
            for name, times in outcomes.items():
                mine[name] = mine.get(name, 0) + times
        new = _first_of(unpacked(event.states), self.states)
        part.new_states += len(set(new) - self.stored_states)
        self.states.update(new)
        self.transitions.update(_first_of(unpacked(event.transitions), self.transitions))
        for file, numbers in event.lines.items():
            mine_too = self.lines.setdefault(file, set())
            part.new_lines += len(set(numbers) - mine_too)
            mine_too.update(numbers)

    def _take_end(self, part: Slice, event: Ended) -> None:
        part.failures = {**part.failures, **event.failures}
        part.known = event.known
        self._had_time = self._had_time or not event.is_unreached
        self._complete = self._complete and event.complete
        self.undecided += event.undecided
        for line, times in event.held.items():
            self.held[line] = self.held.get(line, 0) + times
        if event.note:
            notes = self.notes if event.steps else self._notes_of_idle
            notes.append(event.note)
        unused = {line.partition(":")[0]: line for line in event.unused}
        before = unused if self._unused is None else self._unused
        self._unused = {rule: line for rule, line in unused.items() if rule in before}
        unmet = event.unmet if self._unmet is None else self._unmet
        self._unmet = [goal for goal in event.unmet if goal in unmet]


def _first_of(numbers: Iterable[int], known: set[int]) -> list[int]:
    """Return those that are not known, as many as there is room for."""
    new = [number for number in numbers if number not in known]
    return new[: STATES_MAX - len(known)]


def _is_doubted(found: Found | Shorter | None) -> bool:
    """Return whether a failure does not stand for its signature."""
    return isinstance(found, Shorter) and bool(found.doubt)
