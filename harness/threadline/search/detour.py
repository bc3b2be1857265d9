"""A detour: how runs go round a failure that is known, so that it does not end them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from ..handle import Handle
from ..operation import Operation
from ..trace import Numbered

MATCHES_MAX = 200  # beginnings of the trace that are watched in one run; our choice
TRUST = 4  # the power by which what has served better is taken more often; our choice


class Ingredient(NamedTuple):
    """One operation of the trace, to be left out once those before it have come.

    Either with the values that the trace has, or with any.
    """

    place: int
    is_exact: bool


class Match(NamedTuple):
    """A beginning of the trace that a run has played, and what stands for what in it."""

    length: int
    steps: Mapping[int, int]
    values: Mapping[tuple[str, object], object]


@dataclass(slots=True)
class Served:
    """How many runs left out an ingredient, and how many of their steps were of use."""

    runs: int = 0
    steps: int = 0


@dataclass(slots=True)
class Detour:
    """Goes round one minimised trace: each run leaves out one ingredient of it, another each time.

    What the trace needs beside that is still tried, and so is everything else. Which ingredients
    serve is learnt: one without which runs end all the same, or can do little, is taken seldom.
    Another conversation, another user or another text is the same trace to it, unless the
    ingredient is exact; operations between those of the trace make no difference.
    """

    signature: str
    operations: Sequence[Numbered]
    steps_max: int
    served: dict[Ingredient, Served] = field(default_factory=dict)
    _left_out: Ingredient = field(default=Ingredient(0, is_exact=False))
    _matches: list[Match] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, (_, operation) in enumerate(self.operations):
            self.served[Ingredient(place, is_exact=False)] = Served()
            if any(_is_plain(value) for value in operation.arguments().values()):
                self.served[Ingredient(place, is_exact=True)] = Served()

    def begin(self, random: Random) -> None:
        """Choose what the next run leaves out."""
        weights = [self._worth(served) ** TRUST for served in self.served.values()]
        (self._left_out,) = random.choices(list(self.served), weights)
        self._matches = [Match(0, {}, {})]

    def allows(self, operation: Operation) -> bool:
        """Return whether an operation may come now: it is not the one that is left out."""
        place = self._left_out.place
        return not any(
            match.length == place and self._extended(match, 0, operation) is not None
            for match in self._matches
        )

    def played(self, number: int, operation: Operation) -> None:
        """Note a step of the run."""
        for match in list(self._matches):
            if match.length < self._left_out.place and len(self._matches) < MATCHES_MAX:
                longer = self._extended(match, number, operation)
                if longer is not None and longer not in self._matches:
                    self._matches.append(longer)

    def end(self, steps: int) -> None:
        """Learn from a run: how many of its steps were of use, none if this failure ended it."""
        served = self.served[self._left_out]
        served.runs += 1
        served.steps += steps

    def _worth(self, served: Served) -> float:
        """Return the steps of use that a run had, as if it had one more whose steps all were."""
        return (served.steps + self.steps_max) / (served.runs + 1)

    def _extended(self, match: Match, number: int, operation: Operation) -> Match | None:
        """Return a match with one operation more, or None where it is not the trace's next."""
        at, wanted = self.operations[match.length]
        if type(operation) is not type(wanted):
            return None
        steps, values = dict(match.steps), dict(match.values)
        given = operation.arguments()
        for name, value in wanted.arguments().items():
            if not _fits(name, value, given[name], steps, values, self._left_out.is_exact):
                return None
        return Match(match.length + 1, {**steps, at: number}, values)


def _fits(
    name: str,
    wanted: object,
    given: object,
    steps: Mapping[int, int],
    values: dict[tuple[str, object], object],
    is_exact: bool,
) -> bool:
    """Return whether an argument is that of the trace, up to what stands for what."""
    if type(wanted) is Handle:
        return type(given) is Handle and steps.get(wanted.step, given.step) == given.step
    if isinstance(wanted, tuple):
        return (
            isinstance(given, tuple)
            and len(wanted) == len(given)
            and all(
                _fits(name, one, other, steps, values, is_exact)
                for one, other in zip(wanted, given, strict=True)
            )
        )
    if is_exact:
        return type(wanted) is type(given) and wanted == given
    return values.setdefault((name, wanted), given) == given


def _is_plain(value: object) -> bool:
    """Return whether an argument has a value that another could stand for."""
    if isinstance(value, tuple) and type(value) is not Handle:
        return any(map(_is_plain, value))
    return type(value) is not Handle and value is not None
