"""Minimise a failing trace, to a fixpoint: no single operation, user or value can be removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .failure import Divergence, Failure, Signature
from .handle import Handle
from .operation import Operation
from .pool import Now
from .rule import Rule
from .run import Runs, replay
from .trace import Header, Numbered, Trace, numbered_line

REPLAYS_MAX = 20_000  # a bound, 20 times what any of our mutants has needed
PAIRS_MAX = 8  # operations, up to which every change is also tried together with every deletion
Again: TypeAlias = Callable[[Runs, Header, Iterable[Numbered]], Failure | None]
Operations: TypeAlias = tuple[Numbered, ...]
Choices: TypeAlias = Sequence[Mapping[str, Sequence[object]]]
"""For each operation, and each of its arguments by name: the values it could have there."""


@dataclass(frozen=True, slots=True)
class Minimised:
    """The smallest trace found, how it fails (None: not again), and the replays that it took."""

    trace: Trace
    failure: Failure | None
    replays: int


def minimise(
    trace: Trace,
    signature: Signature,
    runs: Runs,
    rules: Sequence[Rule],
    again: Again = replay,
) -> Minimised:
    """Return the trace made as small as these passes can, failing with the same signature.

    Deletes blocks of operations (ddmin; Zeller and Hildebrandt 2002, IEEE TSE 28(2)), takes
    simpler arguments and earlier handles from the pools of `rules`, renames a value everywhere,
    and tries each change with each deletion where at most PAIRS_MAX operations are left; again,
    until nothing helps. Every trace is replayed at most once, by `again`.
    """
    search = _Search(trace.header, signature, runs, rules, again)
    best = search.attempt(trace.operations)
    if best is None:
        return Minimised(trace, None, search.replays)
    while True:
        smaller = search.smaller(best)
        if smaller is best:
            break
        best = smaller
    return Minimised(Trace(trace.header, best), search.failures[_text(best)], search.replays)


@dataclass(slots=True)
class _Search:
    """What has been tried, and the passes over what is best so far."""

    header: Header
    signature: Signature
    runs: Runs
    rules: Sequence[Rule]
    again: Again
    replays: int = 0
    failures: dict[bytes, Failure] = field(default_factory=dict)
    tried: set[bytes] = field(default_factory=set)

    def attempt(self, operations: Operations) -> Operations | None:
        """Return the operations that ran, if they fail alike and were not tried before."""
        text = _text(operations)
        if text in self.tried or self.replays >= REPLAYS_MAX:
            return None
        self.tried.add(text)
        self.replays += 1
        failure = self.again(self.runs, self.header, operations)
        if failure is None or failure.signature != self.signature:
            return None
        ran = tuple((step.number, step.operation) for step in failure.steps)
        self.failures[_text(ran)] = failure
        return ran

    def smaller(self, best: Operations) -> Operations:
        """Return the trace after one round of all passes."""
        best = self._without_blocks(best)
        best = self._first_of(best, self._renumbered)
        best = self._first_of(best, self._simplified)
        best = self._first_of(best, self._renamed)
        if len(best) <= PAIRS_MAX:
            best = self._first_of(best, self._changed_and_shorter)
        return best

    def _without_blocks(self, best: Operations) -> Operations:
        size = max(1, len(best) // 2)
        while size:
            start = len(best) - size
            while start >= 0:
                ran = self.attempt(best[:start] + best[start + size :])
                if ran is not None:
                    best = ran
                start = min(start, len(best)) - size
            size //= 2
        return best

    def _first_of(
        self, best: Operations, candidates: Callable[[Operations], Iterator[Operations]]
    ) -> Operations:
        """Take the first candidate that fails alike, and start over from it, until none does."""
        while True:
            ran = next(filter(None, map(self.attempt, candidates(best))), None)
            if ran is None:
                return best
            best = ran

    def _renumbered(self, best: Operations) -> Iterator[Operations]:
        numbers = {old: new for new, (old, _) in enumerate(best, 1)}
        if any(old != new for old, new in numbers.items()):
            yield tuple(
                (numbers[old], operation.mapped(lambda atom: _renumber(atom, numbers)))
                for old, operation in best
            )

    def _simplified(self, best: Operations) -> Iterator[Operations]:
        choices = self._choices(best)
        for place, (_, operation) in enumerate(best):
            for name, values in choices[place].items():
                for value in _before(operation.arguments()[name], values):
                    yield _with_argument(best, place, name, value)

    def _renamed(self, best: Operations) -> Iterator[Operations]:
        for old, values in _places(best, self._choices(best)):
            for value in _before(old, values):
                yield _with_value(best, old, value)

    def _changed_and_shorter(self, best: Operations) -> Iterator[Operations]:
        choices = self._choices(best)
        for gone in range(len(best)):
            rest = best[:gone] + best[gone + 1 :]
            kept = [*choices[:gone], *choices[gone + 1 :]]
            for place, (_, operation) in enumerate(rest):
                for name, values in kept[place].items():
                    for value in _others(operation.arguments()[name], values):
                        yield _with_argument(rest, place, name, value)
            for old, values in _places(rest, kept):
                for value in _others(old, values):
                    yield _with_value(rest, old, value)

    def _choices(self, best: Operations) -> Choices:
        """Return what the rules could have drawn at each step, the run being as it is.

        Nothing after a step that parts here, though it did not when the whole was replayed.
        """
        found: list[Mapping[str, Sequence[object]]] = []
        with self.runs.open(self.header.line(), self.header.settings) as lockstep:
            now = Now(lockstep.model)
            for number, operation in best:
                now.step = number
                found.append(_values_at(now, operation, self.rules))
                if len(found) < len(best):
                    try:
                        lockstep.step(number, operation)
                    except Divergence:
                        break
        unknown = [dict.fromkeys(operation.names, ()) for _, operation in best[len(found) :]]
        return [*found, *unknown]


def _text(operations: Operations) -> bytes:
    """Return the operations as a trace tells them: 1 and True, which Python calls equal, differ."""
    return b"".join(numbered_line(*item) for item in operations)


def _values_at(now: Now, operation: Operation, rules: Sequence[Rule]) -> dict[str, list[object]]:
    """Return, for each argument of an operation, what the rules that make it could give now."""
    values: dict[str, list[object]] = {name: [] for name in operation.names}
    for rule in rules:
        if type(operation) in rule.makes():
            for name, pool in rule.pools:
                if name in values:
                    values[name] += pool.values(now)
    return values


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _before(value: object, values: Sequence[object]) -> list[object]:
    """Return what is simpler than a value: what comes before it; all, if it is not among them."""
    for place, other in enumerate(values):
        if _same(value, other):
            return list(values[:place])
    return list(values)


def _others(value: object, values: Sequence[object]) -> list[object]:
    return [other for other in values if not _same(value, other)]


def _with_argument(best: Operations, place: int, name: str, value: object) -> Operations:
    number, operation = best[place]
    arguments = {**operation.arguments(), name: value}
    return (*best[:place], (number, type(operation)(**arguments)), *best[place + 1 :])


def _with_value(best: Operations, old: object, new: object) -> Operations:
    def change(atom: object) -> object:
        return new if _same(atom, old) else atom

    return tuple((number, operation.mapped(change)) for number, operation in best)


def _places(best: Operations, choices: Choices) -> list[tuple[object, list[object]]]:
    """Return each value that stands in two places or more, with what it could be in the first."""
    places: list[tuple[object, list[object], int]] = []
    for place, (_, operation) in enumerate(best):
        for name, value in operation.arguments().items():
            for index, (known, values, count) in enumerate(places):
                if _same(known, value):
                    places[index] = (known, values, count + 1)
                    break
            else:
                places.append((value, list(choices[place][name]), 1))
    return [(value, values) for value, values, count in places if count > 1]


def _renumber(atom: object, numbers: Mapping[int, int]) -> object:
    if type(atom) is Handle and atom.step in numbers:
        return Handle(atom.kind, numbers[atom.step])
    return atom
