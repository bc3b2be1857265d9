"""Which of several calls is to blame for what the system holds, where no order explains that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..failure import Disagreement
from ..outcome import Unknown
from ..schedule import Call
from .moments import Placed
from .order import Miss, World


def to_blame(miss: Miss, world: World) -> Call:
    """Return the call that changed last, in the closest order, what differs of the census.

    Where none did, it is one that got no answer, if any was.
    """
    cut = [call for call, *_ in miss.order if isinstance(call.outcome, Unknown)]
    found = cut[-1] if cut else miss.at
    before = _census_after(world, (), miss.disagreement)
    for place, placed in enumerate(miss.order, 1):
        after = _census_after(world, miss.order[:place], miss.disagreement)
        if after != before:
            found, before = placed.call, after
    return found


def _census_after(world: World, order: Sequence[Placed], differs: Disagreement) -> object:
    """Return what the model holds after an order of what differs."""
    model = world.after((order,))
    if model is None:
        return None
    value = model.census().get(differs.of.partition(" ")[2])
    if not isinstance(value, Mapping) or not isinstance(differs.expected, Mapping):
        return value
    actual = differs.actual if isinstance(differs.actual, Mapping) else {}
    return {key: value.get(key) for key in [*differs.expected, *actual]}
