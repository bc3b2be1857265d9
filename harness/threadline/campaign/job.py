"""A job: what a worker is to do, as names and numbers that travel as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..loading import Target
from ..printable import file_name
from ..scenario import Scenario
from ..trace import Header, plain, versions
from .isolate import HANG_S

ENGINES = ("explore", "hypothesis", "exhaust")
REPLAY = "replay"  # the engine of a job that plays stored traces, and searches for nothing
ROUND_TRIP_EVERY = 30  # runs: looking for leaks takes about as long as two runs more
SLOW_S = 60.0  # how long a step may take in a campaign without a time budget
START_S = 60.0  # how long the imports and start() of a driver may take, in each worker


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do; names and numbers only, so that it can be sent as JSON.

    Ends after `runs`, or after `seconds`, whichever is given and comes first; `exhaust` ends when
    it has played all. `ends_at_s` is when the seconds are over, on the monotonic clock, which all
    processes share. Of what it takes to start the driver and to play one run, `patience_s` are not
    counted. What goes on when they are over may take `finish_s` more: a failure that is minimised,
    a hunt for leaks. With `keeps`, the worker waits for another job on the same driver when this
    one is done. With a `trace`, the job is to minimise that one, each replay in a process of its
    own. A step that takes longer than `hang_s` seconds is hung; until the driver is loaded and
    started, the limit is `start_s`. One run in `round_trip_every` ends with a hunt for leaks.
    Signatures in `told` were reported by an earlier worker, with the files of their traces ("" for
    none): they are counted, and not reported again. Of those `doubted`, seen to fail by chance, one
    that fails each time is reported instead. `known` are the entries of known failures, without
    their dates; with `replays_known`, their traces are played first.

    `replays` are names and contents of stored traces. The engine `replay` plays those alone, from
    number `first_run` on, each as the failure that it was stored for; `explore` plays them before
    its own runs, as ways to states that were reached before, for at most a fifth of its time. With
    `follows`, the worker reports what was reached, but for the states `seen`. Files of the job have
    the `suffix` in their names. A worker that holds more than `memory_max_mib` is ended. With
    `overlap`, operations overlap in every scenario, else in those that say so; where it is
    `adversarial`, tasks of the system are reordered, too. `examples` is where Hypothesis keeps what
    has failed, if it does.
    """

    scenario: str
    driver: str
    engine: str
    seed: int
    steps: int
    runs: int | None = None
    seconds: float | None = None
    patience_s: float = 0.0
    finish_s: float = 0.0
    first_run: int = 1
    folder: str = ""
    trace: str = ""
    ends_at_s: float | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    doubted: Sequence[str] = ()
    known: Sequence[Mapping[str, Any]] = ()
    replays_known: bool = False
    keeps: bool = False
    hang_s: float = HANG_S
    start_s: float = START_S
    round_trip_every: int = ROUND_TRIP_EVERY
    shows_log: bool = False
    shows_all: bool = False
    replays: Sequence[Sequence[str]] = ()
    follows: bool = False
    seen: str = ""
    suffix: str = ""
    memory_max_mib: float | None = None
    overlap: bool = False
    adversarial: bool = False
    examples: str = ""

    def encoded(self) -> bytes:
        return json.dumps(asdict(self)).encode("ascii")

    def path(self, name: str) -> Path | None:
        """Return where a file of this job belongs, or None where it has no folder."""
        stem = file_name(f"{self.scenario.rpartition(':')[2]}-{name}{self.suffix}")
        return Path(self.folder) / f"{stem}.jsonl" if self.folder else None

    def is_over(self) -> bool:
        """Return whether the time of this job is over, and it begins nothing more."""
        return self.ends_at_s is not None and time.monotonic() >= self.ends_at_s

    def is_spent(self) -> bool:
        """Return whether the time to finish what was begun is over as well."""
        return (end_s := self.last_s()) is not None and time.monotonic() >= end_s

    def last_s(self) -> float | None:
        """Return when all time of this job is over; its patience lasts as long as any time does."""
        if self.ends_at_s is None or self.patience_s:
            return self.ends_at_s
        return self.ends_at_s + self.finish_s

    def begun(self) -> Job:
        """Return the job of a worker that begins now: from here on, its time is counted."""
        if self.seconds is None:
            return self
        return replace(self, ends_at_s=time.monotonic() + self.seconds + self.patience_s)

    def started(self) -> Job:
        """Return the job once its driver has started: from now on, its time is counted in full."""
        if self.seconds is None or self.ends_at_s is None or not self.patience_s:
            return self
        ends_at_s = min(self.ends_at_s, time.monotonic() + self.seconds)
        return replace(self, ends_at_s=ends_at_s, patience_s=0.0)

    def running(self) -> Path | None:
        """Return where the trace of the run that is going on is kept."""
        return self.path("running")

    def overlapping(self, scenario: type[Scenario[Any]]) -> Job:
        """Return the job as it is done on a scenario, which may ask for overlap itself."""
        return replace(self, overlap=self.overlap or scenario.overlap)

    def tolerates(self) -> tuple[str, ...]:
        """Return the known signatures behind which runs go on."""
        return tuple(entry["signature"] for entry in self.known if entry["tolerate"])


def header_of(job: Job, target: Target) -> Header:
    """Return what all traces of a job begin with."""
    return Header(
        contract=target.model.name,
        driver=job.driver,
        scenario=job.scenario,
        policy=plain(target.policy),
        engine=job.engine,
        seed=job.seed,
        steps_max=job.steps,
        tolerates=job.tolerates(),
        overlap=job.overlap,
        adversarial=job.adversarial and job.overlap and not target.driver.threaded,
        versions=versions(),
    )
