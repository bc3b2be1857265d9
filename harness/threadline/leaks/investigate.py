"""The investigation of one leak on its minimal trace: what is kept, since when, and by whom."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ..failure import Failure
from ..history import Step
from ..lockstep.lockstep import Lockstep
from ..lockstep.run import Runs, play, replay
from ..trace import Trace
from .allocation import allocated_at, allocations_traced, way_to
from .cycles import ALIVE, Cycles, Unlike, heap_aside
from .growth import WARM_UP, Growths
from .leak import Leak, is_leak, leak_of
from .ledger import Ledger, book
from .reach import Path
from .round_trip import is_exact, round_trips_of, tear_down

PLOTTED = 24  # cycles of which every one is measured
TRACED = 3  # cycles in which allocations are traced
BOOKED_MAX = 8  # cycles, of which one must leak
CHAINS_MAX = 8  # survivors that are asked who holds them


@dataclass(frozen=True, slots=True)
class Investigation:
    """What is known of one leak.

    counts: how much there was after each of PLOTTED cycles. chain: from what holds it down, where
    no root leads there from a module. allocated_at: the line that allocated it, "" if
    unknown. growths: what was seen to stop beside it. uncovered: what was not looked at.
    """

    leak: Leak
    also: tuple[Leak, ...]
    failure: Failure
    trace: Trace
    chain: Path
    ledger: Ledger
    allocated_at: str
    counts: tuple[int, ...]
    growths: Growths
    block_count: str
    uncovered: tuple[str, ...]


def investigate(trace: Trace, runs: Runs) -> Investigation | None:
    """Watch a leaking trace for as long as a leak is watched at all, then take it apart.

    Returns None where it does not leak so again.
    """
    trips = round_trips_of(runs)
    before = trips.growths.block_count
    fresh = replace(runs, after_run=replace(trips, growths=Growths()))
    failure = replay(fresh, trace.header, trace.operations)
    if failure is None or not is_leak(failure):
        return None
    leak = leak_of(failure)
    gc.collect()  # what earlier systems hold ends now, and not in the middle of a ledger
    try:
        seen = _look(trace, fresh, leak, holds=True)
    except Unlike:
        seen = _look(trace, fresh, leak, holds=False)
    also = failure.disagreement.expected
    return Investigation(
        leak=leak,
        also=tuple(also) if isinstance(also, (list, tuple)) else (),
        failure=failure,
        trace=trace,
        growths=round_trips_of(fresh).growths,
        block_count=before,
        **seen,
    )


def _look(trace: Trace, runs: Runs, leak: Leak, *, holds: bool) -> dict[str, Any]:
    """Return what an investigation sees in cycles of its own, by name; raises Unlike."""
    with _cycles(trace, runs) as (cycles, drawn):
        with heap_aside():
            cycles.run(WARM_UP)
            counts = tuple(_counts(cycles, leak.path))
            ledger = _booked(cycles, leak.path, drawn, holds=holds)
            made_at = _allocated_at(cycles, leak.path, holds=holds)
            alive = _alive(cycles, leak.path)
        return {
            "chain": _chain(leak.path, alive),
            "ledger": ledger,
            "allocated_at": made_at,
            "counts": counts,
            "uncovered": tuple(_uncovered(cycles, runs)),
        }


@contextmanager
def _cycles(trace: Trace, runs: Runs) -> Iterator[tuple[Cycles, int]]:
    """Open a run, play it and tear it down; yield its cycles, and how many steps are its own."""
    with runs.begin(trace.header) as lockstep:
        for _ in play(lockstep, trace.operations):
            pass
        drawn = len(lockstep.steps)
        tear_down(lockstep)
        trips = round_trips_of(runs)
        names = trace.header.identities
        yield cycles_of(lockstep, trips.growths, alive=trips.alive, identities=names), drawn


def cycles_of(
    lockstep: Lockstep,
    growths: Growths,
    *,
    alive: Callable[[], object] = lambda: None,
    identities: Sequence[str] = (),
) -> Cycles:
    """Return the cycles that repeat what a run has played."""
    steps: Sequence[Step] = tuple(lockstep.steps)
    return Cycles(lockstep.driver, lockstep.play, steps, growths, lambda: 0, alive, identities)


def _counts(cycles: Cycles, path: Path) -> Iterator[int]:
    for _ in range(PLOTTED):
        cycles.run(1)
        found = {cycles.path(key): count for key, count in cycles.measure().items()}
        yield found.get(path, 0)


def _booked(cycles: Cycles, path: Path, drawn: int, *, holds: bool) -> Ledger:
    """Book cycles until one leaks: not all of them need to."""
    ledger = book(cycles, path, drawn, holds=holds)
    for _ in range(BOOKED_MAX):
        if ledger.leak.net > 0:
            break
        ledger = book(cycles, path, drawn, holds=holds)
    return ledger


def _allocated_at(cycles: Cycles, path: Path, *, holds: bool) -> str:
    """Return where what survives was allocated."""
    with allocations_traced():
        for _ in range(TRACED):
            made = _booked(cycles, path, 0, holds=holds).survivors
            if made_at := next(filter(None, map(allocated_at, reversed(made))), ""):
                return made_at
    return ""


def _alive(cycles: Cycles, path: Path) -> list[object]:
    """Return the objects that leak, where a path is no more than the name of their type."""
    label = path[0].label
    return cycles.survivors(label.removeprefix(ALIVE)) if label.startswith(ALIVE) else []


def _chain(path: Path, alive: list[object]) -> Path:
    """Return the path to what leaks; for what no root leads to, from the module that holds it."""
    if not alive:
        return path.holder
    ways = (way_to(each, alive) for each in alive[-CHAINS_MAX:])
    return next(filter(None, ways), None) or path


def _uncovered(cycles: Cycles, runs: Runs) -> Iterator[str]:
    """Yield what the probes did not cover."""
    if not cycles.reach.roots():
        yield "paths: the driver names no roots (roots())"
    elif not any(is_exact(Path(path)) for path in _first_links(cycles)):
        yield "tasks and timers: the driver names no loop among its roots"
    if cycles.reach.cut:
        yield "what lies beyond the first 50,000 objects that the roots lead to"
    if runs.warned is None:
        yield "ResourceWarnings: nobody recorded them"
    yield "objects outside the roots that no operation returns, but by the net"


def _first_links(cycles: Cycles) -> Iterator[Path]:
    found = (cycles.path(key) for key in cycles.reach.census())
    return (path for path in found if len(path) == 2)
