"""Bisection: the commit between two others from which on a trace fails, or no longer does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .earlier import Replayed


class Verdict(StrEnum):
    """What a commit is: as the old end, as the new end, or neither."""

    OLD = "old"
    NEW = "new"
    SKIPPED = "skipped"


Judge = Callable[[str], Verdict]


@dataclass(frozen=True, slots=True)
class Found:
    """The commits one of which made the difference, oldest first: one, unless some were skipped."""

    commits: tuple[str, ...]


@dataclass(slots=True)
class Bisection:
    """Halves a line of commits between one that is old and the last, which is new.

    `commits` come after the old one, oldest first. Needs as many verdicts as n can be halved,
    rounded up, and one more for each commit that is skipped.
    """

    commits: Sequence[str]
    judge: Judge
    _skipped: set[int] = field(default_factory=set)

    def found(self) -> Found:
        """Return the first commit that is new, or those that it can be."""
        old, new = -1, len(self.commits) - 1
        while (middle := self._next(old, new)) is not None:
            verdict = self.judge(self.commits[middle])
            if verdict is Verdict.SKIPPED:
                self._skipped.add(middle)
            elif verdict is Verdict.OLD:
                old = middle
            else:
                new = middle
        return Found(tuple(self.commits[old + 1 : new + 1]))

    def _next(self, old: int, new: int) -> int | None:
        """Return the commit nearest to the middle that was not skipped, or None."""
        middle = (old + new) // 2
        untried = [each for each in range(old + 1, new) if each not in self._skipped]
        return min(untried, key=lambda each: (abs(each - middle), each), default=None)


def doubling(length: int) -> Iterator[int]:
    """Yield 1, 2, 4, 8 ... below a length, and its last position."""
    step = 1
    while step < length - 1:
        yield step
        step *= 2
    if length > 1:
        yield length - 1


def verdict_of(came: Replayed, signature: str, *, fixed: bool) -> Verdict:
    """Return what a commit is by what came of the trace there; another failure is no verdict."""
    if came.agrees:
        return Verdict.NEW if fixed else Verdict.OLD
    if came.fails_as(signature):
        return Verdict.OLD if fixed else Verdict.NEW
    return Verdict.SKIPPED
