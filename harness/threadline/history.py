"""A history: every step of one run, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .operation import Operation
from .outcome import Outcome, Refused


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


def history_lines(steps: Sequence[Step], *, arrow: bool = True) -> list[str]:
    """Return a line a step, with an arrow at the last; what matters is what the system did."""
    width = len(str(steps[-1].number)) if steps else 1
    return [
        f"  {'->' if arrow and step is steps[-1] else '  '}  {step.number:>{width}}  "
        f"{step.operation}  {_brief(step)}"
        for step in steps
    ]


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
