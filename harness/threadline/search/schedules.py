"""Schedules: every way in which a few operations can overlap, with up to DELAYS_MAX delays.

A bound on delays finds most races early (Emmi, Qadeer and Rakamaric 2011, POPL).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from ..timing import ALONE, BEGINS, Timing
from ..trace import Numbered

DELAYS_MAX = 2


def schedules(
    operations: Sequence[Numbered],
    points: Mapping[str, int],
    *,
    cancels: bool,
    lines: bool = False,
) -> Iterator[tuple[Numbered, ...]]:
    """Yield the operations under each schedule in which some of them overlap.

    `points` is how many I/Os operations of each kind make. With `cancels`, one of the entries can
    be a caller who leaves. With `lines`, operations run in threads, and points are their lines.
    """
    signs = (1,) if lines else (1, -1)  # a line has no answer that could be late
    entries = list(_entries(operations, points, signs, cancels=cancels and not lines))
    for begins in product(BEGINS, repeat=max(0, len(operations) - 1)):
        if all(begin == ALONE for begin in begins):
            continue
        for count in range(DELAYS_MAX + 1):
            for chosen in combinations(entries, count):
                if _is_one_each(chosen):
                    yield _timed(operations, (ALONE, *begins), chosen)


Entry = tuple[int, Timing]  # which operation, and one thing that is said of it


def _entries(
    operations: Sequence[Numbered],
    points: Mapping[str, int],
    signs: Sequence[int],
    *,
    cancels: bool,
) -> Iterator[Entry]:
    late = range(1, len(operations) + 1)
    for place, (_, operation) in enumerate(operations):
        last = points.get(operation.kind, 0)
        for point, ticks, sign in product(range(1, last + 1), late, signs):
            yield place, Timing(delays=((point, sign * ticks),))
        for at in [*range(1, last + 1), *(-ticks for ticks in late)] if cancels else ():
            yield place, Timing(cancelled_at=at)


def _is_one_each(chosen: Sequence[Entry]) -> bool:
    """Return whether no I/O is late twice, and nobody leaves twice."""
    said = [
        (place, timing.delays[0][0] if timing.delays else "cancelled") for place, timing in chosen
    ]
    return len(set(said)) == len(said)


def _timed(
    operations: Sequence[Numbered], begins: Sequence[str], chosen: Sequence[Entry]
) -> tuple[Numbered, ...]:
    found = []
    for place, (number, operation) in enumerate(operations):
        own = [timing for of, timing in chosen if of == place]
        delays = sorted(each for timing in own for each in timing.delays)
        cancelled_at = next((each.cancelled_at for each in own if each.cancelled_at), 0)
        timing = Timing(begins[place], tuple(delays), cancelled_at)
        found.append((number, operation.timed(timing)))
    return tuple(found)
