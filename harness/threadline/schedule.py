"""A schedule: which operations are under way, and when each of their I/Os is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from .operation import Operation
from .outcome import Outcome

BUSY_TICKS = 50  # for which a statement waits for a lock, while anything else goes on; our choice
MARKS_MAX = 200  # of one call, for a reader; our choice


class Io(Protocol):
    """One I/O of a system: it is done at one moment, and answered at the same or a later one."""

    def act(self, *, is_last: bool) -> bool:
        """Do it; return False where it has to wait for others, which the last time it may not."""
        ...

    def answer(self) -> None:
        """Complete the I/O: its task goes on, unless it was cancelled."""
        ...


@dataclass(slots=True, eq=False)
class Call:
    """One operation that was begun: its task, and its place among all begins and ends of a run.

    `ended` is 0 while it goes on. `points` counts its I/Os. `marks` are what a reader is shown: at
    which tick an I/O has begun to wait, and at which it was answered. Of a thread, `points` are
    lines, and `stops` are those before which it was put aside. `goes_on` says whether the model has
    done more in it than the operation's first moment. `resumptions` counts how often a task of it
    was ready to go on, where such are reordered. `is_lost` says that it ended with its process.
    """

    number: int
    operation: Operation
    expected: Outcome
    began: int = 0
    ended: int = 0
    began_at: int = 0
    ended_at: int = 0
    task: asyncio.Task[Any] | None = None
    outcome: Outcome | None = None
    goes_on: bool = False
    points: int = 0
    resumptions: int = 0
    is_cancelled: bool = False
    is_lost: bool = False
    marks: list[tuple[int, int]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        """Whether its caller gets no answer."""
        return self.is_cancelled or self.is_lost


CURRENT: ContextVar[Call | None] = ContextVar("the operation that goes on", default=None)


@dataclass(slots=True, eq=False)
class Held:
    """An I/O that is under way: it is answered at tick `until`, and done then if not before."""

    until: int
    io: Io
    stream: object
    since: int
    call: Call
    is_done: bool = False
    tries: int = 0
    seen: int = -1  # what others had made and done by its last try


class Schedule:
    """Decides when each I/O of operations that overlap is done, as their timings say.

    An I/O belongs to the operation in whose context it is made, also in tasks that it has started.
    One of a task that no operation has started, or whose operation is over, belongs to the
    operation that began last. Within a stream, as the statements of one connection, I/Os are done
    in their order. So does a task that is ready belong to one: where it `reorders`, the timing says
    how late that goes on.
    """

    def __init__(self, *, reorders: bool = False) -> None:
        self.reorders = reorders
        self.tick = 0
        self.held: list[Held] = []
        self.latest: Call | None = None
        self.made = 0  # I/Os so far
        self._done = 0  # of those that were held
        self._moments = count(1)
        self._to_cancel: list[Call] = []
        self._lost: list[Held] = []  # kept, or the collector would end the tasks that wait for them
        self._leaving: list[Call] = []  # those who are cancelled some ticks after their begin

    def begin(self, call: Call) -> None:
        """Note that a call begins now."""
        call.began, call.began_at = next(self._moments), self.tick
        self.latest = call
        if call.operation.timing.cancelled_at < 0:
            self._leaving.append(call)

    def end(self, call: Call) -> None:
        """Note that a call is over now."""
        call.ended, call.ended_at = next(self._moments), self.tick

    def take(self, io: Io, stream: object = None) -> None:
        """Do an I/O now, or hold it as long as the timing of its operation says."""
        self.made += 1
        call = self._owner(CURRENT.get())
        if call is None:
            self._finish(io)
            return
        call.points += 1
        timing = call.operation.timing
        delay = timing.delay(call.points)
        if timing.cancelled_at == call.points and not call.ended:
            self._to_cancel.append(call)
            delay = delay or 1
        # Those of its stream that come first, also one that is due now and was not answered so far.
        before = [each.until for each in self.held if stream is not None and each.stream is stream]
        if not delay and not before:
            if io.act(is_last=False):
                io.answer()
                return
            delay = 1
        until = max([self.tick + abs(delay), *before])
        held = Held(until, io, stream, self.tick, call)
        if delay < 0 and not before:
            held.is_done = io.act(is_last=False)
        self.held.append(held)

    def hold(self, io: Io, ticks: int, call: Call) -> None:
        """Hold an I/O for so many ticks, whatever else there is."""
        self.held.append(Held(self.tick + ticks, io, None, self.tick, call))

    def lets(self, ready: Ready) -> bool:
        """Return whether a task that is ready goes on now; if not, it is held."""
        call = self._owner(ready.call)
        if call is None:
            return True
        call.resumptions += 1
        ticks = call.operation.timing.resumed(call.resumptions)
        if ticks:
            self.hold(ready, ticks, call)
        return not ticks

    def let_all(self) -> None:
        """Resume every task that is ready and was held back, in the order of holding."""
        for each in [each for each in self.held if isinstance(each.io, Ready)]:
            self.held.remove(each)
            each.io.answer()

    def lose(self) -> None:
        """Drop every I/O that is under way, for good: the process that waits for it has crashed."""
        for held in self.held:
            self._mark(held)
        self._lost += self.held
        self.held.clear()
        self._to_cancel.clear()
        self._leaving.clear()

    def _owner(self, call: Call | None) -> Call | None:
        return self.latest if call is None or call.ended else call

    def cancel(self) -> bool:
        """Cancel the callers whose time has come; return whether there were any."""
        calls, self._to_cancel = self._to_cancel, []
        for call in calls:
            if call.task is not None and not call.task.done():
                call.is_cancelled = True
                call.task.cancel()
        return bool(calls)

    def advance(self, settle: Callable[[], object]) -> None:
        """Go on by a tick: finish each I/O that is due, one by one, and settle after each."""
        self.tick += 1
        self._leave()
        while (held := self._due()) is not None:
            if not held.is_done and not self._act(held):
                continue
            self.held.remove(held)
            self._mark(held)
            held.io.answer()
            settle()

    @property
    def goes_on(self) -> bool:
        """Whether anything happens by itself in a later tick."""
        return bool(self.held or self._to_cancel or self._waiting())

    def skip(self) -> None:
        """Go on to just before the next tick in which something happens."""
        ticks = [*(each.until for each in self.held), *map(_leaves_at, self._waiting())]
        if ticks:
            self.tick = max(self.tick, min(ticks) - 1)

    def _waiting(self) -> list[Call]:
        return [call for call in self._leaving if not call.ended]

    def _leave(self) -> None:
        """Note who is to be cancelled in this tick."""
        due = [call for call in self._waiting() if _leaves_at(call) <= self.tick]
        self._leaving = [call for call in self._waiting() if call not in due]
        self._to_cancel += due

    def _due(self) -> Held | None:
        due = [each for each in self.held if each.until <= self.tick]
        return min(due, key=lambda each: each.until, default=None)

    def _act(self, held: Held) -> bool:
        """Do an I/O that was held; return False where it waits for another tick."""
        held.tries += 1
        waits_alone = all(each.tries > 1 for each in self.held if each is not held)
        seen = self.made + self._done
        is_stuck = waits_alone and held.seen == seen  # else what it waits for may be over by now
        is_last = held.tries > BUSY_TICKS or (held.tries > 2 and is_stuck)
        if held.io.act(is_last=is_last):
            self._done += 1
            return True
        held.until, held.seen = self.tick + 1, seen
        for each in self.held:  # those behind it in its stream
            if each.stream is held.stream and held.stream is not None:
                each.until = max(each.until, held.until)
        return False

    def _mark(self, held: Held) -> None:
        if len(held.call.marks) < MARKS_MAX:
            held.call.marks.append((held.since, self.tick))

    @staticmethod
    def _finish(io: Io) -> None:
        io.act(is_last=True)
        io.answer()


def _leaves_at(call: Call) -> int:
    return call.began_at - call.operation.timing.cancelled_at


@dataclass(slots=True, eq=False)
class Answered:
    """An I/O that answers a future with what a function returns or raises.

    `is_busy` says of an exception whether the function is to be called again later.
    """

    future: asyncio.Future[Any]
    work: Callable[[], object]
    is_busy: Callable[[Exception], bool] = lambda _: False
    value: object = None
    error: Exception | None = None

    def act(self, *, is_last: bool) -> bool:
        self.error = None
        try:
            self.value = self.work()
        except StopIteration as error:
            self.error = RuntimeError(f"{self.work} raised {error!r}")
        except Exception as error:
            if not is_last and self.is_busy(error):
                return False
            self.error = error
        return True

    def answer(self) -> None:
        if self.future.done():
            return  # whoever has waited for it is gone
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


@dataclass(slots=True, eq=False)
class Ready:
    """A task of a call that is ready to go on, and is put aside until it is answered."""

    handle: asyncio.Handle
    call: Call | None
    go_on: Callable[[asyncio.Handle], object]

    def act(self, *, is_last: bool) -> bool:  # noqa: ARG002  # as any Io
        return True

    def answer(self) -> None:
        self.go_on(self.handle)
