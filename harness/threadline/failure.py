"""A failure: where model and system part, which property that breaks, and its signature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from .history import Step


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
