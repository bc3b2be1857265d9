"""The terminal: a listener that shows how a campaign goes, and sums it up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..campaign.events import Began, Ended, Event, Found, Memory, Reached, Replayed, Shorter
from ..campaign.vacuous import is_vacuous, unmet_lines
from ..history import count
from ..loading import Target
from ..printable import printable, printable_lines
from .bugs import Bug, bugs
from .known_text import KnownText

UNJUDGED = "of what was drawn, nobody could say what is right, or it named nothing"


@dataclass(slots=True)
class Shown:
    """The state of one scenario so far; `found` has the latest text of each signature."""

    name: str
    sequences: int = 0
    started_s: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    runs: int = 0
    steps: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    found: dict[str, Found | Shorter] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    note: str = ""
    ended: bool = False
    unreached: bool = False
    unused: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)  # what a change has not brought
    judged: dict[str, str] = field(default_factory=dict)  # what each failure is to a change

    @property
    def tried_nothing(self) -> bool:
        """Return whether it has ended without one step, which is no success.

        Not where there was no time for one.
        """
        return self.ended and not self.steps and not self.unreached

    @property
    def failed(self) -> bool:
        is_empty = self.tried_nothing or is_vacuous(self.runs, self.unmet)
        return bool(self.failures) or is_empty


class Terminal:
    """Hears run events. `trouble` says why traces are not kept where they belong, if so; `known`
    has the lines about known failures.
    """

    def __init__(
        self,
        trouble: str = "",
        console: Console | None = None,
        known: KnownText | None = None,
    ) -> None:
        self.known = known or KnownText()
        self.console = console or Console(highlight=False)
        self._trouble = trouble
        self._scenarios: dict[str, Shown] = {}

    @property
    def failed(self) -> bool:
        """Return whether anything failed, or nothing was tried: in a scenario, or at all."""
        shown = self._scenarios.values()
        all_unreached = any(each.unreached for each in shown) and not any(s.steps for s in shown)
        return all_unreached or any(each.failed for each in shown)

    def header(self, target: Target, engine: str, seed: int, version: str) -> None:
        """Show what fixes every draw, before the first one."""
        lacks = ", ".join(operation.kind for operation in target.lacks)
        without = f", without {lacks}" if lacks else ""
        self._print(f"threadline {version}: {target.name}{without}, engine {engine}, seed {seed}")
        if self._trouble:
            self._print(f"{self._trouble}: failing traces are printed whole")

    def expect(self, names: Iterable[str]) -> None:
        """Take the names of what will be played, in the order in which it is summed up."""
        self._scenarios = {name: Shown(name) for name in names}

    def hear(self, event: Event, name: str = "") -> None:
        """Take one run event of what has this name, the scenario's own if it has none."""
        if isinstance(event, Replayed):
            self.known.hear(event)
            return
        if isinstance(event, Memory | Reached):
            return
        if isinstance(event, Began):
            self._begin(event, name or event.scenario.rpartition(":")[2].lower())
            return
        shown = self._scenarios[name] if name else [*self._scenarios.values()][-1]
        shown.seconds = time.monotonic() - shown.started_s
        if isinstance(event, Found | Shorter):
            shown.found[event.signature] = event
            shown.traces[event.signature] = event.trace
            shown.failures.setdefault(event.signature, 1)
        else:
            shown.runs, shown.steps = event.runs, event.steps
            if isinstance(event, Ended):
                shown.failures, shown.complete = event.failures, event.complete
                shown.note, shown.known = event.note, event.known
                shown.ended, shown.unused, shown.unmet = True, event.unused, event.unmet
                shown.unreached = event.is_unreached

    def spent(self, name: str, seconds: float) -> None:
        """Take how long something was played, by all workers together."""
        self._scenarios[name].seconds = seconds

    def judge(self, name: str, signature: str, verdict: str, *, is_before: bool) -> None:
        """Take what a failure is to a change; one that was there before it is only counted."""
        shown = self._scenarios[name]
        shown.judged[signature] = verdict
        if is_before and signature in shown.failures:
            shown.before[signature] = shown.failures.pop(signature)

    def summary(self) -> None:
        """Print each failure, then a table of the scenarios, then one sentence."""
        played = [
            each for each in self._scenarios.values() if each.runs or each.ended or each.found
        ]
        for shown in played:
            for bug in bugs(shown.found.values()):
                self._tell(bug, shown)
        self._print("")
        self.console.print(_table(played))
        for shown in played:
            self._remark(shown)
        came = {signature for shown in played for signature in shown.known}
        is_whole = all(shown.ended and shown.steps for shown in self._scenarios.values())
        for line in self.known.lines(came, is_whole=is_whole):
            self._print(line)

    def _tell(self, bug: Bug, shown: Shown) -> None:
        """Print a failure, and the other signatures that it was seen as."""
        self._print(f"\n{bug.leads.text}")
        for other in bug.also:
            where = f", {other.trace}" if other.trace else ""
            self._print(f"  also:    seen as {other.signature}{where}")
        if isinstance(bug.leads, Found):
            self._print("  note:    not minimised: the campaign ended before that")
        for one in (bug.leads, *bug.also):
            if one.signature in shown.judged:
                self._print(f"  since:   {one.signature}: {shown.judged[one.signature]}")
            if self._trouble or not shown.traces[one.signature]:
                self._print(f"  the whole trace, to be kept in a file:\n{one.lines}")

    def _begin(self, event: Began, name: str) -> None:
        if event.sequences:
            self._print(f"{name}: about {count(event.sequences, 'sequence')} to play")
        if name not in self._scenarios:
            self._scenarios[name] = Shown(name)
        self._scenarios[name].sequences = event.sequences

    def _remark(self, shown: Shown) -> None:
        if shown.tried_nothing:
            self._print(f"{shown.name}: {nothing_tried(shown.runs, shown.unused)}")
        for line in shown.unused:
            self._print(f"{shown.name}: never fired: {line}")
        for line in unmet_lines(shown.runs, shown.unmet):
            self._print(f"{shown.name}: {line}")
        if shown.complete and not shown.failures and shown.steps:
            sequences = count(shown.runs, "sequence")
            self._print(f"{shown.name}: all {sequences} were played, and none fails")
        if shown.note:
            self._print(f"{shown.name}: {shown.note}")
        for signature, runs in shown.known.items():
            self._print(f"{shown.name}: {self.known.came(signature, runs)}")
        for signature, runs in shown.before.items():
            self._print(f"{shown.name}: was there before: {signature} ({count(runs, 'run')})")
        for signature, runs in shown.failures.items():
            if runs * 2 > shown.runs > 1:
                self._print(
                    f"{shown.name}: {signature} blocks: it ended {runs:,} of {shown.runs:,} runs, "
                    "so that little behind it was tried; fix it first, or accept it"
                )

    def _print(self, text: str) -> None:
        self.console.print(Text(printable_lines(text)), soft_wrap=True)


def _table(scenarios: Iterable[Shown]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("scenario")
    for heading in ("runs", "steps", "steps/s"):
        table.add_column(heading, justify="right")
    table.add_column("failures")
    for shown in scenarios:
        failures = ", ".join(
            f"{signature} ({count(runs, 'run')}{_doubt(shown.found.get(signature))})"
            for signature, runs in shown.failures.items()
        )
        speed = f"{shown.steps / shown.seconds:,.0f}" if shown.seconds else ""
        numbers = (f"{shown.runs:,}", f"{shown.steps:,}", speed)
        table.add_row(Text(shown.name), *numbers, Text(printable(failures) or "none"))
    return table


def nothing_tried(runs: int, unused: Sequence[str]) -> str:
    """Return the words for so many runs without a step; `unused` has the rules that never fired."""
    text = f"nothing was tried, which is no success: 0 steps in {count(runs, 'run')}"
    return text if unused or not runs else f"{text}; {UNJUDGED}"


def _doubt(found: Found | Shorter | None) -> str:
    """Return why a failure cannot represent its signature, if it cannot."""
    return f", {found.doubt}" if isinstance(found, Shorter) and found.doubt else ""
