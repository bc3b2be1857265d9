"""Who waits for others, and is overtaken by too many that come and go meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from ..schedule import Call, Held

CALLS_MAX = 6  # that are judged together, before one has to wait; our choice
OVERTAKEN_MAX = 1_000  # operations that begin and end while one waits for others; our choice
LANES_SHOWN = 5  # of those that have overtaken one; our choice


def is_full(calls: Sequence[Call], held: Sequence[Held], *, is_long: bool) -> bool:
    """Return whether no other may begin before all these calls are over.

    In a run that is long enough to tell, one that waits for others, and for no I/O of its own, is
    left to be overtaken, by few at a time.
    """
    first = next((call for call in calls if not call.ended), None)
    if len(calls) < CALLS_MAX or not is_long or first is None:
        return len(calls) >= CALLS_MAX
    busy = {id(each.call) for each in held}
    return id(first) in busy or len(busy) >= CALLS_MAX


def overtaken(calls: Sequence[Call]) -> tuple[Call, list[Call]] | None:
    """Return who has waited for too long, and those that have begun and ended since then."""
    first = next((call for call in calls if not call.ended), None)
    if first is None or len(calls) <= OVERTAKEN_MAX:
        return None
    passed = [call for call in calls if call.ended and call.began > first.began]
    return (first, passed) if len(passed) >= OVERTAKEN_MAX else None
