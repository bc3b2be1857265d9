"""The search policy: how the explorer chooses the next rule, drawn anew for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from ..operation import Operation
from ..pool import Now
from ..rule import Rule
from .unused import Tries

# Uniform takes four runs in ten: no single policy wins, and it is the one without a blind spot.
SHARES = {"uniform": 40, "swarm": 15, "weights": 15, "least-used": 15, "novelty": 15}


class Drawer:
    """Draws operations of one rule, and counts them; an operation drawn twice is made once."""

    def __init__(self, rule: Rule) -> None:
        self.drawn = 0
        self.missed = Tries()  # the draws that gave nothing
        self.used = 0  # by runs of the least-used policy, which balances only its own
        self.weight = rule.weight
        self.rule = rule
        self._precondition = rule.precondition
        self._pools = rule.pools
        constants = [pool.constant for _, pool in self._pools if pool.constant is not None]
        self._constants = constants if len(constants) == len(self._pools) else None
        self._made: dict[int, Operation] = {}

    def draw(self, now: Now, random: Callable[[], float]) -> Operation | None:
        """Return an operation, or None where the rule cannot fire now."""
        if self._precondition is not None and not self._precondition(now):
            self.missed.unmet += 1
            return None
        if self._constants is not None:
            return self._draw_constant(random)
        values = []
        for name, pool in self._pools:
            candidates = pool.constant or pool.values(now)
            if not candidates:
                self.missed.was_empty(name)
                return None
            values.append(candidates[int(random() * len(candidates))])
        self.drawn += 1
        return self.rule.make(*values)

    def _draw_constant(self, random: Callable[[], float]) -> Operation:
        """Draw by position: equal values of two types (1 and True) are two values."""
        self.drawn += 1
        place = 0
        for values in self._constants or ():
            place = place * len(values) + int(random() * len(values))
        try:
            return self._made[place]
        except KeyError:
            self._made[place] = operation = self._at(place)
            return operation

    def _at(self, place: int) -> Operation:
        chosen: list[object] = []
        for values in reversed(self._constants or ()):
            place, index = divmod(place, len(values))
            chosen.append(values[index])
        return self.rule.make(*reversed(chosen))


Choose = Callable[[], Iterator[Drawer] | Sequence[Drawer]]
"""Returns the drawers to try in one step, in order; the first that can fire does."""


def choices(search_policy: str, drawers: Sequence[Drawer], random: Random) -> Choose:
    """Return how a run of this policy chooses; `novelty` is uniform once its prefix is played."""
    if search_policy == "swarm":
        kept = [drawer for drawer in drawers if random.random() < 0.5]
        return _uniform(kept or drawers, random)
    if search_policy == "weights":
        return _weighted(drawers, random)
    if search_policy == "least-used":
        return lambda: sorted(drawers, key=lambda d: d.used / d.weight + random.random())
    return _uniform(drawers, random)


def _uniform(drawers: Sequence[Drawer], random: Random) -> Choose:
    singles = [(drawer,) for drawer in drawers for _ in range(drawer.weight)]
    count = len(singles)
    draw = random.random
    return lambda: singles[int(draw() * count)]


def _weighted(drawers: Sequence[Drawer], random: Random) -> Choose:
    # From 1 to 16, evenly on a logarithmic scale: some rules often, none never.
    weights = [drawer.weight * 2 ** (4 * random.random()) for drawer in drawers]
    return lambda: random.choices(drawers, weights)
