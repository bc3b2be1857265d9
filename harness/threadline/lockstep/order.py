"""An order: one after the other in which calls that overlapped could have come to what they did.

Linearisability, after Herlihy and Wing 1990 (ACM TOPLAS 12(3)): each call takes effect at one
moment between its begin and its end. The search is that of Wing and Gong 1993 (JPDC 17). Where a
model says that a step goes on (`Model.goes_on`), it has further moments, each of which has a place.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from ..failure import Disagreement, Property
from ..handle import Dangling
from ..model import Census, Model
from ..outcome import Crashed, Outcome, Told, Unknown, Unpredictable
from ..schedule import Call
from .frozen import States
from .moments import FIRST, LEFT, NEVER, NEXT, Placed, done, told_in, untold
from .renaming import Kept, Renaming

VISITS_MAX = 3_000  # calls that are tried in some place, for one question; our choice
REPLAYED_MAX = 12_000  # moments that are done anew in a model, for one question; our choice


class Reached(NamedTuple):
    """A model after some calls, and what its census noted of each, all taken together."""

    model: Model
    notes: Mapping[str, object]


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

    replayed: int
    """How many moments were done anew so far by `after`."""

    def agrees(self, expected: Outcome, actual: Outcome) -> bool:
        """Return whether two outcomes are the same up to ids, binding those that are new."""
        ...

    def call_of(self, number: int) -> Call:
        """Return the call of a step, of whichever window."""
        ...

    def hears(self, window: Window, order: Sequence[Placed]) -> Part | None:
        """Return whom the last moment of an order tells what was not told then; None: nobody."""
        ...

    def parts(self, window: Window, reached: Reached, order: Sequence[Placed]) -> Part | None:
        """Return how what was told and held differs from a model after a window; None: not."""
        ...

    def after(self, orders: Sequence[Sequence[Placed]]) -> Model | None:
        """Return a model after some windows; None: nobody can say."""
        ...


Orders: TypeAlias = tuple[tuple[Placed, ...], ...]
Option: TypeAlias = tuple[Call, str]  # a call that can be next, and which moment of it


class Left(NamedTuple):
    """What is left of a window: calls that have not begun, and those whose outcome is not told."""

    rest: tuple[Call, ...]
    open: tuple[Call, ...] = ()


class Point(NamedTuple):
    """Where a search stands: a model after some orders, and what is left of the last window."""

    reached: Reached
    orders: Orders
    left: Left


class Branch(NamedTuple):
    """Where several calls could be next: what is known there, and the options not tried yet.

    `state` has what it is known by, once that was asked for: it costs more than a moment.
    """

    orders: Orders
    left: Left
    notes: Mapping[str, object]
    kept: Kept
    options: list[Option]
    state: list[Hashable]


@dataclass(slots=True)
class Tried:
    """The states from which nothing led on, by what was left there of which window.

    They are so in every search of a run: a state has all that was before it, and what explains no
    window explains none that has others behind it. `how` is how the system was compared there.
    """

    failed: dict[Hashable, set[Hashable]] = field(default_factory=dict)
    states: States = field(default_factory=States)
    how: Hashable = None

    def compared(self, how: Hashable) -> Tried:
        """Return this, with what was tried only if it was compared in the same way."""
        if how != self.how:
            self.failed.clear()
            self.how = how
        return self


@dataclass(slots=True)
class Search:
    """Looks for an order of the calls of each window that explains what they came to.

    Windows follow each other: the order of one can show in a later one alone. `closest` is the
    order of the last window that explains most, the first of those. `is_cut` says that there were
    too many to try. A state of the model from which nothing led on is not gone on from again.
    """

    renaming: Renaming
    world: World
    tried: Tried
    visits: int = 0
    closest: Miss | None = None
    is_cut: bool = False
    _replayed_max: int = 0
    _windows: Sequence[Window] = ()

    def begun(self, window: Window, reached: Reached, order: tuple[Placed, ...]) -> bool:
        """Return whether the order in which they began explains it; `reached` is after them."""
        self._windows = (window,)
        kept = self.renaming.kept()
        for place, placed in enumerate(order):
            if not self._fits(placed, (order[:place],)):
                self.renaming.restore(kept)
                return False
        if self._ends(reached, (order,)):
            return True
        self.renaming.restore(kept)
        return False

    def find(self, windows: Sequence[Window]) -> tuple[Reached, Orders] | None:
        """Return orders that explain all, and a model after them; None if there are none."""
        found = self._found(windows)
        if self.is_cut:  # nobody knows where that was
            self.tried.failed.clear()
        return found

    def _found(self, windows: Sequence[Window]) -> tuple[Reached, Orders] | None:
        self._windows, kept = windows, self.renaming.kept()
        self._replayed_max = self.world.replayed + REPLAYED_MAX
        model, left = self.world.after(()), Left(windows[0].calls)
        point = None if model is None else Point(Reached(model, {}), ((),), left)
        branches: list[Branch] = []  # in a list, as a run may have more windows than Python frames
        while point is not None:
            if options := self._options(point):
                point = self._extended(point, options, branches)
            elif any(point.left) or not self._ends(point.reached, point.orders):
                point = None
            elif len(point.orders) == len(windows):
                return point.reached, point.orders
            else:
                calls = windows[len(point.orders)].calls
                point = Point(Reached(point.reached.model, {}), (*point.orders, ()), Left(calls))
            point = point or self._back(branches)
        self.renaming.restore(kept)
        return None

    def _options(self, point: Point) -> list[Option]:
        """Return what can be next, and whether it happens: one without an answer may not.

        A call can begin if that was before any that is left had ended; what goes on can go on. The
        likely ones come first: calls as they began, as most of what goes on waits longer for its
        I/Os; but what tells an outcome comes before a call that was over later.
        """
        rest, open_calls = point.left
        first_end = min(map(_end, (*rest, *open_calls)), default=0)
        begin = [call for call in rest if call.began <= first_end]
        soon: list[Option] = []
        late: list[Option] = []
        for number in point.reached.model.goes_on():
            call = self.world.call_of(number)
            is_soon = call in open_calls and (not begin or _end(call) < _end(begin[0]))
            (soon if is_soon else late).append((call, NEXT))
            if isinstance(call.outcome, Unknown) and not call.is_lost:
                late.append((call, LEFT))
        late += [(call, NEVER) for call in rest if isinstance(call.outcome, Unknown)]
        return [*soon, *((call, FIRST) for call in begin), *late]

    def _extended(
        self, point: Point, options: Sequence[Option], branches: list[Branch]
    ) -> Point | None:
        """Return where the first of some options leads; the others are a branch."""
        first, *others = options
        if others:
            (reached, orders, left), state = point, list[Hashable]()
            if failed := self.tried.failed.get(self._size(orders, left)):
                state.append(self._state(point))
                if state[0] in failed:
                    return None
            kept = self.renaming.kept()
            branches.append(Branch(orders, left, reached.notes, kept, others, state))
        return self._taken(point, first)

    def _back(self, branches: list[Branch]) -> Point | None:
        """Return where the last branch leads that is left; its calls are done anew there."""
        while branches and self.visits <= VISITS_MAX:
            if self.world.replayed > self._replayed_max:
                self.is_cut = True
                return None
            orders, left, notes, kept, options, state = branches[-1]
            if not options:
                self.tried.failed.setdefault(self._size(orders, left), set()).update(state)
                branches.pop()
                continue
            self.renaming.restore(kept)
            model, option = self.world.after(orders), options.pop(0)
            if model is None:
                continue
            point = Point(Reached(model, notes), orders, left)
            if not options and not state:  # there is no model to ask once the last was tried
                state.append(self._state(point))
            if (taken := self._taken(point, option)) is not None:
                return taken
        return None

    def _taken(self, point: Point, option: Option) -> Point | None:
        """Return where a call leads, if it came to what the model expects; the model is used up."""
        self.visits += 1
        if self.visits > VISITS_MAX:
            self.is_cut = True
            return None
        (reached, orders, left), (call, moment) = point, option
        placed = Placed(call, None, moment)
        if moment != NEVER:
            try:
                placed = done(reached.model, placed)
            except Dangling:
                return None  # what it needs is not there yet
            except Unpredictable:
                self.is_cut = True
                return None
            if not (self._fits(placed, orders) and self._hears(placed, orders)):
                return None
            reached = Reached(reached.model, noted(reached.notes, reached.model))
        longer = (*orders[:-1], (*orders[-1], placed))
        return Point(reached, longer, _left(left, placed))

    def _state(self, point: Point) -> Hashable:
        """Return what decides whether the calls that are left can be explained.

        Not which step was the last, as `at` comes before each moment: so orders meet early.
        """
        reached, orders, left = point
        reached.model.at(0)
        told, model = [told_in(orders[-1]), reached.notes], vars(reached.model)
        ids = frozenset(self.renaming.real.items())  # what cannot be hashed is no id
        return self._size(orders, left), self.tried.states.value([model, told]), ids

    def _size(self, orders: Orders, left: Left) -> Hashable:
        """Return which window is looked at, by its first call, and which calls are left of it."""
        first = self._windows[len(orders) - 1].calls[0].number
        return first, *(frozenset([call.number for call in calls]) for calls in left)

    def _fits(self, placed: Placed, orders: Orders) -> bool:
        """Return whether what a call comes to, if that is known now, is what it came to."""
        call, expected, before = placed.call, placed.expected, orders[-1]
        if not placed.answers or expected is None:
            return True
        actual = call.outcome
        assert actual is not None
        if isinstance(actual, Unknown) or self.world.agrees(untold(expected), untold(actual)):
            return True
        differs = Disagreement("outcome", untold(expected), untold(actual))
        if len(orders) == len(self._windows):
            self._miss(Miss((len(before), 0, 0), (*before, placed), call, differs))
        return False

    def _hears(self, placed: Placed, orders: Orders) -> bool:
        """Return whether what a moment tells came after all that was told before."""
        order = (*orders[-1], placed)
        part = self.world.hears(self._windows[len(orders) - 1], order)
        if part is not None and len(orders) == len(self._windows):
            miss = Miss((len(order), 0, 0), order, placed.call, part.disagreement)
            self._miss(miss)
        return part is None

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
            now = before | now if isinstance(before, Set) else now | frozenset()
        found[name] = now
    return found


def _left(left: Left, placed: Placed) -> Left:
    """Return what is left of a window after a moment of one of its calls."""
    call = placed.call
    # What is lost may go on in the model until that crashes, or from what was stored.
    is_over = placed.answers or placed.moment in (NEVER, LEFT) or call.is_lost
    rest = tuple(each for each in left.rest if each is not call)
    is_open = call in left.open or (call in left.rest and not is_over)
    others = tuple(each for each in left.open if each is not call)
    return Left(rest, (*others, call) if is_open and not is_over else others)


def _end(call: Call) -> float:
    """Return when a call was over; one without an answer may take effect at any later time.

    But for one that was lost: nothing happens in a process that has crashed.
    """
    is_unknown = isinstance(call.outcome, Unknown) and not call.is_lost
    return float("inf") if is_unknown or not call.ended else call.ended
