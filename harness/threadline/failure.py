"""A failure: where model and system disagree, the property that it breaks, and its signature."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from .difference import Way, outcome_difference, pruned, way_text
from .handle import Handle
from .history import Step, count, folded, history_lines, labelled, operation_text
from .lifecycle import HUNT, Lifecycle
from .operation import Operation
from .outcome import CHANGED, Crashed, Ok, Refused
from .printable import printable
from .shown import shown

ROOM = 69  # columns beside a label, up to which two values are shown whole


class Property(StrEnum):
    """What is asserted, always, of every system that keeps conversations."""

    CONTINUITY = "continuity"
    ISOLATION = "isolation"
    KEYS = "keys"
    MEMORY = "memory"
    LIVENESS = "liveness"


class Signature(NamedTuple):
    """What makes two failures the same: the property broken, the kind of operation, and where.

    `where` is the field in which two outcomes differ, the part of a census, the invariant or the
    type of the error; "" for a plain value, and for a leak, whose path is its kind.
    """

    property: Property
    kind: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.property}-{self.kind}{f'.{self.where}' if self.where else ''}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What the model expected and what the system did; ids of the system appear as handles.

    `of` is what was compared: "outcome", "census NAME" or "invariant NAME".
    """

    of: str
    expected: object
    actual: object


@dataclass(frozen=True, slots=True)
class Failure:
    """One run that went wrong at its last step, under these settings and this policy."""

    signature: Signature
    disagreement: Disagreement
    steps: tuple[Step, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    policy: Mapping[str, object] = field(default_factory=dict)

    @property
    def step(self) -> Step:
        return self.steps[-1]

    @property
    def operations(self) -> tuple[tuple[int, Operation], ...]:
        """The operations that a trace of it has, under their numbers."""
        return tuple(
            (step.number, step.operation)
            for step in self.steps
            if not isinstance(step.operation, Lifecycle)
        )

    @property
    def is_after_run(self) -> bool:
        """Return whether it was found by a check after the run's last step."""
        return self.step.operation is HUNT

    def chain(self) -> list[tuple[str, str]]:
        """Return who holds what leaks, from the root down: names and types. Only a leak has one."""
        return []

    def lines(self, *, full: bool = False) -> list[str]:
        """Return the failure as a reader sees it: property, operation, both sides, history.

        Of a long value, only what differs and the way to it; with `full`, all of it.
        """
        operation = str(self.step.operation) if full else operation_text(self.step.operation)
        head = f"{self.signature.property}: {operation} diverges at step {self.step.number}"
        return [
            *folded("", head, 2),
            *self._compared(full=full),
            *self._changed(),
            *self.under(),
            f"  history, {count(len(self.steps), 'step')}:",
            *history_lines(self.steps, full=full),
        ]

    def under(self) -> list[str]:
        """Return the lines that tell the settings and the policy of the run, where it has any."""
        lines = []
        for label, values in (("setting:", self.settings), ("policy:", self.policy)):
            text = ", ".join(f"{name}={shown(value)}" for name, value in values.items())
            lines += labelled(label, text) if text else []
        return lines

    def sides(self) -> list[str]:
        """Return the lines that show the model beside the system."""
        return self._compared(full=False)

    def _compared(self, *, full: bool) -> list[str]:
        of, expected = self.disagreement.of, self.disagreement.expected
        actual = self.disagreement.actual
        if of == "outcome":
            return self._compared_outcomes(full=full)
        if of.startswith("census"):
            part = of.removeprefix("census").strip()
            if isinstance(actual, Crashed):
                return [
                    *labelled("model:", f"holds {shown(expected)}"),
                    *labelled("system:", str(actual)),
                ]
            wanted, shows = sides(expected, actual, full=full)
            return [
                *labelled("model:", f"holds {part} {shown(wanted)}"),
                *labelled("system:", f"holds {part} {shown(shows)}"),
            ]
        first, *rest = str(actual).splitlines() or [""]
        lines = labelled("broken:", f"{of.partition(' ')[2]}: {first}")
        return [*lines, *(f"           {line}" for line in rest)]

    def _compared_outcomes(self, *, full: bool) -> list[str]:
        expected: Any = self.disagreement.expected
        actual: Any = self.disagreement.actual
        way = outcome_difference(expected, actual) or ()
        wanted, shows = compared_outcomes(expected, actual, full=full)
        lines = [*labelled("model:", str(wanted)), *labelled("system:", str(shows))]
        is_cut = (wanted, shows) != (expected, actual)
        if is_cut or any(isinstance(step, str) for step in way):
            lines += labelled("differs:", way_text(way) or "as shown")
        return [*lines, *self._why(way)]

    def _changed(self) -> list[str]:
        """Return why something is there that no operation has brought, if it is that."""
        if CHANGED not in str(self.disagreement.actual):
            return []
        return labelled("why:", "a value that was returned before is changed: return a copy of it")

    def _why(self, way: Way) -> list[str]:
        """Return why an id that the system has returned before is wrong here, if it is one."""
        wanted = _at(self.disagreement.expected, way)
        shows = _at(self.disagreement.actual, way)
        if type(wanted) is not Handle or type(shows) is not Handle:
            return []
        if wanted.step != self.step.number:
            return []
        return labelled("why:", f"{wanted} is new here, and the system returned {shows} again")


def compared_outcomes(expected: Any, actual: Any, *, full: bool = False) -> tuple[Any, Any]:
    """Return two outcomes as they are shown: long values with only what differs, unless `full`."""
    wanted, shows = expected, actual
    if isinstance(expected, (Ok, Refused)) and type(expected) is type(actual):
        told = sides(expected.told, actual.told, full=full)
        wanted, shows = replace(expected, told=told[0]), replace(actual, told=told[1])
    if isinstance(expected, Ok) and isinstance(actual, Ok):
        value = sides(expected.value, actual.value, full=full)
        wanted, shows = replace(wanted, value=value[0]), replace(shows, value=value[1])
    return wanted, shows


def sides(expected: Any, actual: Any, *, full: bool = False) -> tuple[Any, Any]:
    """Return two values as they are shown: whole if both fit on a line, else only what differs."""
    if full or max(len(shown(expected)), len(shown(actual))) <= ROOM:
        return expected, actual
    return pruned(expected, actual)


def _at(outcome: object, way: Way) -> object:
    """Return what a way leads to in the value of an outcome, or None."""
    found: Any = outcome.value if isinstance(outcome, Ok) else None
    for step in way:
        try:
            found = found[step]
        except (LookupError, TypeError):
            return None
    return found


class Divergence(AssertionError):
    """Model and system disagree. Raised as a subclass made for its signature."""

    def __init__(self, failure: Failure, text: str = "") -> None:
        super().__init__(text or f"{failure.signature} at step {failure.step}")
        self.failure = failure


@cache
def divergence_type(signature: Signature) -> type[Divergence]:
    """Return the subclass for a signature: Hypothesis tells failures apart by their type."""
    words = re.split(r"\W|_", f"{signature.property}_{signature.kind}_{signature.where}")
    return type("".join(word.title() for word in words), (Divergence,), {"__module__": __name__})


def failure_text(
    failure: Failure,
    trace: str = "",
    notes: Sequence[str] = (),
    log: Sequence[str] = (),
    *,
    driver: str = "",
    full: bool = False,
) -> str:
    """Return the failure in this order: property, operation, expected and because, actual, settings
    and policy, history with an arrow, what the system logged, trace file, the command that replays
    it (on `driver`, where the trace alone does not lead to it). With `full`, no value is cut. Each
    line is printable, whatever the system said.
    """
    lines = [*failure.lines(full=full), *_folded("note:", notes)]
    lines += _folded("log:", log)
    if trace:
        lines += [f"  trace:   {trace}", f"  replay:  {replay_command(trace, driver)}"]
    return "\n".join(map(printable, lines))


def _folded(label: str, texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in labelled(label, text)]


def replay_command(trace: str, driver: str = "") -> str:
    """Return the command that replays a trace, to be typed where this process was started."""
    words = ["threadline", "replay", trace, *(["--driver", driver] if driver else [])]
    under_uv = "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
    return f"{under_uv}{shlex.join(words)}"
