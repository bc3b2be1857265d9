"""A run whose operations overlap: each begins as its timing says; they are judged together."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Any

from ..driver import DriverError
from ..failure import Disagreement, Divergence, Failure, Property, divergence_type
from ..handle import Dangling, Handle
from ..history import Step
from ..model import Census, Model
from ..operation import Operation, atoms_in
from ..outcome import Crashed, Hung, Ok, Outcome, Refused, Told, Unknown, Unpredictable
from ..pump import NotDone
from ..schedule import Call, Schedule
from ..timing import ALONE, WITH
from ..trace import Mode, is_signature_of, plain
from .blamed import to_blame
from .fairness import LANES_SHOWN, OVERTAKEN_MAX, is_full, overtaken
from .frozen import copied
from .lanes import steps_of, with_lanes
from .lockstep import Lockstep, check_census, differing
from .moments import WHOLE, Placed, redone, told_by, told_in, untold
from .order import Miss, Orders, Part, Reached, Search, Tried, Window, noted
from .outcomes import (
    UNPLAYED,
    begun,
    called,
    died_beside,
    ended,
    expected_of,
    is_interrupt,
    raised,
    whole_of,
)
from .renaming import Kept, Named, NotHeld, real_key
from .threads import Threads

DRAIN_MAX = 10_000  # ticks until all must be over; our choice
NOT_JUDGED = "too many orders were possible before; the run is judged no further"


class Overlap(Lockstep):
    """A run in which an operation may begin before others have ended.

    Steps are called as ever; what they came to is known when nothing goes on any more. Then an
    order is looked for in which the model does what the system did: each operation at one moment
    between its begin and its end, and what the model goes on with at later ones. While others go
    on, `model` is as if all had been done in the order in which they began. `fresh` returns a new
    model. `undecided` counts the times that there were too many orders to try, or nobody could say
    what is right: then no failure is told.
    """

    def __init__(
        self, fresh: Callable[[], Model], mode: Mode, *arguments: Any, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self._is_long = mode.steps_max > OVERTAKEN_MAX
        self.model.overlaps = True
        self.points: dict[str, int] = {}  # I/Os of one operation at most, by its kind
        self.counts: dict[str, list[int]] = {}  # of each operation, by its kind
        self.resumptions: dict[str, int] = {}  # and how often a task of it was ready, if counted
        self.crashes: set[str] = set()  # kinds of operations that have ended the process
        self._fresh = fresh
        self._schedule = Schedule(reorders=mode.adversarial)
        self._threads: Threads | None = None
        if self.driver.threaded:
            self._threads = Threads(self._schedule, type(self.driver))
        else:
            self.driver.pump.schedule = self._schedule
        self._open: list[Call] = []
        self._calls: dict[int, Call] = {}  # all, by number
        # Held, or the collector would decide when what a cancelled call has left is given back.
        self._cut: list[Call] = []
        # Number, operation and moment, in the order that explains them.
        self._done: list[tuple[int, Operation, str]] = []
        self._base = self._done  # what is certain while orders are looked for
        # From the first that could be explained by several orders on, and what was before it.
        self._windows: list[Window] = []
        self._base_length = self._base_steps = 0
        self._base_kept = self._renaming.kept()
        self._census_asked: Census | Crashed | None = None
        self._notes: dict[str, object] = {}  # of the calls that are open
        self.replayed = 0  # moments that were done anew in a model
        self._keeps = False  # whether a census that is asked for may be looked at again
        self._tried = Tried()
        self._is_unsure = False  # whether the system may hold ids that no outcome has told

    @property
    def has_io(self) -> bool:
        """Whether anything in the system has taken time."""
        return self._schedule.made > 0

    def step(self, number: int, operation: Operation) -> Step:
        """Begin an operation, as its timing says; raises Divergence for those that are over.

        Raises Dangling and Unpredictable as ever, with nothing done. The step returned has what the
        model expects if nothing overtakes it.
        """
        begins = operation.timing.begins
        self._check_fairness()
        if begins == ALONE or is_full(self._open, self._schedule.held, is_long=self._is_long):
            self.finish()
        elif begins != WITH:
            self._go_on()
        if self.undecided:
            raise Unpredictable(NOT_JUDGED)
        resolved = self._resolved(operation)
        first = expected_of(self.model.at(number), operation)
        goes_on = bool(self.model.goes_on())
        expected = whole_of(self.model, number, first)
        if self.record is not None:
            self.record(number, operation)
        self._given.new.append(operation)
        self._notes = noted(self._notes if self._open else {}, self.model)
        call = self._calls[number] = Call(number, operation, expected, goes_on=goes_on)
        self._open.append(call)
        self._begin(call, resolved)
        return Step(number, operation, expected, expected)

    def finish(self) -> None:
        """Run all operations that have begun to their end, and judge them."""
        if not self._open:
            return
        self._check_fairness()
        self._go_on()
        for _ in range(DRAIN_MAX):
            if not self._open or not (self._schedule.goes_on or self._expires()):
                break
            self._schedule.skip()
            self._go_on()
        if self._open:
            stacks = (self._threads or self.driver.pump).stacks()
            self._end_all(Hung("its turn: nothing else goes on", stacks))
            self._judge()

    def _check_fairness(self) -> None:
        """Raise the failure of a call that goes on waiting while too many others come and go."""
        found = overtaken(self._open)
        if found is None:
            return
        (call, passed), (calls, self._open) = found, (self._open, [])
        stacks = (self._threads or self.driver.pump).stacks()
        expected = untold(call.expected)
        outcome = Hung(f"{len(passed):,} operations that began after it", stacks)
        for other in calls:  # is shown as it came: nobody has judged it
            came = other.outcome
            other.expected = self._shown(came, other.expected) if came else Unknown()
            self._end(other, outcome)
        differs = Disagreement("outcome", expected, outcome)
        self._part_of(calls, Miss((0, 0, 0), (), call, differs), [call, *passed[-LANES_SHOWN:]])

    def stop(self) -> None:
        self._schedule.let_all()
        if self._threads is not None:
            self._threads.close()

    def _expires(self) -> bool:
        """Return whether a timeout is over now, as nothing else goes on."""
        return self._threads is not None and self._threads.expire()

    def _resolved(self, operation: Operation) -> Operation:
        """Return an operation with real ids, once those are over that it needs them of."""
        try:
            return operation.resolved(self._renaming.real)
        except Dangling:
            if not self._open:
                raise
        self.finish()
        return operation.resolved(self._renaming.real)

    def _begin(self, call: Call, resolved: Operation) -> None:
        self._schedule.begin(call)
        if self._threads is not None:
            self._threads.spawn(call, partial(called, self.driver, resolved), self._end)
            return
        pump = self.driver.pump
        outcome = begun(self.driver, resolved)
        if self.driver.pump is not pump:
            self._lose_all_but(call)
        if isinstance(outcome, (Ok, Refused, Crashed, Hung, Unknown)):
            self._end(call, outcome)
            return
        call.task = self.driver.pump.spawn(outcome, call)
        call.task.add_done_callback(lambda task: self._end(call, ended(self.driver, task)))

    def _lose_all_but(self, crash: Call) -> None:
        """End all that was under way when the process crashed: nobody is answered."""
        self.crashes.add(crash.operation.kind)
        for call in self._open:
            if call is not crash and not call.ended:
                call.is_lost = True
                self._end(call, Unknown())
        self._schedule.begin(crash)  # again: nothing of theirs happens after it

    def _end(self, call: Call, outcome: Outcome) -> None:
        if not call.ended:
            self._schedule.end(call)
            call.outcome = Unknown() if call.is_cut else self._handed(outcome)

    def _end_all(self, outcome: Outcome) -> None:
        for call in self._open:
            self._end(call, outcome)

    def _go_on(self) -> None:
        """Run the system until nothing is ready, and judge the calls once all are over."""
        try:
            (self._threads or self.driver.pump).tick()
        except BaseException as error:
            if is_interrupt(error) or isinstance(error, DriverError):
                raise
            self._end_all(raised(self.driver, error))
            if isinstance(error, NotDone):
                self._schedule.let_all()
                self._schedule.held.clear()
        if self._schedule.held or not all(call.ended for call in self._open):
            return
        if self._open:
            self._judge()

    def _judge(self) -> None:
        """Compare what the calls came to with the model; raise Divergence where no order fits."""
        calls, self._open = self._open, []
        told, self.driver._told = self.driver._told, None
        if died := self._died():
            calls[-1].outcome = died
        for call in calls:
            if not call.is_cut:  # what that has left is there until the run ends
                call.task = None  # else all tasks live, and are looked through at each step
            self._cut += [call] if call.is_cut else []
            kind = call.operation.kind
            self.counts.setdefault(kind, []).append(call.points)
            self.points[kind] = max(self.points.get(kind, 0), call.points)
            if call.resumptions > self.resumptions.get(kind, 0):
                self.resumptions[kind] = call.resumptions
        self._is_unsure = self._is_unsure or any(isinstance(c.outcome, Unknown) for c in calls)
        if len(calls) == 1 and not self._is_unsure:
            self._compare_one(calls[0], told or {})
        else:
            self._compare_many(Window(tuple(calls), told or {}, self._asked()))

    def _died(self) -> Crashed | None:
        if self._threads is not None:
            return self._threads.error()
        pump = self.driver.pump
        if pump.has_failed_task():
            gc.collect()
        return died_beside(pump)

    def _compare_one(self, call: Call, told: Told) -> None:
        """Compare a call that overlapped nothing, as any step; of one that goes on, all moments."""
        outcome, steps = call.outcome, len(self.steps)
        assert outcome is not None
        if told and isinstance(outcome, (Ok, Refused)):
            outcome = replace(outcome, told=told)
        keeps = self._keeps = bool(self._windows) or call.goes_on
        kept = self._renaming.kept() if keeps else None
        self._census_asked = None
        try:
            self._compared(call.number, call.operation, call.expected, outcome)
        except Divergence as divergence:
            if kept is not None:
                self._renaming.restore(kept)
                del self.steps[steps:]
                self.has_diverged = False
                # Not asked where the outcome differed: what it tells once would be told too late.
                window = Window((call,), told, self._census_asked or self._asked())
                if call.goes_on:
                    self._compare_many(window)
                    return
                if self._revised(window) or self.undecided:
                    return  # it is right after all, or nobody can say
                self.has_diverged = True
            raise with_lanes(divergence, [call], [call.number], self._threads) from None
        if self._windows:
            self._windows.append(Window((call,), told, self._census_asked))
        self._done.append((call.number, call.operation, WHOLE))

    def _compare_many(self, window: Window) -> None:
        calls = window.calls
        search, kept = self._search(), self._renaming.kept()
        order = tuple(Placed(call, call.expected) for call in calls)
        reached = Reached(self.model, self._notes)
        self._base = self._done
        if search.begun(window, reached, order):
            self._accept((window,), reached, (order,), kept)
        elif (found := search.find([window])) is not None:
            self._accept((window,), *found, kept)
        elif not self._revised(window):
            if search.is_cut or search.closest is None:
                self.undecided += 1
            elif not self.undecided:
                self._part_of(calls, search.closest)

    def _search(self) -> Search:
        how = self._is_unsure, len(self._dropped)
        return Search(self._renaming, self, self._tried.compared(how))

    def _revised(self, window: Window) -> bool:
        """Return whether other orders of earlier windows explain the last one as well.

        Where that could not be decided, nothing is judged any more.
        """
        if not self._windows:
            return False
        now = self._renaming.kept()
        self._base = self._done[: self._base_length]
        self._renaming.restore(self._base_kept)
        windows = [*self._windows, window]
        search = self._search()
        if (found := search.find(windows)) is not None:
            self._windows.clear()
            self._done = self._base
            del self.steps[self._base_steps :]
            self._accept(windows, *found, self._base_kept)
            return True
        self._base = self._done
        self._renaming.restore(now)
        self.undecided += search.is_cut
        return False

    def _accept(
        self, windows: Sequence[Window], reached: Reached, orders: Orders, kept: Kept
    ) -> None:
        """Go on from orders that explain what came; kept is what ids were known before."""
        if not self._windows:
            self._base_length, self._base_steps = len(self._done), len(self.steps)
            self._base_kept = kept
        self._windows += windows
        self.now.model = reached.model
        for window, order in zip(windows, orders, strict=True):
            asked = [(each.call, each.moment) for each in order if each.expected is not None]
            self._done = [*self._done, *((c.number, c.operation, moment) for c, moment in asked)]
            self.steps += steps_of(window.calls, order)

    def _asked(self) -> Census | Crashed | None:
        try:
            return copied(self.driver.census())
        except BaseException as error:
            raised = self._raised(error)
            assert isinstance(raised, Crashed)
            return raised

    def ask_census(self) -> Census | None:
        self._census_asked = None
        try:
            held = super().ask_census()
        except BaseException as error:
            raised = self._raised(error)
            self._census_asked = raised if isinstance(raised, Crashed) else None
            raise
        if self._keeps:
            self._census_asked = copied(held)
        return held

    def after(self, orders: Sequence[Sequence[Placed]]) -> Model | None:
        """Return a model after what was done before, and these orders; None: nobody can say."""
        model = self._fresh()
        model.overlaps = True
        self.replayed += len(self._base) + sum(map(len, orders))
        try:
            for number, operation, moment in self._base:
                redone(model, number, operation, moment)
            for order in orders:
                for call, expected, moment, _ in order:
                    if expected is not None:
                        redone(model, call.number, call.operation, moment)
        except UNPLAYED:
            return None
        return model

    def agrees(self, expected: Outcome, actual: Outcome) -> bool:
        """Return whether two outcomes are the same up to ids."""
        try:
            return self._agree(expected, actual)
        except BaseException as error:
            self._raised(error)
            return False

    def call_of(self, number: int) -> Call:
        """Return the call of a step, of whichever window."""
        return self._calls[number]

    def hears(self, window: Window, order: Sequence[Placed]) -> Part | None:
        """Return whom the last moment of an order tells what was not told then; None: nobody."""
        binds, real, told = self._renaming.binds, self._renaming.real, told_in(order)
        for to in told_by(order[-1].expected):
            what, came = told[to], window.told.get(real_key(to, real), [])
            if self._is_unsure and any(
                type(atom) is Handle and atom not in real for atom in atoms_in(to)
            ):
                continue
            if not binds(what[: len(came)], came[: len(what)]):
                return Part(Disagreement("outcome", Ok(told={to: what}), Ok(told={to: came})))
        return None

    def parts(self, window: Window, reached: Reached, order: Sequence[Placed]) -> Part | None:
        """Return how what was told and held differs from a model after a window."""
        model, told = reached.model, told_in(order)
        expected = {**model.census(), **reached.notes}
        held = [value for name, value in expected.items() if name not in model.notes]
        if not self._heard(
            told, window.told, {atom for atom in atoms_in(held) if type(atom) is Handle}
        ):
            return Part(Disagreement("outcome", Ok(told=told), Ok(told=window.told)))
        if window.held is None:
            return None
        if isinstance(window.held, Crashed):
            return Part(Disagreement("census", expected, window.held))
        check_census(self.driver, model, expected, window.held)
        found = list(self._differences(expected, window.held))
        return Part(*found[0], len(found)) if found else None

    def _heard(self, expected: Told, actual: Told, live: Set[object]) -> bool:
        """Return whether everybody was told what they were to be, in order.

        Who is gone by now, as a connection that was closed meanwhile, may have missed the end.
        """
        binds, real = self._renaming.binds, self._renaming.real
        is_unsure, heard = self._is_unsure, dict(actual)
        for to, what in expected.items():
            came = heard.pop(real_key(to, real), [])
            handles = [atom for atom in atoms_in(to) if type(atom) is Handle]
            if is_unsure and any(handle not in real for handle in handles):
                continue  # it has an id that nobody was told
            is_gone = any(handle not in live for handle in handles)
            if not binds(what[: len(came)] if is_gone else what, came):
                return False
        return is_unsure or not heard

    def _differences(
        self, expected: Census, held: Census
    ) -> Iterator[tuple[Disagreement, Property | None]]:
        """Yield how what is held differs, part by part, and the invariants that do not hold."""
        same = self._renaming.binds if self._is_unsure else self._renaming.knows
        for name, value in expected.items():
            if name not in held or f"census {name}" in self._dropped:
                continue
            if not same(value, held[name]):
                sides = differing(value, self._renaming.named(held[name], value))
                yield Disagreement(f"census {name}", *sides), None
        for broken, invariant in self._invariants:
            try:
                invariant(expected, Named(held, self._renaming))
            except NotHeld:
                continue
            except AssertionError as error:
                yield Disagreement(f"invariant {invariant.__name__}", "holds", str(error)), broken

    def _part_of(
        self, calls: Sequence[Call], miss: Miss, lanes: Sequence[Call] | None = None
    ) -> None:
        """Raise the failure of calls of which no order explains what they came to.

        `lanes` are those that are shown, if not all. A failure that is tolerated is counted: nobody
        can say from which state the run goes on.
        """
        differs, at = miss.disagreement, miss.at
        for call, expected, _, answers in miss.order[:-1]:  # so that ids are named in what is shown
            if answers and expected is not None and call.outcome is not None:
                self._agree(untold(expected), untold(call.outcome))
        if differs.of.startswith("census "):
            at = to_blame(miss, self)
        if at not in calls:  # it goes on since an earlier window: what let it is one of these
            at = calls[-1]
        if differs.of == "outcome":
            shown = self._shown(differs.actual, differs.expected)  # type: ignore[arg-type]
            differs = replace(differs, actual=shown)
        signature = self._signature(at.operation, differs, miss.broken)
        if any(is_signature_of(text, signature) for text in self._tolerates):
            self.tolerated[str(signature)] = self.tolerated.get(str(signature), 0) + 1
            self.undecided += 1
            return
        self.has_diverged = True
        of_outcome = differs.of == "outcome"
        plainly = at.outcome if isinstance(at.outcome, Unknown) else at.expected
        wanted: Any = differs.expected if of_outcome else plainly
        shows: Any = differs.actual if of_outcome else wanted
        others = [call for call in calls if call is not at]
        steps = [*self.steps, *steps_of(others, miss.order)]
        steps.append(Step(at.number, at.operation, wanted, shows))
        policy = plain(self.model.policy)
        failure = Failure(signature, differs, tuple(steps), self.settings, policy)
        order = [each.call.number for each in miss.order]
        raise with_lanes(divergence_type(signature)(failure), lanes or calls, order, self._threads)
