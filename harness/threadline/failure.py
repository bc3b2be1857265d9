"""A failure: where model and system part, which property that breaks, and its signature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from .history import Step, count, history_lines
from .lifecycle import HUNT, Lifecycle
from .operation import Operation
from .outcome import Crashed


class Property(StrEnum):
    """What is asserted, always, of every system that keeps conversations."""

    CONTINUITY = "continuity"
    ISOLATION = "isolation"
    KEYS = "keys"
    MEMORY = "memory"
    LIVENESS = "liveness"


class Signature(NamedTuple):
    """What makes two failures the same: the property broken, and the kind of operation."""

    property: Property
    kind: str

    def __str__(self) -> str:
        return f"{self.property}-{self.kind}"


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
    """One run that went wrong at its last step."""

    signature: Signature
    disagreement: Disagreement
    steps: tuple[Step, ...]

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
        """Return whether it showed itself by what was looked for after the run's last step."""
        return self.step.operation is HUNT

    def lines(self) -> list[str]:
        """Return the failure as a reader sees it: property, operation, both sides, history."""
        return [
            f"{self.signature.property}: {self.step.operation} diverges at step {self.step.number}",
            *self._compared(),
            f"  history, {count(len(self.steps), 'step')}:",
            *history_lines(self.steps),
        ]

    def _compared(self) -> list[str]:
        of, expected = self.disagreement.of, self.disagreement.expected
        actual = self.disagreement.actual
        if of == "outcome":
            return [f"  model:   {expected}", f"  system:  {actual}"]
        if of.startswith("census"):
            part = of.removeprefix("census").strip()
            held = str(actual) if isinstance(actual, Crashed) else f"holds {part} {actual!r}"
            return [f"  model:   holds {part} {expected!r}", f"  system:  {held}"]
        first, *rest = str(actual).splitlines() or [""]
        broken = f"  broken:  {of.partition(' ')[2]}: {first}"
        return [broken, *(f"           {line}" for line in rest)]


class Divergence(AssertionError):
    """Model and system part. Raised as a subclass of its signature's own."""

    def __init__(self, failure: Failure, text: str = "") -> None:
        super().__init__(text or f"{failure.signature} at step {failure.step}")
        self.failure = failure


@cache
def divergence_type(signature: Signature) -> type[Divergence]:
    """Return the subclass for a signature: Hypothesis tells failures apart by their type."""
    words = f"{signature.property}_{signature.kind}".split("_")
    return type("".join(word.title() for word in words), (Divergence,), {"__module__": __name__})
