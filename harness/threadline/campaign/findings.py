"""Findings: the failures of one search, of each signature the one that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..allowed import driver_to_give
from ..failure import Failure, failure_text
from ..known import Known, covering
from ..lockstep.run import Batch, Runs
from ..minimise.fixpoint import never
from ..play import played
from ..scenario import Scenario
from ..trace import Trace, save
from .by_timing import by_timing
from .chance import fails_each_time, least_of
from .events import Found, Shorter

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
    doubted: Collection[str] = ()  # those of them that were seen to fail by chance
    entries: Sequence[Known] = ()
    driver: str = ""
    is_over: Callable[[], bool] = never
    counts: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    _in_doubt: dict[str, int] = field(default_factory=dict)  # and how many were tried since

    def __post_init__(self) -> None:
        self._in_doubt = dict.fromkeys(self.doubted, 0)

    def add(
        self, batch: Batch, failure: Failure, *, minimises: bool = True
    ) -> Iterator[Found | Shorter]:
        """Take a failing run, and yield the events that it is worth: often none.

        Unless it `minimises`, a failure is taken as it is.
        """
        name = str(failure.signature)
        counts = self.known if self.is_known(name) else self.counts
        counts[name] = counts.get(name, 0) + 1
        if counts[name] == 1 and name not in self.told:
            if minimises:
                yield from self._keep(name, batch, failure)
            else:
                yield from save_as_it_is(batch, failure, self.runs, self.path(name))
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
        kept = save_failure(
            batch, failure, self.runs, self.scenario, path, instead=instead, is_over=self.is_over
        )
        for event in kept:
            if isinstance(event, Shorter):
                if not event.doubt:
                    self._in_doubt.pop(name, None)
                elif not instead:
                    self._in_doubt[name] = 0
            yield event


def save_as_it_is(
    batch: Batch, failure: Failure, runs: Runs, path: Path | None
) -> Iterator[Found | Shorter]:
    """Save a failing run that was minimised when it was found, and yield it as such."""
    found = _found(batch, failure, runs, path)
    yield found
    yield Shorter(
        found.signature, found.text, found.lines, 1, found.steps, found.trace, play=found.play
    )


def save_failure(
    batch: Batch,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    *,
    instead: bool = False,
    is_over: Callable[[], bool] = never,
) -> Iterator[Found | Shorter]:
    """Save the failing run as it is and yield it; then minimise it, save that, and yield that.

    A caller that stops between the two cannot lose the failure, which is on disk and was yielded.
    `instead` marks a failure that replaces one of the same signature that failed by chance. When
    time `is_over`, the best so far is yielded.
    """
    yield replace(_found(batch, failure, runs, path), instead=instead)
    yield save_shorter(
        batch.trace(), failure, runs, scenario, path, is_doubted=instead, is_over=is_over
    )


def _found(batch: Batch, failure: Failure, runs: Runs, path: Path | None) -> Found:
    """Save a failing run, and return its event."""
    trace, driver = batch.trace(), driver_to_give(runs.target)
    saved = save(path, trace)
    lines = trace.encoded().decode("ascii")
    text = failure_text(failure, saved, driver=driver, full=runs.shows_all)
    return Found(
        str(failure.signature),
        text,
        saved,
        lines,
        batch.runs,
        len(failure.steps),
        play=played(failure),
    )


def save_shorter(
    trace: Trace,
    failure: Failure,
    runs: Runs,
    scenario: type[Scenario[Any]],
    path: Path | None,
    *,
    is_doubted: bool = False,
    is_over: Callable[[], bool] = never,
) -> Shorter:
    """Minimise a failing trace, save the result in place of the long one, and return its event.

    `is_doubted` says that its signature was seen to fail by chance. When time `is_over`, the result
    is the best so far.
    """
    least = least_of(trace, failure, runs, scenario, is_doubted=is_doubted, is_over=is_over)
    least = by_timing(trace, least, runs, scenario, is_over)
    if least.replays:
        saved = save(path, least.trace)
        log = runs.log_of(least.trace.header, least.trace.operations) if not least.is_cut else []
    else:
        saved, log = str(path) if path is not None and path.exists() else "", []
    driver = driver_to_give(runs.target)
    text = failure_text(least.failure, saved, least.notes, log, driver=driver, full=runs.shows_all)
    lines, steps = least.trace.encoded().decode("ascii"), len(least.failure.steps)
    return Shorter(
        str(failure.signature),
        text,
        lines,
        least.replays,
        steps,
        saved,
        least.doubt,
        played(least.failure),
    )
