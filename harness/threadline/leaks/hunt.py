"""A hunt for leaks: run after run with a round trip, each leak minimised and investigated once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path as File
from typing import Any

from ..failure import Divergence, Failure
from ..lockstep.run import Batch, Runs, replay
from ..minimise.fixpoint import minimise
from ..printable import file_name
from ..scenario import Scenario
from ..search.explore import Explorer
from ..trace import Header, Trace, save
from .cycles import TimeOver
from .investigate import Investigation, investigate
from .leak import is_leak

NOT_AGAIN = "it did not leak again when it was investigated"
TIME_OVER = "the time was over before it was investigated"


@dataclass(frozen=True, slots=True)
class FoundLeak:
    """One leak: as a failure, its minimal trace, where that was saved, and its investigation.

    `story` is None where the minimal trace did not leak again when watched for longer, or the time
    was over: `why` says which.
    """

    failure: Failure
    trace: Trace
    path: str
    story: Investigation | None
    why: str = ""


@dataclass(slots=True)
class Hunt:
    """Looks for leaks in runs of one target, and keeps each in `folder` as it is found.

    seen: the signatures found so far. ended_early: how many runs were ended by a disagreement of
    model and system, by signature.
    """

    runs: Runs
    folder: File
    seen: set[str] = field(default_factory=set)
    ended_early: dict[str, int] = field(default_factory=dict)
    played: int = 0
    steps: int = 0
    ends_at_s: float | None = None

    def is_over(self) -> bool:
        return self.ends_at_s is not None and time.monotonic() >= self.ends_at_s

    def alive(self) -> None:
        """Show before each step of a cycle that the hunt goes on; raises TimeOver if it is over."""
        self.runs.recorder.touch()
        if self.is_over():
            raise TimeOver

    def scenario(
        self,
        scenario: type[Scenario[Any]],
        header: Header,
        runs_max: int | None,
        seconds: float | None,
    ) -> Iterator[FoundLeak]:
        """Explore a scenario for so many runs, or so long, and yield each leak."""
        self.ends_at_s = None if seconds is None else time.monotonic() + seconds
        for batch in islice(Explorer(scenario, self.runs, header).batches(), runs_max):
            self.played += 1
            self.steps += batch.steps
            if batch.failure is not None:
                yield from self._failed(batch, batch.failure, scenario)
            if self.is_over():
                return

    def trace(self, stored: Trace, scenario: type[Scenario[Any]] | None) -> Iterator[FoundLeak]:
        """Replay a trace with a round trip, and yield the leak that it shows.

        Where the trace says nothing of names, the scenario's are renewed in each cycle.
        """
        names = stored.header.identities or (scenario.identities() if scenario else ())
        header = replace(stored.header, round_trip=True, identities=names)
        failure = replay(self.runs, header, stored.operations)
        self.played += 1
        if failure is not None:
            yield from self._failed(
                Batch(1, len(failure.steps), header, failure), failure, scenario
            )

    def _failed(
        self, batch: Batch, failure: Failure, scenario: type[Scenario[Any]] | None
    ) -> Iterator[FoundLeak]:
        name = str(failure.signature)
        if not is_leak(failure):
            self.ended_early[name] = self.ended_early.get(name, 0) + 1
        elif name not in self.seen:
            self.seen.add(name)
            trace = batch.trace()
            path = self.folder / f"{file_name(name)}.jsonl"
            save(path, trace)
            least = minimise(trace, failure.signature, self.runs, scenario, is_over=self.is_over)
            saved = save(path, least.trace)
            story, why = None, NOT_AGAIN
            try:
                story = investigate(least.trace, self.runs)
            except TimeOver:
                why = TIME_OVER
            except Divergence as divergence:
                why = f"it failed otherwise when it was investigated: {divergence}"
            yield FoundLeak(least.failure or failure, least.trace, saved, story, why)
