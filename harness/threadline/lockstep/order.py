"""An order: one after the other in which calls that overlapped could have come to what they did.

Linearisability, after Herlihy and Wing 1990 (ACM TOPLAS 12(3)): each call takes effect at one
moment between its begin and its end. The search is that of Wing and Gong 1993 (JPDC 17).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeAlias

from ..failure import Disagreement, Property
from ..handle import Dangling, Handle
from ..model import Census, Model
from ..outcome import Crashed, Ok, Outcome, Refused, Told, Unknown, Unpredictable
from ..schedule import Call
from .outcomes import expected_of
from .renaming import ATOMS, Kept, Renaming

VISITS_MAX = 3_000  # calls that are tried in some place, for one question; our choice
DEPTH_MAX = 12  # of what a model holds, as far as states are compared; our choice


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

    far: tuple[int, int, int]
    order: tuple[Placed, ...]
    at: Call
    disagreement: Disagreement
    broken: Property | None = None


class Part(NamedTuple):
    """What differs first after all calls, the property that it breaks where that is certain, and in
    how many parts of all there is a difference.
    """

    disagreement: Disagreement
    broken: Property | None = None
    differences: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Calls that are judged together, and the system's side of them: what it told meanwhile, and
    what it held when nothing went on any more.
    """

    calls: tuple[Call, ...]
    told: Told
    held: Census | Crashed | None


class World(Protocol):
    """What an order is compared with."""

    def agrees(self, expected: Outcome, actual: Outcome) -> bool:
        """Return whether two outcomes are the same up to ids, binding those that are new."""
        ...

    def parts(self, window: Window, reached: Reached, order: Sequence[Placed]) -> Part | None:
        """Return how what was told and held differs from a model after a window; None: not."""
        ...

    def after(self, orders: Sequence[Sequence[Placed]]) -> Reached | None:
        """Return a model after some windows, with the notes of the last; None: nobody can say."""
        ...


Orders: TypeAlias = tuple[tuple[Placed, ...], ...]
Option: TypeAlias = tuple[Call, bool]  # a call that can be next, and whether it happens


class Point(NamedTuple):
    """Where a search stands: a model after some orders, and the calls left of the last window."""

    reached: Reached
    orders: Orders
    rest: tuple[Call, ...]


class Branch(NamedTuple):
    """Where several calls could be next: the ids known there, and the options not tried yet."""

    orders: Orders
    rest: tuple[Call, ...]
    kept: Kept
    state: Hashable
    options: list[Option]


@dataclass(slots=True)
class Search:
    """Looks for an order of the calls of each window that explains what they came to.

    Windows follow each other: the order of one can show in a later one alone. `closest` is the
    order of the last window that explains most, the first of those. `is_cut` says that there were
    too many to try. A state of the model from which nothing led on is not gone on from again.
    """

    renaming: Renaming
    world: World
    visits: int = 0
    closest: Miss | None = None
    is_cut: bool = False
    _failed: set[Hashable] = field(default_factory=set)
    _windows: Sequence[Window] = ()

    def begun(self, window: Window, reached: Reached, order: tuple[Placed, ...]) -> bool:
        """Return whether the order in which they began explains it; `reached` is after them."""
        self._windows = (window,)
        kept = self.renaming.kept()
        for place, (call, expected) in enumerate(order):
            if expected is not None and not self._fits(call, expected, (order[:place],)):
                self.renaming.restore(kept)
                return False
        if self._ends(reached, (order,)):
            return True
        self.renaming.restore(kept)
        return False

    def find(self, windows: Sequence[Window]) -> tuple[Reached, Orders] | None:
        """Return orders that explain all, and a model after them; None if there are none."""
        self._windows, kept = windows, self.renaming.kept()
        reached = self.world.after(())
        point = None if reached is None else Point(reached, ((),), windows[0].calls)
        branches: list[Branch] = []  # in a list, as a run may have more windows than Python frames
        while point is not None:
            if point.rest:
                point = self._extended(point, branches)
            elif not self._ends(point.reached, point.orders):
                point = None
            elif len(point.orders) == len(windows):
                return point.reached, point.orders
            else:
                calls = windows[len(point.orders)].calls
                point = Point(Reached(point.reached.model, {}), (*point.orders, ()), calls)
            point = point or self._back(branches)
        self.renaming.restore(kept)
        return None

    def _extended(self, point: Point, branches: list[Branch]) -> Point | None:
        """Return where the first call that can be next leads; what else can be, is a branch."""
        first, *others = _options(point.rest)
        if others:
            state = self._state(point)
            if state in self._failed:
                return None
            kept = self.renaming.kept()
            branches.append(Branch(point.orders, point.rest, kept, state, others))
        return self._taken(point, first)

    def _back(self, branches: list[Branch]) -> Point | None:
        """Return where the last branch leads that is left; its calls are done anew there."""
        while branches and self.visits <= VISITS_MAX:
            branch = branches[-1]
            if not branch.options:
                self._failed.add(branches.pop().state)
                continue
            self.renaming.restore(branch.kept)
            reached, option = self.world.after(branch.orders), branch.options.pop(0)
            if reached is None:
                continue
            point = self._taken(Point(reached, branch.orders, branch.rest), option)
            if point is not None:
                return point
        return None

    def _taken(self, point: Point, option: Option) -> Point | None:
        """Return where a call leads, if it came to what the model expects; the model is used up."""
        self.visits += 1
        if self.visits > VISITS_MAX:
            self.is_cut = True
            return None
        (reached, orders, rest), (call, happens) = point, option
        expected = None
        if happens:
            try:
                expected = expected_of(reached.model.at(call.number), call.operation)
            except Dangling:
                return None  # what it needs is not there yet
            except Unpredictable:
                self.is_cut = True
                return None
            if not self._fits(call, expected, orders):
                return None
            reached = Reached(reached.model, noted(reached.notes, reached.model))
        longer = (*orders[:-1], (*orders[-1], Placed(call, expected)))
        return Point(reached, longer, tuple(each for each in rest if each is not call))

    def _state(self, point: Point) -> Hashable:
        """Return what decides whether the calls that are left can be explained."""
        reached, orders, rest = point
        told = frozen([told_in(orders[-1]), reached.notes])
        ids = frozenset(self.renaming.real.items())  # what cannot be hashed is no id
        left = tuple(call.number for call in rest)
        return len(orders), left, frozen(vars(reached.model)), told, ids

    def _fits(self, call: Call, expected: Outcome, orders: Orders) -> bool:
        actual = call.outcome
        assert actual is not None
        if isinstance(actual, Unknown) or self.world.agrees(untold(expected), untold(actual)):
            return True
        differs = Disagreement("outcome", untold(expected), untold(actual))
        before = orders[-1]
        if len(orders) == len(self._windows):
            self._miss(Miss((len(before), 0, 0), (*before, Placed(call, expected)), call, differs))
        return False

    def _ends(self, reached: Reached, orders: Orders) -> bool:
        order = orders[-1]
        found = self.world.parts(self._windows[len(orders) - 1], reached, order)
        if found is None:
            return True
        differs, broken, differences = found
        stage = 1 if differs.of == "outcome" else 2
        placed = [each for each in order if each.expected is not None] or order
        if len(orders) == len(self._windows):
            far = (len(order), stage, -differences)
            self._miss(Miss(far, order, placed[-1].call, differs, broken))
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


def frozen(value: object, depth: int = 0) -> Hashable:
    """Return a value that is equal for equal states, in whatever order their dicts were filled."""
    kind = type(value)
    if kind in ATOMS or kind is Handle:
        return kind.__name__, value  # 1 is not True
    if depth > DEPTH_MAX:
        return id(value)
    if isinstance(value, Mapping):
        items = value.items()
        return frozenset((frozen(k, depth + 1), frozen(v, depth + 1)) for k, v in items)
    if isinstance(value, (list, tuple, deque)):
        return kind.__name__, tuple(frozen(each, depth + 1) for each in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(frozen(each, depth + 1) for each in value)
    names = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
    fields = {name: getattr(value, name, None) for name in names if name[:2] != "__"}
    fields |= getattr(value, "__dict__", {})
    if callable(value) or not fields:
        return kind.__name__, id(kind)
    return kind.__name__, frozen(fields, depth + 1)


def _options(rest: Sequence[Call]) -> list[Option]:
    """Return the calls that can be next, and whether they happen: one without an answer may not.

    Next is what began before any of the rest had ended.
    """
    first_end = min(map(_end, rest))
    happen = [(call, True) for call in rest if call.began <= first_end]
    return happen + [(call, False) for call in rest if isinstance(call.outcome, Unknown)]


def _end(call: Call) -> float:
    """Return when a call was over; one without an answer may take effect at any later time."""
    return float("inf") if isinstance(call.outcome, Unknown) or not call.ended else call.ended
