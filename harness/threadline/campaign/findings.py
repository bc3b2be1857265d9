"""Findings: the failures of one search, of each signature the one that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..failure import Failure
from ..known import Known, covering
from ..lockstep.run import Batch, Runs
from ..minimise.fixpoint import never
from ..scenario import Scenario
from .chance import fails_each_time
from .events import Found, Shorter
from .save_failure import keep

# Failures of a signature in doubt that are played again: most cost one play, as they are by chance.
TRIES_MAX = 100


@dataclass(slots=True)
class Findings:
    """Counts the failures of each signature, and keeps the first of them.

    One that fails by chance does not stand for its signature: the first that fails each time takes
    its place. What the `entries` cover is counted as `known`. `path` returns where the trace of a
    signature belongs, or None where nowhere.
    """

    runs: Runs
    scenario: type[Scenario[Any]]
    path: Callable[[str], Path | None]
    told: Collection[str] = ()  # signatures that an earlier worker has told
    entries: Sequence[Known] = ()
    driver: str = ""
    is_over: Callable[[], bool] = never
    counts: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    _in_doubt: dict[str, int] = field(default_factory=dict)  # and how many were tried since

    def add(self, batch: Batch, failure: Failure) -> Iterator[Found | Shorter]:
        """Take a failing run, and yield what is to be told of it: often nothing."""
        name = str(failure.signature)
        counts = self.known if self.is_known(name) else self.counts
        counts[name] = counts.get(name, 0) + 1
        if counts[name] == 1 and name not in self.told:
            yield from self._keep(name, batch, failure)
        elif self._in_doubt.get(name, TRIES_MAX) < TRIES_MAX:
            self._in_doubt[name] += 1
            if fails_each_time(batch.trace(), failure, self.runs):
                yield from self._keep(name, batch, failure, instead=True)

    def is_known(self, signature: str) -> bool:
        return covering(self.entries, signature, self.driver) is not None

    def _keep(
        self, name: str, batch: Batch, failure: Failure, *, instead: bool = False
    ) -> Iterator[Found | Shorter]:
        path = self.path(name)
        kept = keep(
            batch, failure, self.runs, self.scenario, path, instead=instead, is_over=self.is_over
        )
        for event in kept:
            if isinstance(event, Shorter):
                if not event.doubt:
                    self._in_doubt.pop(name, None)
                elif not instead:
                    self._in_doubt[name] = 0
            yield event
