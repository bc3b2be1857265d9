"""A worker: the process in which one scenario is run; it is told a job, and tells events."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..driver import DriverError
from ..failure import Failure
from ..leaks.round_trip import RoundTrips
from ..loading import load_scenario, load_target
from ..lockstep.run import Batch, Runs
from ..lockstep.warning_recorder import warnings_recorded
from ..scenario import Scenario
from ..search.exhaust import Exhaust
from ..search.explore import Explorer
from ..trace import Header, Recorder, plain, versions
from .events import Began, Ended, Event, Found, Listener, Progress, encode
from .findings import Findings
from .isolate import HANG_S, shorten

ENGINES = ("explore", "hypothesis", "exhaust")
PROGRESS_S = 0.1
ROUND_TRIP_EVERY = 30  # runs: looking for leaks takes about as long as two runs more
OUR_BUG = 70  # EX_SOFTWARE of sysexits.h: no system under test ends a process like that by chance


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do; names and numbers only, so that it can be told as JSON.

    Ends after `runs`, or after `seconds`, whichever is given and comes first; `exhaust` ends when
    it has played all. With a `trace`, the job is to minimise that one, each replay in a process of
    its own. A step that takes longer than `hang_s` seconds is hung, where time is limited at all.
    One run in `round_trip_every` ends with a look for leaks.
    """

    scenario: str
    driver: str
    engine: str
    seed: int
    steps: int
    runs: int | None = None
    seconds: float | None = None
    first_run: int = 1
    folder: str = ""
    trace: str = ""
    hang_s: float = HANG_S
    round_trip_every: int = ROUND_TRIP_EVERY
    shows_log: bool = False

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii")

    def path(self, name: str) -> Path | None:
        """Return where a file of this job belongs, or None where it has no folder."""
        stem = f"{self.scenario.rpartition(':')[2]}-{name}.jsonl"
        return Path(self.folder) / stem if self.folder else None

    def running(self) -> Path | None:
        """Return where the trace of the run that is going on is kept."""
        return self.path("running")


class Engine(Protocol):
    """Plays runs of a scenario, and knows which of its rules were of no use."""

    def unused(self) -> list[str]:
        """Return a line for each rule that has never fired."""
        ...


def work(job: Job, tell: Listener) -> None:
    """Do a job in this process, telling `tell` what happens.

    Raises BadName where its names lead nowhere, and what a bug of the model or the scenario raises.
    """
    target = load_target(job.driver)
    scenario = load_scenario(job.scenario)
    header = Header(
        contract=target.model.name,
        driver=job.driver,
        scenario=job.scenario,
        policy=plain(target.policy),
        engine=job.engine,
        seed=job.seed,
        steps_max=job.steps,
        versions=versions(),
    )
    with warnings_recorded() as warned, closing(Recorder(job.running())) as recorder:
        trips = RoundTrips(job.round_trip_every, alive=recorder.touch)
        runs = Runs(target, recorder, warned, after_run=trips, shows_log=job.shows_log)
        if job.trace:
            tell(shorten(Path(job.trace), runs, scenario, job.running(), job.hang_s))
        else:
            _Search(job, scenario, runs, tell).go(header)
        runs.close()


class _Search:
    """Follows an engine: counts, saves and minimises what it finds, and tells of it."""

    def __init__(self, job: Job, scenario: type[Scenario[Any]], runs: Runs, tell: Listener) -> None:
        self._job = job
        self._scenario = scenario
        self._runs = runs
        self._tell = tell
        self._played = 0
        self._steps = 0
        self._findings = Findings(runs, scenario, job.path)

    def go(self, header: Header) -> None:
        started = told = time.monotonic()
        sequences, engine, batches = self._engine(header)
        self._tell(Began(self._job.scenario, sequences))
        complete = True
        for batch in batches:
            self._played += batch.runs
            self._steps += batch.steps
            if batch.failure:
                self._failed(batch, batch.failure)
            now = time.monotonic()
            if now - told >= PROGRESS_S:
                told = now
                self._tell(Progress(self._played, self._steps, batch.header.run))
            if self._is_over(now - started):
                complete = False
                break
        failures, unused = self._findings.counts, engine.unused()
        complete = complete and sequences > 0
        self._tell(Ended(self._played, self._steps, failures, complete, unused))

    def _engine(self, header: Header) -> tuple[int, Engine, Iterator[Batch]]:
        """Return how many sequences there are, about, if that has an end; the engine; its runs."""
        if self._job.engine == "exhaust":
            exhaust = Exhaust(self._scenario, self._runs, header)
            return exhaust.estimate(), exhaust, exhaust.batches()
        if self._job.engine == "hypothesis":
            from ..search.machine import Chunks  # loads Hypothesis, which no other engine needs

            chunks = Chunks(self._scenario, self._runs, header)
            return 0, chunks, chunks.batches(self._job.first_run, self._job.runs)
        explorer = Explorer(self._scenario, self._runs, header)
        return 0, explorer, explorer.batches(self._job.first_run)

    def _is_over(self, seconds: float) -> bool:
        job = self._job
        if job.seconds is not None and seconds >= job.seconds:
            return True
        return job.runs is not None and self._played >= job.runs

    def _failed(self, batch: Batch, failure: Failure) -> None:
        for event in self._findings.add(batch, failure):
            self._tell(replace(event, runs=self._played) if isinstance(event, Found) else event)


def main() -> None:
    """Read a job from standard input, and tell its events on standard output.

    What the system prints goes to standard error, so that it cannot be taken for an event.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the campaign's to handle
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def tell(event: Event) -> None:
        events.write(encode(event))

    try:
        work(Job(**json.load(sys.stdin)), tell)
    except DriverError as error:
        print(error, file=sys.stderr)
        os._exit(OUR_BUG)
    except Exception:
        traceback.print_exc()
        os._exit(OUR_BUG)  # not exit: a thread that the system left must not hold us


if __name__ == "__main__":
    main()
