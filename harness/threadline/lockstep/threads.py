"""Threads of operations, one of which goes on at a time: they are switched at lines, as drawn."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, TypeAlias

from ..driver import Driver
from ..outcome import Crashed, Outcome
from ..pump import NotDone
from ..schedule import CURRENT, MARKS_MAX, Call, Schedule
from . import locks
from .lent import Counted, Lending
from .outcomes import crashed

End: TypeAlias = Callable[[Call, Outcome], None]
Trace: TypeAlias = Callable[[FrameType, str, Any], Any]

LINES_MAX = 1_000_000  # of one operation, behind which it has no end; our choice
LINES_AT_ONCE = 1_000  # behind which others go on, for which a loop may wait; our choice
TURNS_MAX = 100_000  # of all threads, until they are parked or over
# Where code of the system can be called while a lock is held that is not lent: no place to switch.
# Of an import, the lines also run once in a process alone.
QUIET = frozenset({"logging", "importlib._bootstrap", "importlib._bootstrap_external"})
LOST = "make locks when the driver is made: nobody gives back one that was made before"


class Abandoned(BaseException):
    """Raised in a thread that will not go on: the run is over."""


class Threads:
    """Runs operations in threads of their own, of which at most one goes on at any time.

    A thread goes on until it is over, has to wait for a lock, or comes to a line at which the
    timing of its operation parks it; then another does. Which one is decided here alone, so that
    the same timings give the same run.
    """

    def __init__(self, schedule: Schedule, driver: type[Driver[Any]]) -> None:
        self.schedule = schedule
        self.elapsed_s = 0.0  # what sleeps and timeouts have taken so far
        self.errors: list[Crashed] = []
        self._counted = Counted(driver)
        self._lending = Lending(self._counted)
        self._kinds: dict[tuple[str, str], str] = {}
        self._living: list[Worker] = []
        self._waiting: list[Worker] = []  # for their first line, or for a lock; longest first

    def spawn(self, call: Call, work: Callable[[], Outcome], end: End) -> None:
        """Begin an operation in a thread; `end` is called with what it comes to."""
        context = copy_context()
        context.run(CURRENT.set, call)
        worker = Worker(self, call, work, end)
        name = f"operation {call.number}"
        thread = threading.Thread(target=context.run, args=(worker.main,), name=name, daemon=True)
        self.start(worker, thread)

    def start(self, worker: Worker, thread: threading.Thread) -> None:
        """Start a thread; it waits for its turn."""
        worker.thread = thread
        locks.REAL_START(thread)
        self._living.append(worker)
        self._waiting.append(worker)

    def of(self, thread: threading.Thread) -> Worker | None:
        """Return the one of the run whose thread this is."""
        return next((worker for worker in self._living if worker.thread is thread), None)

    def error(self) -> Crashed | None:
        """Return what has ended a thread that the system had started, if anything did."""
        return self.errors.pop(0) if self.errors else None

    def tick(self) -> None:
        """Run what can go on, and those that are parked until the next tick.

        Raises NotDone where that has no end, and what a thread raises that is no outcome.
        """
        self._settle()
        self.schedule.advance(self._settle)

    def expire(self) -> bool:
        """Fire the timeout that is due first, as no thread can run; False: no thread has one.

        Timeouts fire at no other time: running operations takes no time.
        """
        timed = [worker for worker in self._waiting if worker.until_s is not None]
        if not timed:
            return False
        min(timed, key=lambda worker: worker.until_s or 0.0).time_out()
        return True

    def stacks(self) -> str:
        """Return where each thread waits, which its lane shows too: nothing else goes on."""
        for worker in self._waiting:
            worker.mark()
        return ", ".join(worker.place() for worker in self._living) or "no thread"

    def close(self) -> None:
        """End the operations that still wait, as behind a deadlock; what else there is goes free.

        Threads that the system has started are its own to end, when it is closed.
        """
        living, self._living = self._living, []
        self._waiting.clear()
        for worker in living:
            worker.leave()

    def resume(self, worker: Worker) -> None:
        """Run one thread until it is switched, waits or ends."""
        with self._lending, _no_garbage():
            is_back = worker.go_on()
        if not is_back or worker.call.points > LINES_MAX:
            self._living.remove(worker)
            limit = f"{LINES_MAX:,} lines" if is_back else f"{locks.HANG_S:g} s"
            place = worker.place() if is_back else f"{worker.place()}; {LOST}"
            worker.abandon(is_lost=not is_back)
            raise NotDone(limit, place)
        if worker.is_over:
            self._living.remove(worker)
            worker.end()
        elif worker.waits_for is not None:
            self._waiting.append(worker)

    def _settle(self) -> None:
        for _ in range(TURNS_MAX):
            worker = next((each for each in self._waiting if each.can_go_on()), None)
            if worker is None:
                return
            self._waiting.remove(worker)
            self.resume(worker)
        raise NotDone(f"{TURNS_MAX:,} turns", self.stacks())

    def kind(self, frame: FrameType) -> str:
        """Return what the code of a frame is: "counted", "quiet", or "" for any other."""
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        found = self._kinds.get((module, code.co_filename))
        if found is None:
            found = "counted" if self._counted.has(module, code.co_filename) else ""
            found = "quiet" if module in QUIET else found
            self._kinds[module, code.co_filename] = found
        return "" if id(code) in self._counted.of_driver else found


@dataclass(slots=True, eq=False)
class Parked:
    """A thread that waits for its tick."""

    threads: Threads
    worker: Worker

    def act(self, *, is_last: bool) -> bool:  # noqa: ARG002  # of Io
        return True

    def answer(self) -> None:
        self.threads.resume(self.worker)


class Worker:
    """A thread of an operation, which goes on only while the run waits for it.

    It is the operation's own, or one that the system has started in it, which has no `end`.
    """

    thread: threading.Thread

    def __init__(
        self, threads: Threads, call: Call, work: Callable[[], Any], end: End | None = None
    ) -> None:
        self.call = call
        self.is_over = False
        self.waits_for: Callable[[], bool] | None = lambda: True  # for its turn
        self.until_s: float | None = None
        self._threads, self._work, self._end = threads, work, end
        self._ticks = dict(call.operation.timing.delays)
        self._since = 0  # when it has begun to wait
        self._quiet = 0  # frames that go on, in which no thread is switched
        self._has_timed_out = self._is_abandoned = self._is_free = False
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._go, self._back = locks.REAL_LOCK(), locks.REAL_LOCK()
        self._go.acquire()
        self._back.acquire()

    def go_on(self) -> bool:
        """Run the thread until it is switched or waits; return False if it never comes to that."""
        self.waits_for = self.until_s = None
        self._go.release()
        is_back = self._back.acquire(timeout=locks.HANG_S)
        if self.is_over:
            self.thread.join(locks.HANG_S)
        return is_back

    def can_go_on(self) -> bool:
        """Return whether what the thread waits for is there; it has it then."""
        return self.waits_for is not None and self.waits_for()

    def end(self) -> None:
        """Report the result of the thread; raises an error that is no outcome of a system."""
        if self._end is None:
            if self._error is not None:
                died = crashed(self._error)
                self._threads.errors.append(replace(died, error=f"error in a thread: {died.error}"))
        elif self._error is not None:
            raise self._error
        else:
            self._threads.schedule.made += self.call.points
            self._end(self.call, self._outcome)

    def leave(self) -> None:
        """End an operation that waits; let what the system has started go on by itself."""
        if self._end is not None:
            self.abandon()
        else:
            self._is_free = True
            self._go.release()

    def abandon(self, *, is_lost: bool = False) -> None:
        """End the thread wherever it is; one that is lost is left behind."""
        self._is_abandoned = True
        self._go.release()
        if not is_lost:
            self.thread.join(locks.HANG_S)

    def time_out(self) -> None:
        """End its wait by its timeout."""
        self._threads.elapsed_s = max(self._threads.elapsed_s, self.until_s or 0.0)
        self._has_timed_out = True
        self.waits_for = lambda: True

    def mark(self) -> None:
        """Note for a reader since when it has waited."""
        tick = self._threads.schedule.tick
        if self._since < tick and len(self.call.marks) < MARKS_MAX:
            self.call.marks.append((self._since, tick))

    def place(self) -> str:
        """Return the line of the system that the thread is in."""
        frame = sys._current_frames().get(self.thread.ident or 0)
        while frame is not None:
            if self._threads.kind(frame) == "counted":
                return _line_of(frame)
            frame = frame.f_back
        return self.call.operation.kind

    # What follows is called in the thread itself.

    def wait_until(self, is_over: Callable[[], bool], timeout_s: float) -> bool:
        self._has_timed_out = False
        self.until_s = self.now() + timeout_s if timeout_s >= 0 else None
        self.waits_for = is_over
        self._since = self._threads.schedule.tick
        self._pause()
        self.mark()
        return not self._has_timed_out

    def give_way(self, seconds: float) -> None:
        self._threads.elapsed_s += max(0.0, seconds)
        self._park(1)

    def now(self) -> float:
        return self._threads.elapsed_s

    def start(self, thread: threading.Thread) -> None:
        worker = Worker(self._threads, self.call, thread.run)
        thread.run = worker.main  # type: ignore[method-assign]  # of this one
        # It is waited for until it has begun, which it does before it takes turns.
        locks.CURRENT_THREAD.waiter = None
        try:
            self._threads.start(worker, thread)
        finally:
            locks.CURRENT_THREAD.waiter = self

    def join(self, thread: threading.Thread, timeout_s: float) -> None:
        worker = self._threads.of(thread)
        if worker is None or self.wait_until(lambda: worker.is_over, timeout_s):
            locks.REAL_JOIN(thread, None if timeout_s < 0 else timeout_s)

    def main(self) -> None:
        """Do the work, when it is its turn."""
        self._go.acquire()
        if not self._is_abandoned:
            locks.CURRENT_THREAD.waiter = None if self._is_free else self
            sys.settrace(self._trace)
            try:
                self._outcome = self._work()
            except BaseException as error:  # told where the run is played
                self._error = error
            finally:
                sys.settrace(None)
                locks.CURRENT_THREAD.waiter = None
        self.is_over = True
        if not self._is_free:
            self._back.release()

    def _pause(self) -> None:
        if not self._is_abandoned:
            self._back.release()
            self._go.acquire()
        if self._is_abandoned:
            raise Abandoned
        if self._is_free:
            locks.CURRENT_THREAD.waiter = None

    def _park(self, ticks: int) -> None:
        self._threads.schedule.hold(Parked(self._threads, self), ticks, self.call)
        self._pause()

    def _trace(self, frame: FrameType, _event: str, _argument: Any) -> Trace | None:
        """Be told of each call of a function."""
        kind = self._threads.kind(frame)
        if kind == "quiet":
            self._quiet += 1
            frame.f_trace_lines = False
            return self._leave
        return self._line if kind else None

    def _leave(self, _frame: FrameType, event: str, _argument: Any) -> Trace:
        self._quiet -= event == "return"
        return self._leave

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Trace:
        """Be told of each line before it runs, and be put aside there, or go on."""
        if event == "line" and not self._quiet and not self._is_free:
            if self._is_abandoned:
                raise Abandoned
            call = self.call if not self.call.ended else self._handed_on()
            call.points += 1
            if ticks := self._ticks.get(call.points):
                call.stops.append(_line_of(frame))
                self._park(abs(ticks))
            elif not call.points % LINES_AT_ONCE:
                self._pause() if call.points > LINES_MAX else self._park(1)
        return self._line

    def _handed_on(self) -> Call:
        """Return the operation to which a thread belongs whose own is over: the latest."""
        self.call = self._threads.schedule.latest or self.call
        self._ticks = dict(self.call.operation.timing.delays)
        return self.call


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Keep the collector from running the system's code where it happens to be due."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _line_of(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} line {frame.f_lineno}"
