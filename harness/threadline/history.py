"""A history: every step of one run, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import NamedTuple

from .difference import trimmed
from .operation import Operation
from .outcome import Outcome, Refused
from .printable import printable
from .shown import shown

WIDTH = 80  # columns of a terminal that is not wider
LABEL = 11  # columns that a label takes, as in "  model:   "
ROOM_LEAST = 24  # columns that a long outcome has beside its operation at least


class Step(NamedTuple):
    """One operation, with what was expected and what happened.

    The ids in `actual` are handles; where the two agree, `actual` is `expected`.
    """

    number: int
    operation: Operation
    expected: Outcome
    actual: Outcome

    def __str__(self) -> str:
        return f"{self.number} {self.operation}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: 1 step, 2,000 steps."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def folded(start: str, text: str, indent: int) -> list[str]:
    """Return a text in lines of at most WIDTH columns, the first after `start`, the rest indented.

    Words are not broken: one that is too long has a line of its own.
    """
    return wrap(
        printable(text),  # before it is folded: a line's end in it is no place to fold
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * indent,
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start.rstrip()]


def labelled(label: str, text: str) -> list[str]:
    """Return a text after its label, as in "  model:   ok", folded under itself."""
    return folded(f"  {label:<{LABEL - 2}}", text, LABEL)


def operation_text(operation: Operation) -> str:
    """Return an operation as the call that it is, long values cut."""
    given = operation.arguments().items()
    texts = ", ".join(f"{name}={shown(trimmed(value))}" for name, value in given)
    return f"{operation.kind}({texts})"


def history_lines(steps: Sequence[Step], *, arrow: bool = True, full: bool = False) -> list[str]:
    """Return the lines of each step, with an arrow at the last, and what the system did.

    A step has one line, unless its operation is too long for it; with `full`, outcomes are whole.
    """
    width = len(str(steps[-1].number)) if steps else 1
    found = []
    for step in steps:
        mark = "->" if arrow and step is steps[-1] else "  "
        found += step_lines(f"  {mark}  {step.number:>{width}}  ", step, full=full)
    return found


def step_lines(start: str, step: Step, *, full: bool = False) -> list[str]:
    """Return the lines of one step after `start`: its operation and its outcome."""
    operation = str(step.operation) if full else operation_text(step.operation)
    lines = folded(start, operation, len(start))
    return _with_outcome(lines, printable(_brief(step)), len(start), full=full)


def _with_outcome(lines: list[str], outcome: str, indent: int, *, full: bool) -> list[str]:
    """Append an outcome to an operation, cut to one line unless `full`.

    That is the operation's last line, or a line of its own where too little room is left on it.
    """
    *before, last = lines
    if full:
        return [*before, *folded("", f"{last}  {outcome}", indent)]
    room = WIDTH - len(last) - 2
    if room < min(len(outcome), ROOM_LEAST):
        before, last, room = lines, " " * (indent - 2), WIDTH - indent
    return [*before, f"{last}  {_cut(outcome, room)}"]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 4].rstrip()} ..."


def _brief(step: Step) -> str:
    """Return what the system did; reasons are in the lines above, or in the model's own words."""
    outcome = step.actual
    if isinstance(outcome, Refused) and outcome.because:
        return str(replace(outcome, because=""))
    return str(outcome)


def lines(steps: Iterable[Step]) -> list[str]:
    """Return each step as one stable line: no address, no real id."""
    return [f"{step.number} {step.operation}  {step.actual}" for step in steps]


def digest(steps: Iterable[Step]) -> str:
    """Return 64 hex digits that are the same for equal histories, on any machine."""
    text = "\n".join(lines(steps)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()
