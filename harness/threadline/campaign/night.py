"""A campaign of many entries, played in slices side by side; all is heard on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from .campaign import Interrupted, WorkerFailed, never
from .corpus import Corpus, Stored
from .entry import Entry, Slice
from .events import Event, Found, Reached, Replayed, Shorter
from .hands import Done, Hands
from .plan import Plan
from .shares import learn

POLL_S = 0.1

Heard: TypeAlias = Callable[[Entry, Slice | None, Event], None]
"""What hears the events of a campaign, each with its entry and, but for the end, its slice."""


@dataclass(slots=True)
class Night:
    """Plays what is planned, until all is done or the time is over.

    What is found is kept in the plan's corpus, if it has one. `fixed` are failing traces of it that
    agree now. `interrupted` is asked between events; once it returns true, all slices are ended.
    `idle` is called at least every POLL_S seconds.
    """

    plan: Plan
    hear: Heard
    interrupted: Interrupted = never
    idle: Callable[[], object] = lambda: None
    is_interrupted: bool = False
    replayed: int = 0
    fixed: list[Stored] = field(default_factory=list)
    _long: dict[tuple[str, str], Path] = field(default_factory=dict)  # failures not minimised yet
    _told: SimpleQueue[tuple[Entry, Slice, float, Event | Done]] = field(
        default_factory=SimpleQueue
    )

    @property
    def entries(self) -> Sequence[Entry]:
        return self.plan.entries

    def play(self, hands: Hands) -> None:
        """Play all; every event has been passed on when this returns."""
        with closing(hands):
            try:
                while self._fill(hands):
                    self._take()
                    self.idle()
                    if self._is_ending():
                        hands.stop()
            finally:
                self.is_interrupted = self._is_ending() or self._is_any_running()
        for entry in self.entries:
            if not entry.broken and (entry.slices or not self.is_interrupted):
                self.hear(entry, None, entry.end())
        if self.plan.corpus is not None:
            self.plan.corpus.shrink()

    def _fill(self, hands: Hands) -> bool:
        """Begin slices as long as there is a worker for them; return whether any is played."""
        running = sum(len(entry.running) for entry in self.entries)
        while running < self.plan.workers and not self._is_ending():
            begun = self.plan.next()
            if begun is None:
                break
            entry, part = begun
            tell = partial(self._put, entry, part, time.monotonic())
            hands.begin(part.job, entry.target, tell, self._is_ended)
            running += 1
        return running > 0

    def _is_any_running(self) -> bool:
        return any(entry.running for entry in self.entries)

    def _put(self, entry: Entry, part: Slice, began_s: float, event: Event | Done) -> None:
        self._told.put((entry, part, began_s, event))

    def _is_ended(self) -> bool:
        return self.is_interrupted

    def _is_ending(self) -> bool:
        self.is_interrupted = self.is_interrupted or self.interrupted()
        return self.is_interrupted

    def _take(self) -> None:
        """Pass on what slices have told; where nothing was, wait for it for POLL_S."""
        self._is_ending()
        with suppress(Empty):
            told = self._told.get(timeout=POLL_S)
            while True:
                self._take_one(*told)
                told = self._told.get_nowait()

    def _take_one(self, entry: Entry, part: Slice, began_s: float, event: Event | Done) -> None:
        if isinstance(event, Done):
            entry.over(part)
            learn(entry, part, time.monotonic() - began_s)
            self._take_error(entry, event.error)
            return
        for own in entry.hear(part, event):
            self._keep(entry, own)
            self.hear(entry, part, own)

    def _take_error(self, entry: Entry, error: BaseException | None) -> None:
        if isinstance(error, WorkerFailed):
            entry.broken = str(error)
        elif isinstance(error, KeyboardInterrupt):
            self.is_interrupted = True
        elif error is not None:
            raise error

    def _keep(self, entry: Entry, event: Event) -> None:
        """Put into the corpus what belongs there.

        A failure is there from when it was found, so that a campaign that is killed loses none; its
        minimised form takes its place. One that fails by chance does not stay.
        """
        corpus = self.plan.corpus
        if corpus is None:
            return
        if isinstance(event, Replayed) and not event.is_known:
            self._take_replayed(event, corpus)
        elif isinstance(event, Found):
            if (path := corpus.keep_failure(event.lines)) is not None:
                self._long[entry.name, event.signature] = path
        elif isinstance(event, Shorter):
            long = self._long.pop((entry.name, event.signature), None)
            if not event.doubt:
                corpus.keep_shorter(event.lines, long)
            elif long is not None:
                corpus.forget(long)
        elif isinstance(event, Reached) and event.trace:
            corpus.keep_behaviour(event.trace, event.states)

    def _take_replayed(self, event: Replayed, corpus: Corpus) -> None:
        self.replayed += 1
        stored = self.plan.stored[event.trace]
        if event.trouble:
            corpus.set_aside(stored.path, event.trouble)
        elif stored.signature and not event.came:
            self.fixed.append(stored)
            corpus.retire(stored)
