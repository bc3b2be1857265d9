"""How a command runs a campaign: its entries, signals, the display, and the exit status."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click
import psutil

from ..allowed import driver_to_give
from ..campaign.earlier import came_before, earlier
from ..campaign.entry import Entry, Slice
from ..campaign.events import Event
from ..campaign.folder import tidy
from ..campaign.hands import Hands, Local
from ..campaign.job import Job
from ..campaign.night import Night
from ..campaign.plan import Plan
from ..defaults import read_defaults
from ..known import known_on
from ..loading import Target
from ..printable import file_name
from ..report.keeper import Keeper, night_of
from ..report.known_text import KnownText
from ..report.live import Live
from ..report.terminal import Terminal
from ..report.write import write_report
from ..trace import versions
from .cli_names import tell

WORKERS_MAX = 256
BROKEN = 3
START_MAX_S = 10.0  # of the imports; more is a clock that has jumped
CLOSING_MIN_S = 0.4  # in which the last workers are ended, and the reports written
CLOSING_CPU_S = 0.35  # of a processor, which takes the longer the busier the machine is
CLOSING, CLOSING_MAX = 0.01, 0.05  # of the time, at least and at most
CLOSING_LONG_S = 5.0  # that is enough for the largest report


class Workers(click.ParamType[int]):
    """A number of workers, or auto: one for each core that this process may use."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number that a text means."""
        if value == "auto":
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        if not (str(value).isdecimal() and 1 <= int(value) <= WORKERS_MAX):
            why = f"{value!r} is no number of workers; write auto, or 1 to {WORKERS_MAX}"
            self.fail(why, param, ctx)
        return int(value)


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=lambda: secrets.randbits(32),
    help="Fixes every draw; drawn if not given.",
)
known_option = click.option(
    "--known",
    type=click.Path(path_type=Path),
    help="File of known failures; known.toml beside pyproject.toml, if not given.",
)
workers_option = click.option(
    "--workers",
    type=Workers(),
    default="auto",
    show_default=True,
    help="Scenarios that are played at the same time; auto is one a core.",
)


def facts_of(command: str, folder: Path, seed: int, engine: str) -> dict[str, Any]:
    """Return what a record says of a campaign that is known from the start."""
    return {
        "name": folder.name,
        "command": command,
        "version": versions()["threadline"],
        "seed": seed,
        "engine": engine,
        "versions": versions(),
    }


def closing_s(seconds: float) -> float:
    """Return how much of a time is kept for the reports at its end.

    They will be as slow as the start of this process was, for the processor time that it took.
    """
    slowness = max(1.0, process_age_s() / max(0.1, time.process_time()))
    needed_s = max(min(CLOSING_LONG_S, CLOSING * seconds), CLOSING_CPU_S * slowness)
    return max(CLOSING_MIN_S, min(needed_s, CLOSING_MAX * seconds))


def process_age_s() -> float:
    """Return for how many seconds this process runs: imports are part of the time given.

    Both are of the wall clock, which may jump meanwhile: no start takes longer than START_MAX_S.
    """
    return min(START_MAX_S, max(0.0, time.time() - psutil.Process().create_time()))


@dataclass(slots=True)
class Stop:
    """Whether Ctrl-C was pressed, or the process was asked to end; a second time, it ends at once.

    `number` is that of the signal, 0 where there was none.
    """

    number: int = 0

    def take(self, number: int, _frame: FrameType | None) -> None:
        if self.number:
            raise KeyboardInterrupt
        self.number = number

    def is_set(self) -> bool:
        return bool(self.number)

    @property
    def status(self) -> int:
        """The exit status of a command that a signal has ended, as shells have it."""
        return 128 + self.number


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Yield what knows of Ctrl-C and SIGTERM while the block lasts."""
    stop = Stop()
    before = {each: signal.signal(each, stop.take) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def entries_of(
    job: Job, plan: Sequence[tuple[str, Target]], known: Path
) -> tuple[list[Entry], KnownText]:
    """Return an entry for each scenario and target, and what is to be said of known failures.

    Each has the job, with what is known of its driver. Raises BadKnown.
    """
    text, entries = KnownText(), []
    job = replace(job, examples=read_defaults().examples)
    shorts = Counter(_short(scenario) for scenario, _ in plan)
    for scenario, target in plan:
        name, suffix = _short(scenario), ""
        if shorts[name] > 1:
            driver = target.name.rpartition(":")[2]
            name, suffix = f"{name} on {driver}", f"-{file_name(driver)}"
        in_force, expired = known_on(target.name, target.driver.known, known, date.today())
        text.add(in_force, expired)
        facts = [asdict(replace(entry, until=None)) for entry in in_force]
        own = replace(job, scenario=scenario, driver=target.name, known=facts, suffix=suffix)
        entries.append(Entry(name, own, target))
    return entries, text


def _short(scenario: str) -> str:
    return scenario.rpartition(":")[2].lower()


@dataclass(slots=True)
class Campaign:
    """A campaign as a command runs it, on the processes of this machine unless `hands` are given.

    With a `keeper`, it leaves a report. With `since`, what fails is replayed at that revision.
    """

    plan: Plan
    terminal: Terminal
    folder: Path
    hands: Hands | None = None
    keeper: Keeper | None = None
    since: str | None = None

    def run(self) -> int:
        """Run it, print the summary, and return the exit status; 0 where nothing is to be run."""
        entries, terminal = self.plan.entries, self.terminal
        if not entries:
            tidy(self.folder, ())
            return 0
        for target in {entry.job.driver: entry.target for entry in entries}.values():
            job = entries[0].job
            terminal.header(target, job.engine, job.seed, versions()["threadline"])
        terminal.expect([entry.name for entry in entries])
        live = Live(terminal.console, entries, self.plan.ends_at_s)
        with stoppable() as stop, live.shown():
            night = Night(
                self.plan, partial(self._hear, live), stop.is_set, partial(self._tick, live)
            )
            night.play(self.hands or Local(self.plan.workers))
            if self.since and not stop.is_set():
                self._judge(self.since)
            status = self._end(stop)
            self._report(night, status)
        return status

    def _tick(self, live: Live) -> None:
        live.tick()
        if self.keeper is not None:
            self.keeper.tick()

    def _hear(self, live: Live, entry: Entry, _part: Slice | None, event: Event) -> None:
        self.terminal.hear(event, entry.name)
        if self.keeper is not None:
            live.tell(entry, event)
            self.keeper.hear(entry, event)

    def _judge(self, revision: str) -> None:
        """Replay each failure at the revision, to see whether the change brought it."""
        found = [
            (entry, name, trace)
            for entry in self.plan.entries
            for name, trace in entry.traces.items()
            if trace
        ]
        if not found:
            return
        with earlier(revision) as replays:
            for entry, name, trace in found:
                driver = driver_to_give(entry.target)
                is_before, came = came_before(replays, Path(trace), revision, driver)
                verdict = "was there before" if is_before else "new with this change"
                if came.unjudged:
                    verdict = f"cannot be judged at {revision}: {came.unjudged}"
                self.terminal.judge(entry.name, name, verdict, is_before=is_before)
                if is_before and self.keeper is not None:
                    self.keeper.before.add((entry.name, name))

    def _report(self, night: Night, status: int) -> None:
        """Write the record of the campaign, and what the corpus remembers of it."""
        if self.keeper is None:
            return
        record = self.keeper.record(night, self.terminal.known, status)
        if night.plan.corpus is not None:
            night.plan.corpus.keep_night(record.name, night_of(record))
        for trouble in write_report(record, self.folder):
            tell(trouble, err=True)
        for note in record.notes:
            tell(note)
        tell(f"report: {self.folder}")

    def _end(self, stop: Stop) -> int:
        """Print what was found; return the exit status."""
        entries = self.plan.entries
        broken = [entry.broken for entry in entries if entry.broken]
        for text in broken:
            tell(f"threadline: {text}", err=True)
        for entry in entries:
            self.terminal.spent(entry.name, entry.spent_s)
        running = [part.job.running() for entry in entries for part in entry.slices]
        if not broken and not stop.is_set():
            tidy(self.folder, running, keeps_folder=self.keeper is not None)
        self.terminal.summary()
        if stop.is_set():
            left = ", ".join(dict.fromkeys(str(path) for path in running if path and path.exists()))
            tell(f"interrupted: what was found until then is above; the last run is in {left}")
        if broken:
            return BROKEN
        if self.terminal.failed:
            return 1
        return stop.status if stop.is_set() else 0
