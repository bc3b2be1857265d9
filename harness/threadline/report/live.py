"""The live display of a campaign: lines that change in a terminal; elsewhere one in 30 s."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.text import Text

from ..campaign.entry import Entry
from ..campaign.events import Event, Found
from ..history import count
from ..printable import printable

PLAIN_S = 30.0
REFRESH_S = 0.25


class Live:
    """Shows how far a campaign is: time left, runs, steps, new states, failures, and each worker.

    `ends_at_s` is on the monotonic clock, None where runs end it.
    """

    def __init__(
        self, console: Console, entries: Sequence[Entry], ends_at_s: float | None = None
    ) -> None:
        self._console = console
        self._entries = entries
        self._ends_at_s = ends_at_s
        self._began_s = time.monotonic()
        self._due_s = 0.0 if console.is_terminal else self._began_s + PLAIN_S
        self._screen = Screen(console=console, auto_refresh=False, transient=True)

    def shown(self) -> AbstractContextManager[object]:
        """Show it while the block lasts."""
        return self._screen if self._console.is_terminal else nullcontext()

    def tick(self) -> None:
        """Show the present state, if that is due."""
        if time.monotonic() < self._due_s:
            return
        if self._console.is_terminal:
            self._due_s = time.monotonic() + REFRESH_S
            self._screen.update(Group(*map(Text, (self._total(), *self._workers()))), refresh=True)
        else:
            self._due_s += PLAIN_S
            self._console.print(Text(self._total()), soft_wrap=True)

    def tell(self, entry: Entry, event: Event) -> None:
        """Print a failure in one line as soon as it is found; all of it comes at the end."""
        if not isinstance(event, Found) or event.instead:
            return
        after = clock_text(time.monotonic() - self._began_s)
        kept = f", trace: {event.trace}" if event.trace else ""
        text = f"{after}: {entry.name} fails: {event.signature}{kept}"
        self._console.print(Text(printable(text)), soft_wrap=True)

    def _total(self) -> str:
        entries = self._entries
        now_s = time.monotonic()
        steps = sum(entry.steps for entry in entries)
        states = sum(part.new_states for entry in entries for part in entry.slices)
        parts = [
            f"{clock_text(now_s - self._began_s)} gone"
            if self._ends_at_s is None
            else f"{clock_text(self._ends_at_s - now_s)} left",
            count(sum(entry.runs for entry in entries), "run"),
            f"{steps / max(now_s - self._began_s, 0.1):,.0f} steps/s",
            *([count(states, "new state")] if states else []),
            count(sum(len(entry.failures) for entry in entries), "failure"),
        ]
        return ", ".join(parts)

    def _workers(self) -> list[str]:
        lines = []
        for entry in self._entries:
            for part in entry.running:
                held = f", {part.held_mib:,.0f} MiB" if part.held_mib else ""
                lines.append(f"  {printable(entry.name)}: {count(part.runs, 'run')}{held}")
        return lines


def clock_text(seconds: float) -> str:
    """Return a length of time in whole seconds, as in "2 m 05 s"."""
    whole = max(0, round(seconds))
    return f"{whole // 60} m {whole % 60:02} s" if whole >= 60 else f"{whole} s"
