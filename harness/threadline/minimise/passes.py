"""The changes of a trace that the passes try: each differs from it in one thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeAlias

from ..handle import Handle
from ..operation import Operation, handles_in
from ..pool import Pool
from ..pool import pool as pool_of
from ..rule import Rule, with_pools
from ..scenario import Scenario
from ..timing import CALM, DURING, WITH, Late, Timing
from ..trace import Numbered

POINTS = 4  # I/Os of an operation at which a delay is tried; our choice
Operations: TypeAlias = tuple[Numbered, ...]
Choices: TypeAlias = Sequence[Mapping[str, Sequence[object]]]
"""For each operation, and each of its arguments by name: the values it could have there."""


def shorter(best: Operations, kept: Sequence[int] = ()) -> Iterator[Operations]:
    """Yield the operations without each one of them, but for those at the places to be kept."""
    return (best[:gone] + best[gone + 1 :] for gone in range(len(best)) if gone not in kept)


def without_blocks(best: Operations) -> Iterator[Operations]:
    """Yield the operations without each block of neighbours, the longest first; the last stays."""
    for size in range(len(best) - 1, 0, -1):
        for start in range(len(best) - size):
            yield best[:start] + best[start + size :]


def calm(best: Operations) -> Operations:
    """Return the operations without their timings."""
    return tuple((number, operation.timed(CALM)) for number, operation in best)


def in_order(best: Operations) -> Operations:
    """Return the operations with tasks in asyncio's order, and their timings otherwise."""
    return tuple(
        (number, operation.timed(replace(operation.timing, resumes=())))
        for number, operation in best
    )


def calmer(best: Operations) -> Iterator[Operations]:
    """Yield the operations with all timings left out, then with one of them simpler."""
    if any(operation.timing.entries for _, operation in best):
        yield calm(best)
    for place, (number, operation) in enumerate(best):
        for timing in operation.timing.simpler():
            yield (*best[:place], (number, operation.timed(timing)), *best[place + 1 :])


def sooner(best: Operations) -> Operations:
    """Return the operations late by a tick less, in all that is later than by one."""
    return tuple(
        (
            number,
            operation.timed(
                replace(
                    operation.timing,
                    delays=_sooner(operation.timing.delays),
                    resumes=_sooner(operation.timing.resumes),
                )
            ),
        )
        for number, operation in best
    )


def _sooner(late: Late) -> Late:
    return tuple((number, ticks - (ticks > 1) + (ticks < -1)) for number, ticks in late)


def without_ticks(best: Operations) -> Iterator[Operations]:
    """Yield the operations without each one of them, which was a tick for those before it."""
    for gone in range(len(best)):
        yield (*sooner(best[:gone]), *best[gone + 1 :])


def entries(best: Operations) -> int:
    """Return how much all timings say together."""
    return sum(operation.timing.entries for _, operation in best)


def anew(best: Operations) -> Iterator[Operations]:
    """Yield the operations with timings that say little, whatever they say now.

    One or two things of one operation, or of two together up to four.
    """
    begins, cancels = (DURING, WITH), (1, 2, 3, -1, -2)
    words = [
        *(Timing(begin) for begin in begins),
        *(Timing(delays=((point, late),)) for late in (2, -2, 6) for point in range(1, POINTS + 1)),
        *(Timing(cancelled_at=at) for at in cancels),
        *(Timing(begin, (), at) for begin in begins for at in cancels),
    ]
    none = calm(best)
    singles = [(place, word) for place in range(len(best)) for word in words]
    for place, word in singles:
        yield _timed(none, ((place, word),))
    pairs = [pair for pair in combinations(singles, 2) if pair[0][0] != pair[1][0]]
    for pair in sorted(pairs, key=lambda each: sum(word.entries for _, word in each)):
        yield _timed(none, pair)


def _timed(best: Operations, timings: Sequence[tuple[int, Timing]]) -> Operations:
    found = list(best)
    for place, timing in timings:
        found[place] = (best[place][0], best[place][1].timed(timing))
    return tuple(found)


def switched_once(best: Operations, points: Mapping[int, int]) -> Iterator[Operations]:
    """Yield the operations, and those without one of them, timed anew in the simplest way there is.

    One operation waits at one of its points, of which `points` has the number, until those behind
    it have begun. Of races that is the usual form, and from others no small change leads to it.
    """
    for rest in (*shorter(best), best):
        for place, (number, operation) in enumerate(rest[:-1]):
            behind = len(rest) - 1 - place
            if len(rest) == len(best) and behind + 1 >= entries(best):
                continue
            begins = tuple((n, each.timed(Timing(DURING))) for n, each in rest[place + 1 :])
            for point in range(1, points.get(number, 0) + 1):
                waits = operation.timed(Timing(delays=((point, behind + 1),)))
                yield (*calm(rest[:place]), (number, waits), *begins)


def with_operation(best: Operations, place: int, other: Operation) -> Operations:
    number, replaced = best[place]
    return (*best[:place], (number, other.timed(replaced.timing)), *best[place + 1 :])


def bindings(operation: Operation) -> int:
    """Return how many handles an operation names."""
    return len(list(handles_in(operation.arguments())))


def same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def before(value: object, values: Sequence[object]) -> list[object]:
    """Return what is simpler than a value: what comes before it; all, if it is not among them."""
    for place, other in enumerate(values):
        if same(value, other):
            return list(values[:place])
    return list(values)


def others(value: object, values: Sequence[object]) -> list[object]:
    return [other for other in values if not same(value, other)]


def changed_arguments(was: Operation, now: Operation) -> list[tuple[str, object, object]]:
    """Return the name, the old and the new value of each argument that is not as it was."""
    before = was.arguments()
    return [
        (name, before.get(name), value)
        for name, value in now.arguments().items()
        if name not in before or not same(before[name], value)
    ]


def holds(could_be: Mapping[str, Sequence[object]], name: str, value: object) -> bool:
    """Return whether an argument could be drawn with this value: whole, or item by item."""
    if any(same(value, one) for one in could_be.get(name, ())):
        return True
    if type(value) is not tuple or f"{name}.0" not in could_be:
        return False
    items = (could_be.get(f"{name}.{place}", ()) for place in range(len(value)))
    return all(any(map(same, [item] * len(of), of)) for item, of in zip(value, items, strict=True))


def with_argument(best: Operations, place: int, name: str, value: object) -> Operations:
    operation = best[place][1]
    return with_operation(best, place, type(operation)(**{**operation.arguments(), name: value}))


def with_value(best: Operations, old: object, new: object) -> Operations:
    def change(atom: object) -> object:
        return new if same(atom, old) else atom

    return tuple((number, operation.mapped(change)) for number, operation in best)


def places(best: Operations, choices: Choices) -> list[tuple[object, list[object]]]:
    """Return each value that stands in two places or more, with what it could be in the first."""
    places: list[tuple[object, list[object], int]] = []
    for place, (_, operation) in enumerate(best):
        for name, value in operation.arguments().items():
            for index, (known, values, count) in enumerate(places):
                if same(known, value):
                    places[index] = (known, values, count + 1)
                    break
            else:
                places.append((value, list(choices[place][name]), 1))
    return [(value, values) for value, values, count in places if count > 1]


def renumber(atom: object, numbers: Mapping[int, int]) -> object:
    if type(atom) is Handle and atom.step in numbers:
        return Handle(atom.kind, numbers[atom.step])
    return atom


def narrowed(scenario: type[Scenario[Any]], operations: Iterable[Operation]) -> type[Scenario[Any]]:
    """Return the scenario with only those constant values that occur in these operations.

    A pool of which none occurs keeps its simplest value; one that changes with the run is left.
    """
    atoms = [atom for operation in operations for atom in operation.arguments().values()]
    return scenario.changed(lambda rule: with_pools(rule, lambda pool: _narrowed(pool, atoms)))


def nearly(
    scenario: type[Scenario[Any]],
    operations: Sequence[Operation],
    lacks: tuple[type[Operation], ...],
) -> list[Rule]:
    """Return the rules of a narrowed scenario, and those of the kinds that occur with any value
    for one argument at a time.
    """
    kinds = {type(operation) for operation in operations}
    close = narrowed(scenario, operations).rules(lacks)
    wide = {rule.name: rule.pools for rule in scenario.rules(lacks)}
    return close + [
        replace(rule, pools=(*rule.pools[:n], wide[rule.name][n], *rule.pools[n + 1 :]))
        for rule in close
        if rule.operation in kinds
        for n in range(len(rule.pools))
    ]


def _narrowed(values: Pool[Any], atoms: Sequence[object]) -> Pool[Any]:
    if values.constant is None:
        return values
    kinds = [(type(atom), atom) for atom in atoms]
    kept = [value for value in values.constant if (type(value), value) in kinds]
    return replace(
        pool_of(*(kept or values.constant[:1]), symmetric=values.symmetric),
        identities=values.identities,
    )
