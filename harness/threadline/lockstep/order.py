"""An order: one after the other in which calls that overlapped could have come to what they did.

Linearisability, after Herlihy and Wing 1990 (ACM TOPLAS 12(3)): each call takes effect at one
moment between its begin and its end. The search is that of Wing and Gong 1993 (JPDC 17).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeAlias

from ..failure import Disagreement, Property
from ..model import Model
from ..outcome import Ok, Outcome, Refused, Told, Unknown
from ..schedule import Call
from .outcomes import UNPLAYED, expected_of
from .renaming import Renaming

VISITS_MAX = 2_000  # calls that are tried in some place, for one window; our choice


class Reached(NamedTuple):
    """A model after some calls, and what its census noted of each, all taken together."""

    model: Model
    notes: Mapping[str, object]


class Placed(NamedTuple):
    """A call in an order, and what the model expects of it there; None: it never took effect."""

    call: Call
    expected: Outcome | None


class Miss(NamedTuple):
    """Where an order does not explain what came: how far it got, and what differs then."""

    far: tuple[int, int]
    order: tuple[Placed, ...]
    at: Call
    disagreement: Disagreement
    broken: Property | None = None


Part: TypeAlias = tuple[Disagreement, Property | None]
"""What differs after all calls, and the property that it breaks, where that is certain."""


class World(Protocol):
    """What an order is compared with: the system's side of the calls, as it was after them all."""

    def agrees(self, expected: Outcome, actual: Outcome) -> bool:
        """Return whether two outcomes are the same up to ids, binding those that are new."""
        ...

    def parts(self, reached: Reached, order: Sequence[Placed]) -> Part | None:
        """Return how what was told and what is held differs from a model after all; None: not."""
        ...


@dataclass(slots=True)
class Search:
    """Looks for an order of calls that explains what they came to.

    `after` returns a model after calls, one by one; `closest` is the order that explains most, the
    first of those. `is_cut` says that there were too many to try.
    """

    renaming: Renaming
    world: World
    after: Callable[[Sequence[Placed]], Reached | None]
    visits: int = 0
    closest: Miss | None = None
    is_cut: bool = False

    def begun(self, reached: Reached, order: Sequence[Placed]) -> bool:
        """Return whether the order in which they began explains it; `reached` is after them."""
        kept = self.renaming.kept()
        for place, (call, expected) in enumerate(order):
            if expected is not None and not self._fits(call, expected, order[:place]):
                self.renaming.restore(kept)
                return False
        if self._ends(reached, order):
            return True
        self.renaming.restore(kept)
        return False

    def find(self, calls: Sequence[Call]) -> tuple[Reached, tuple[Placed, ...]] | None:
        """Return an order that explains all, and a model after it; None if there is none."""
        return self._extended((), tuple(calls))

    def _extended(
        self, order: tuple[Placed, ...], rest: tuple[Call, ...]
    ) -> tuple[Reached, tuple[Placed, ...]] | None:
        if not rest:
            reached = self.after(order)
            if reached is None or not self._ends(reached, order):
                return None
            return reached, order
        kept = self.renaming.kept()
        for call, expected in self._next(order, rest):
            if self.visits >= VISITS_MAX:
                self.is_cut = True
                return None
            self.visits += 1
            if expected is None or self._fits(call, expected, order):
                left = tuple(each for each in rest if each is not call)
                found = self._extended((*order, Placed(call, expected)), left)
                if found is not None:
                    return found
            self.renaming.restore(kept)
        return None

    def _next(self, order: tuple[Placed, ...], rest: tuple[Call, ...]) -> Iterator[Placed]:
        """Yield the calls that can be next: those that began before any of the rest had ended."""
        first_end = min((_end(call) for call in rest), default=0)
        for call in rest:
            if call.began > first_end:
                continue
            reached = self.after(order)
            if reached is None:
                return
            try:
                yield Placed(call, expected_of(reached.model.at(call.number), call.operation))
            except UNPLAYED:
                self.is_cut = self.is_cut or not isinstance(call.outcome, Unknown)
        for call in rest:
            if isinstance(call.outcome, Unknown):
                yield Placed(call, None)

    def _fits(self, call: Call, expected: Outcome, before: Sequence[Placed]) -> bool:
        actual = call.outcome
        assert actual is not None
        if isinstance(actual, Unknown) or self.world.agrees(untold(expected), untold(actual)):
            return True
        differs = Disagreement("outcome", untold(expected), untold(actual))
        self._miss(Miss((len(before), 0), (*before, Placed(call, expected)), call, differs))
        return False

    def _ends(self, reached: Reached, order: Sequence[Placed]) -> bool:
        found = self.world.parts(reached, order)
        if found is None:
            return True
        differs, broken = found
        stage = 1 if differs.of == "outcome" else 2
        placed = [each for each in order if each.expected is not None] or order
        self._miss(Miss((len(order), stage), tuple(order), placed[-1].call, differs, broken))
        return False

    def _miss(self, miss: Miss) -> None:
        if self.closest is None or miss.far > self.closest.far:
            self.closest = miss


def untold(outcome: Outcome) -> Outcome:
    """Return an outcome without what was told beside it."""
    if isinstance(outcome, (Ok, Refused)) and outcome.told is not None:
        return replace(outcome, told=None)
    return outcome


def told_in(order: Sequence[Placed]) -> Told:
    """Return what is told in an order, one stream for each who is told."""
    found: dict[object, list[object]] = {}
    for _, expected in order:
        if isinstance(expected, (Ok, Refused)):
            for to, what in (expected.told or {}).items():
                found.setdefault(to, []).extend(what)
    return found


def noted(notes: Mapping[str, object], model: Model) -> dict[str, object]:
    """Return notes together with those of a model's last step."""
    if not model.notes:
        return {}
    census, found = model.census(), dict(notes)
    for name in model.notes:
        now, before = census.get(name), found.get(name)
        if isinstance(now, Mapping):
            now = {**before, **now} if isinstance(before, Mapping) else {**now}
        elif isinstance(now, Set):
            now = before | now if isinstance(before, Set) else now
        found[name] = now
    return found


def _end(call: Call) -> float:
    """Return when a call was over; one without an answer may take effect at any later time."""
    return float("inf") if isinstance(call.outcome, Unknown) or not call.ended else call.ended
