"""A ledger: what one cycle adds to each place and takes away, step by step."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..history import Step
from .cycles import ALIVE, Cycles
from .leak import members
from .reach import LENGTH, Path

ROWS_MAX = 4  # of siblings; our choice


@dataclass(frozen=True, slots=True)
class Row:
    """What each step of a cycle adds to one place; their sum is what the cycle leaves."""

    path: Path
    deltas: tuple[int, ...]

    @property
    def net(self) -> int:
        return sum(self.deltas)


@dataclass(frozen=True, slots=True)
class Ledger:
    """One cycle, booked. `steps` are its operations, of which the first `drawn` are the run's own.

    born: the places of the steps in which what survives was made, by identity; for what has none
    (an atom, a thread), those that added to its place. siblings: what was added and taken away.
    released: the place of the step that took the siblings away; -1 where there are none.
    """

    steps: tuple[Step, ...]
    drawn: int
    leak: Row
    siblings: tuple[Row, ...]
    born: tuple[int, ...]
    released: int
    survivors: tuple[object, ...]

    def label(self, place: int) -> str:
        """Return what a reader calls a step."""
        step = self.steps[place]
        where = f"step {step.number}" if place < self.drawn else "teardown"
        return f"{step.operation.kind} ({where})"


def book(cycles: Cycles, path: Path, drawn: int, *, holds: bool) -> Ledger:
    """Play one cycle and book it; call it within heap_aside().

    With `holds`, what the cycle makes is kept until it is booked, so that no two objects have one
    identity; but not where living objects are counted. Raises Unlike, as a system can notice that.
    """
    before = _identities(_items(cycles, path))
    last = _counts(cycles)
    deltas: list[dict[str, int]] = []
    made: list[object] = []
    births: dict[int, int] = {}
    holds = holds and not path[0].label.startswith(ALIVE)  # it would count what is held here
    for place in range(len(cycles.steps)):
        cycles.step(place)
        if place == len(cycles.steps) - 1:
            cycles.end()
        now = _counts(cycles)
        deltas.append({key: now.get(key, 0) - last.get(key, 0) for key in {**last, **now}})
        young = (o for o in gc.get_objects() if births.setdefault(id(o), place) == place)
        made.extend(each for each in young if holds)
        last = now
    survivors = [item for item in _items(cycles, path) if id(item) not in before]
    rows = {key: tuple(delta.get(key, 0) for delta in deltas) for key in set().union(*deltas)}
    leak = Row(path, rows.get(str(path), (0,) * len(deltas)))
    adds = tuple(place for place, delta in enumerate(leak.deltas) if delta > 0)
    known = {births[id(item)] for item in survivors if id(item) in births}
    kinds = {type(item).__name__ for item in survivors}
    siblings = _siblings(cycles, rows, known or set(adds), kinds)
    del made
    return Ledger(
        steps=tuple(cycles.steps),
        drawn=drawn,
        leak=leak,
        siblings=siblings,
        born=tuple(sorted(known)) or adds,
        released=_released(siblings),
        survivors=tuple(survivors),
    )


def _counts(cycles: Cycles) -> dict[str, int]:
    return {str(cycles.path(key)): count for key, count in cycles.measure().items()}


def _items(cycles: Cycles, path: Path) -> list[object]:
    """Return what is counted on a path: what containers hold, or the objects themselves."""
    label = path[0].label
    if len(path) == 1:
        return cycles.survivors(label.removeprefix(ALIVE)) if label.startswith(ALIVE) else []
    found = cycles.reach.objects(path)
    if path[-1].label != LENGTH:
        return found
    return [item for holder in found for item in members(holder)]


def _identities(items: Iterable[object]) -> set[int]:
    return {id(item) for item in items}


def _siblings(
    cycles: Cycles, rows: dict[str, tuple[int, ...]], born: set[int], kinds: set[str]
) -> tuple[Row, ...]:
    """Return the containers that took something in where the leak did, and gave it back.

    Those of the same types are the nearest; others are shown where there is none of these.
    """
    paths = {str(path): path for path in map(cycles.path, cycles.measure())}
    found = [
        Row(paths[key], deltas)
        for key, deltas in rows.items()
        if key in paths and paths[key][-1].label == LENGTH and _comes_and_goes(deltas, born)
    ]
    alike = [r for r in found if any(f"{r.path.holder} / [*] -> {kind}" in rows for kind in kinds)]
    return tuple(sorted(alike or found, key=_by_length)[:ROWS_MAX])


def _comes_and_goes(deltas: Sequence[int], born: set[int]) -> bool:
    return sum(deltas) == 0 and any(deltas[place] > 0 for place in born)


def _by_length(row: Row) -> tuple[int, str]:
    return len(row.path), str(row.path)


def _released(siblings: Sequence[Row]) -> int:
    """Return the place of the step that took away most, of those that did first."""
    if not siblings:
        return -1
    taken = [sum(min(0, delta) for delta in step) for step in zip(*_deltas(siblings), strict=True)]
    return taken.index(min(taken))


def _deltas(rows: Sequence[Row]) -> list[tuple[int, ...]]:
    return [row.deltas for row in rows]
