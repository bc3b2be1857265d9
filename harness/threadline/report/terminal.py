"""The terminal: a listener that shows how a campaign goes, and sums it up."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..campaign.events import Began, Ended, Event, Found, Shorter
from ..history import count
from ..loading import Target
from ..printable import printable, printable_lines


@dataclass(slots=True)
class Shown:
    """What is known of one scenario so far; `found` has the latest text of each signature."""

    name: str
    task: TaskID
    sequences: int
    started_s: float
    seconds: float = 0.0
    runs: int = 0
    steps: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    found: dict[str, Found | Shorter] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    note: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.failures) or bool(self.note and not self.steps)


class Terminal:
    """Hears run events. `trouble` says why traces are not kept where they belong, if so."""

    def __init__(self, trouble: str = "", console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._trouble = trouble
        self._scenarios: list[Shown] = []
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    @property
    def failed(self) -> bool:
        return any(shown.failed for shown in self._scenarios)

    def header(self, target: Target, engine: str, seed: int, version: str) -> None:
        """Show what fixes every draw, before the first one."""
        lacks = ", ".join(operation.kind for operation in target.lacks)
        without = f", without {lacks}" if lacks else ""
        self._print(f"threadline {version}: {target.name}{without}, engine {engine}, seed {seed}")
        if self._trouble:
            self._print(f"{self._trouble}: failing traces are printed whole")

    def live(self) -> AbstractContextManager[Bar]:
        """Show progress while the block lasts."""
        return self._bar

    def hear(self, event: Event) -> None:
        """Take one run event."""
        if isinstance(event, Began):
            self._begin(event)
            return
        shown = self._scenarios[-1]
        shown.seconds = time.monotonic() - shown.started_s
        if isinstance(event, Found):
            shown.found[event.signature] = event
            shown.traces[event.signature] = event.trace
            shown.failures.setdefault(event.signature, 1)
        elif isinstance(event, Shorter):
            shown.found[event.signature] = event
            shown.traces[event.signature] = event.trace
        else:
            shown.runs, shown.steps = event.runs, event.steps
            if isinstance(event, Ended):
                shown.failures, shown.complete = event.failures, event.complete
                shown.note = event.note
        self._bar.update(shown.task, told=_progress(shown))

    def summary(self) -> None:
        """Print each failure, then a table of the scenarios, then one sentence."""
        for shown in self._scenarios:
            for signature, found in shown.found.items():
                self._print(f"\n{found.text}")
                if isinstance(found, Found):
                    self._print("  note:    not minimised: the campaign ended before that")
                if self._trouble or not shown.traces[signature]:
                    self._print(f"  the whole trace, to be kept in a file:\n{found.lines}")
        self._print("")
        self.console.print(self._table())
        for shown in self._scenarios:
            self._remark(shown)

    def _begin(self, event: Began) -> None:
        name = event.scenario.rpartition(":")[2].lower()
        if event.sequences:
            self._print(f"{name}: about {count(event.sequences, 'sequence')} to play")
        task = self._bar.add_task(name, total=None, told="")
        self._scenarios.append(Shown(name, task, event.sequences, time.monotonic()))

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("scenario")
        for heading in ("runs", "steps", "steps/s"):
            table.add_column(heading, justify="right")
        table.add_column("failures")
        for shown in self._scenarios:
            failures = ", ".join(
                f"{signature} ({count(runs, 'run')}{_doubt(shown.found.get(signature))})"
                for signature, runs in shown.failures.items()
            )
            speed = f"{shown.steps / shown.seconds:,.0f}" if shown.seconds else ""
            numbers = (f"{shown.runs:,}", f"{shown.steps:,}", speed)
            table.add_row(Text(shown.name), *numbers, Text(printable(failures) or "none"))
        return table

    def _remark(self, shown: Shown) -> None:
        if shown.complete and not shown.failures:
            sequences = count(shown.runs, "sequence")
            self._print(f"{shown.name}: all {sequences} were played, and none fails")
        if shown.note:
            self._print(f"{shown.name}: {shown.note}")
        for signature, runs in shown.failures.items():
            if runs * 2 > shown.runs > 1:
                self._print(
                    f"{shown.name}: {signature} blocks: it ended {runs:,} of {shown.runs:,} runs, "
                    "so that little behind it was tried; fix it first"
                )

    def _print(self, text: str) -> None:
        self.console.print(Text(printable_lines(text)), soft_wrap=True)


def _doubt(found: Found | Shorter | None) -> str:
    """Return why a failure does not stand for its signature, where it does not."""
    return f", {found.doubt}" if isinstance(found, Shorter) and found.doubt else ""


def _progress(shown: Shown) -> str:
    speed = shown.steps / shown.seconds if shown.seconds else 0.0
    of_all = f" of about {shown.sequences:,}" if shown.sequences else ""
    return (
        f"{shown.runs:,}{of_all} runs  {shown.steps:,} steps  {speed:,.0f} steps/s  "
        f"{count(sum(shown.failures.values()), 'failure')}"
    )
