"""A history: every step of one run, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from .operation import Operation
from .outcome import Outcome


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


def lines(steps: Iterable[Step]) -> list[str]:
    """Return each step as one stable line: no address, no real id."""
    return [f"{step.number} {step.operation}  {step.actual}" for step in steps]


def digest(steps: Iterable[Step]) -> str:
    """Return 64 hex digits that are the same for equal histories, on any machine."""
    text = "\n".join(lines(steps)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()
