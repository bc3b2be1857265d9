"""A plan: which slice a campaign plays next, and for how long."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .corpus import Corpus, Stored
from .entry import Entry, Slice
from .job import REPLAY
from .shares import ROUNDS, next_entry, slice_s

ENDING_S = 0.2  # that a slice takes longer than its time, to end its worker
SHORT_S = 1.5  # what would be left behind a slice is added to it, if it is no longer than this
LEAST_S = 0.3  # of a slice: a worker takes longer to start
FINISH = 0.1  # of the time, at most, to finish what a slice has begun; our choice
REPLAYS = 0.2  # of the time, at most, in which the corpus is played


@dataclass(slots=True)
class Plan:
    """Known failures and those of the corpus come first, then each entry once, then what pays.

    With `ends_at_s`, on the monotonic clock, time is shared out; without, each entry has one slice,
    of as many runs as its job says. `workers` slices are played at the same time. Of the entries,
    those that the last night of the corpus had no time for come first.
    """

    entries: Sequence[Entry]
    workers: int
    ends_at_s: float | None = None
    corpus: Corpus | None = None
    stored: dict[str, Stored] = field(default_factory=dict)  # what is replayed, by name
    unplayed: int = 0  # stored failures that there was no time for
    _began_s: float = field(default_factory=lambda: time.monotonic())
    _replays: deque[tuple[Entry, dict[str, Any]]] = field(default_factory=deque)
    _first: list[tuple[Entry, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        failures = self.corpus.failures() if self.corpus else []
        behaviour = self.corpus.behaviour() if self.corpus else []
        met: set[str] = set()
        for entry in self.entries:
            knows = any(known["trace"] for known in entry.job.known)
            own = _own(failures, entry)
            if own or (self.corpus and knows and entry.job.driver not in met):
                changes = {"engine": REPLAY, "follows": False, "runs": None}
                self._replays.append((entry, {**changes, **self._given(entry, own, met)}))
        late = self.corpus.unreached() if self.corpus else set()
        for entry in sorted(self.entries, key=lambda each: _name(each) not in late):
            own = _own(behaviour, entry)
            for trace in own:
                entry.stored_states |= trace.states
            self._first.append((entry, self._given(entry, own, met)))

    @property
    def budget_s(self) -> float:
        return self.ends_at_s - self._began_s if self.ends_at_s is not None else 0.0

    def next(self) -> tuple[Entry, Slice] | None:
        """Begin the next slice and return it; None where there is none, or no time for it."""
        left_s = None if self.ends_at_s is None else self.ends_at_s - time.monotonic() - ENDING_S
        if left_s is not None and left_s < LEAST_S:
            return None
        if self._replays and (for_replays_s := self._for_replays_s(left_s)) != 0.0:
            entry, changes = self._replays.popleft()
            return entry, entry.begin(**changes, seconds=for_replays_s, first_run=1)
        if self._first:
            return self._next_first(left_s)
        if left_s is None or not all(map(is_sliced, self.entries)):
            return None
        best = next_entry(self.entries)
        if best is None:
            return None
        seconds = slice_s(self.budget_s, self.workers, len(self.entries))
        if left_s - seconds < SHORT_S:
            seconds = left_s
        return best, best.begin(seconds=seconds, finish_s=self._finish_s(left_s - seconds))

    def _finish_s(self, left_s: float) -> float:
        """Return what a slice may take to finish, where so much time is left behind it."""
        return min(left_s, FINISH * self.budget_s)

    def _next_first(self, left_s: float | None) -> tuple[Entry, Slice]:
        """Begin the first slice of an entry, which plays one run at least.

        Where time is shared out, it is one whose driver nobody else plays: its worker may wait.

        The time is divided anew each time, as what was before may have taken longer. Of what an
        entry could have, its first slice is one of the ROUNDS.
        """
        played = {entry.job.driver for entry in self.entries if entry.running}
        free = (each for each in self._first if each[0].job.driver not in played)
        first = self._first[0] if left_s is None else next(free, self._first[0])
        self._first.remove(first)
        entry, changes = first
        if left_s is None:
            return entry, entry.begin(**changes, seconds=None)
        seconds = left_s * min(1.0, self.workers / (len(self._first) + 1))
        if is_sliced(entry):
            most_s = slice_s(self.budget_s, self.workers, len(self.entries))
            seconds = max(LEAST_S, min(most_s, seconds / ROUNDS))
        patience_s = left_s - seconds
        finish_s = self._finish_s(patience_s)
        return entry, entry.begin(
            **changes, seconds=seconds, patience_s=patience_s, finish_s=finish_s
        )

    def _for_replays_s(self, left_s: float | None) -> float | None:
        """Return how long stored failures may still be played; 0 where their time is over.

        Those that are left then are not played, and counted.
        """
        if left_s is None:
            return None
        end_s = self._began_s + REPLAYS * self.budget_s
        for_replays_s = min(left_s, end_s - time.monotonic())
        if for_replays_s >= LEAST_S:
            return for_replays_s
        self.unplayed += sum(len(changes["replays"]) for _, changes in self._replays)
        self._replays.clear()
        return 0.0

    def _given(self, entry: Entry, own: Sequence[Stored], met: set[str]) -> dict[str, Any]:
        """Return the stored traces that a slice plays; the first of each driver has the known."""
        self.stored.update((trace.path.name, trace) for trace in own)
        replays_known = entry.job.driver not in met
        met.add(entry.job.driver)
        named = [(trace.path.name, trace.content) for trace in own]
        return {"replays": named, "replays_known": replays_known}


def is_sliced(entry: Entry) -> bool:
    """Return whether an entry can go on in another slice: a search of all sequences cannot."""
    return entry.job.engine != "exhaust" and entry.job.runs is None


def _name(entry: Entry) -> tuple[str, str]:
    return entry.job.scenario, entry.job.driver


def _own(traces: Sequence[Stored], entry: Entry) -> list[Stored]:
    return [trace for trace in traces if trace.is_of(entry.job.scenario, entry.job.driver)]
