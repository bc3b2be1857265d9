"""A pump: lets a synchronous driver call an asynchronous system, in virtual time, on no thread."""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context, copy_context
from functools import partial
from heapq import heappush
from itertools import count
from threading import get_ident
from types import GeneratorType
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

from .clock import VirtualClock
from .schedule import CURRENT, Answered, Call, Ready, Schedule

T = TypeVar("T")
TURNS_MAX = 100_000
CLOCK_RESOLUTION_S = 1e-6


class NotDone(RuntimeError):
    """A call did not come back: it waits for what cannot happen, or never stops turning."""

    def __init__(self, limit: str, stacks: str) -> None:
        super().__init__(f"not done within {limit}; waiting in {stacks}")
        self.limit = limit
        self.stacks = stacks


class LeavesLoop(RuntimeError):
    """The system would leave the loop for a socket or a process, which no replay can repeat."""


class _NoSelector:
    """Stands where a loop keeps its selector: there is nothing outside to wait for."""

    def select(self, _timeout: float | None) -> list[object]:
        return []

    def close(self) -> None:
        pass


class TimerHandle(asyncio.TimerHandle):
    """A timer that comes after those that were set before it for the same instant.

    asyncio orders timers by their time alone, in a heap that keeps no order among equal ones.
    """

    __slots__ = ("number",)
    number: int

    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        if isinstance(other, TimerHandle) and self.when() == other.when():
            return self.number < other.number
        return super().__lt__(other)


class Task(asyncio.Task[Any]):
    """A task whose place in a set is that of its making, in this process as in any other.

    Sets of tasks and futures, as asyncio.wait returns and cancel scopes keep them, follow addresses
    otherwise.
    """

    def __init__(self, work: Any, *, number: int, **more: Any) -> None:
        self.number = number  # before it is made, as asyncio puts it into a set on the way
        super().__init__(work, **more)

    def __hash__(self) -> int:
        return self.number


class Future(asyncio.Future[Any]):
    """A future whose place in a set is that of its making."""

    def __init__(self, *, number: int, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.number


class _Loop(asyncio.BaseEventLoop):
    """asyncio's own loop, first in first out, on virtual time and without a selector.

    What would run on a thread runs inline; what would reach a socket or a process is refused at
    the call. Only where it `reorders` may tasks that are ready go on later, as the schedule says.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._selector = _NoSelector()
        # A timer that is due must fire: asyncio's own 1 ns is lost beside seconds since the epoch.
        self._clock_resolution = CLOCK_RESOLUTION_S
        self.errors: list[dict[str, Any]] = []
        self._made: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._failed: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.opened: WeakSet[Any] = WeakSet()  # each has a method `crash`
        self.turns = 0
        self.turning = 0  # the number of the turn that goes on now; 0 between turns
        self._timers = count()
        self._numbers = count(1)
        self.set_task_factory(lambda _, work, **more: self._task(work, **more))
        self.schedule: Schedule | None = None
        self.reorders = False
        self._let: list[asyncio.Handle] = []  # tasks that go on after all
        self.set_exception_handler(lambda _, context: self.errors.append(context))

    def time(self) -> float:
        return self._clock.now()

    def call_at(  # type: ignore[override]  # the stub tells the types of *args apart
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        timer = TimerHandle(when, callback, args, self, context)
        timer.number = next(self._timers)
        heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]  # as asyncio's own call_at does
        return timer

    def _task(self, work: Any, **more: Any) -> Task:
        return Task(work, number=next(self._numbers), loop=self, **more)

    def create_future(self) -> asyncio.Future[Any]:
        return Future(number=next(self._numbers), loop=self)

    def create_task(self, *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task = super().create_task(*args, **kwargs)
        self._made.add(task)
        return task

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done; asyncio.all_tasks looks at every loop's."""
        return [task for task in self._made if not task.done()]

    def has_failed_task(self) -> bool:
        """Return whether a task that is new among the failed has an exception nobody asked for.

        asyncio notes that for its own warning, which comes when the task is freed.
        """
        failed = [task for task in self._made if task.done() and task._log_traceback]
        if not failed:
            return False
        is_new = any(task not in self._failed for task in failed)
        self._failed = WeakSet(failed)
        return is_new

    def run_in_executor(  # type: ignore[override]  # the loop's stub is generic in typeshed's terms
        self, _executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        answered = Answered(done, partial(func, *args))
        if self.schedule is not None:
            self.schedule.take(answered)
        else:
            answered.act(is_last=True)
            answered.answer()
        return done

    def call_soon_threadsafe(  # type: ignore[override]  # there is one thread
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def turn(self) -> None:
        """Run what is ready now."""
        self.turns += 1
        self.turning = self.turns
        if self.reorders and self.schedule is not None:
            self._put_aside(self.schedule)
        self._run_once()  # type: ignore[attr-defined]
        self.turning = 0

    def _put_aside(self, schedule: Schedule) -> None:
        """Take each task out of what is ready that is to go on later."""
        ready, let = self._ready, self._let  # type: ignore[attr-defined]
        self._let = []
        kept = [
            handle
            for handle in ready
            if any(handle is each for each in let)
            or not isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)
            or schedule.lets(Ready(handle, handle._context.get(CURRENT), self._let_go_on))
        ]
        if len(kept) < len(ready):
            ready.clear()
            ready.extend(kept)

    def _let_go_on(self, handle: asyncio.Handle) -> None:
        self._let.append(handle)
        self._ready.append(handle)  # type: ignore[attr-defined]

    def is_idle(self) -> bool:
        """Return whether nothing is ready, and no timer is due."""
        if self._ready:  # type: ignore[attr-defined]
            return False
        timer = self.next_timer()
        return timer is None or timer > self.time()

    def next_timer(self) -> float | None:
        """Return when the next timer that is not cancelled is due, or None."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if scheduled and not scheduled[0].cancelled():
            return scheduled[0].when()  # it is a heap
        return min((timer.when() for timer in scheduled if not timer.cancelled()), default=None)

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def running_schedule() -> Schedule | None:
    """Return the schedule of the pump within which the caller runs, if operations overlap there."""
    loop = events._get_running_loop()
    return loop.schedule if isinstance(loop, _Loop) else None


def outlived_by(opened: object) -> None:
    """Note what would outlive a crash of the process within whose pump the caller runs."""
    loop = events._get_running_loop()
    if isinstance(loop, _Loop):
        loop.opened.add(opened)


def is_pumped() -> bool:
    """Return whether the caller runs within a pump: on a loop that is turned by hand."""
    return isinstance(events._get_running_loop(), _Loop)


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise LeavesLoop(f"loop.{name} leaves the loop; give the system an in-memory peer instead")

    return refuse


for _name in (
    "create_connection", "create_server", "create_datagram_endpoint", "create_unix_connection",
    "create_unix_server", "connect_read_pipe", "connect_write_pipe", "subprocess_exec",
    "subprocess_shell", "add_reader", "add_writer", "add_signal_handler", "sock_connect",
    "sock_recv", "sock_sendall", "sock_accept", "getaddrinfo", "getnameinfo",
):  # fmt: skip
    setattr(_Loop, _name, _refuse(_name))


class _Apart:
    """Awaits a coroutine in a context of its own: what it sets, the next call does not see.

    One task serves all calls, where a server has one for each connection.
    """

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self.work = work

    def __await__(self) -> Generator[Any, Any, Any]:
        context = copy_context()
        resume: Callable[[], Any] = partial(self.work.send, None)
        while True:
            try:
                awaited = context.run(resume)
            except StopIteration as done:
                return done.value
            try:
                resume = partial(self.work.send, (yield awaited))
            except BaseException as error:  # asyncio throws into a task what is to end it
                resume = partial(self.work.throw, error)


class Pump:
    """A loop that is entered once and turned by hand, so that each call is one plain function call.

    The clock is the only time there is. Close it at the end of the run.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self._loop = _Loop(self.clock)
        self._work: asyncio.Future[tuple[Coroutine[Any, Any, Any], asyncio.Future[Any]]]
        self._within(self._start)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, to be looked at: its tasks and its timers."""
        return self._loop

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What was reported to the loop and nobody awaited: asyncio's exception contexts."""
        return self._loop.errors

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and everything that is ready beside it, without waiting.

        Raises what it raises, and NotDone when it can only go on after time has passed or after
        TURNS_MAX turns of the loop.
        """
        result: T = self._within(lambda: self._call(work))
        return result

    @property
    def turning(self) -> int:
        """The number of the turn that its loop makes now; 0 between turns."""
        return self._loop.turning

    @property
    def schedule(self) -> Schedule | None:
        """What decides when I/O is done, where operations overlap."""
        return self._loop.schedule

    @schedule.setter
    def schedule(self, schedule: Schedule | None) -> None:
        self._loop.schedule = schedule

    def hand_over(self, pump: Pump) -> None:
        """Give the schedule to another pump, and what was reported here; this one is not run again.

        Its connections to a database are closed as they are, as at the end of a process.
        """
        pump.schedule, self.schedule = self.schedule, None
        pump.errors.extend(self.errors)
        for opened in list(self._loop.opened):
            opened.crash()
        if pump.schedule is not None:
            pump.schedule.lose()

    def spawn(self, work: Coroutine[Any, Any, Any], call: Call) -> asyncio.Task[Any]:
        """Begin a coroutine as a task of its own; what it does I/O for belongs to this call."""

        def begin() -> asyncio.Task[Any]:
            context = copy_context()
            context.run(CURRENT.set, call)
            return self._loop.create_task(work, name=f"step {call.number}", context=context)

        return self._within(begin)

    def tick(self) -> None:
        """Run what is ready, cancel who is to be cancelled, and finish the I/O of the next tick.

        Raises NotDone where what is ready has no end. Does nothing where nothing overlaps.
        """
        self._within(self._tick)

    def stacks(self) -> str:
        """Return where each task waits."""
        return self._stacks()

    def has_failed_task(self) -> bool:
        """Return whether a task has ended with an exception that nobody has asked for so far."""
        return self._loop.has_failed_task()

    def settle(self) -> None:
        """Run everything that is ready; raises NotDone where that has no end."""
        self._within(self._settle)

    def advance(self, seconds: float) -> None:
        """Advance time from timer to timer, settling the system at each."""
        self._within(lambda: self._advance(self.clock.now() + seconds))

    def close(self) -> None:
        """Cancel what still runs, and close the loop."""
        if not self._loop.is_closed():
            try:
                self._within(self._cancel_all)
            finally:
                self._loop.close()

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, without the pump's own."""
        return [task for task in self._loop.tasks() if task is not self._resident]

    def _start(self) -> None:
        self._work = self._loop.create_future()
        self._resident = self._loop.create_task(self._serve(), name="pump")
        self._loop.turn()

    async def _serve(self) -> None:
        """Await one coroutine after another in this one task, until another has taken over."""
        this_task = asyncio.current_task()
        while self._resident is this_task:
            work, result = await self._work
            self._work = self._loop.create_future()
            try:
                value = await _Apart(work)
            except BaseException as error:
                if isinstance(error, GeneratorExit) and not is_pumped():
                    raise  # it is this task that is closed
                if not result.done():
                    result.set_exception(error)
            else:
                if not result.done():
                    result.set_result(value)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        result: asyncio.Future[T] = self._loop.create_future()
        self._work.set_result((work, result))
        for _ in range(TURNS_MAX):
            self._loop.turn()
            if result.done():
                return result.result()
            if self._loop.is_idle() and not self._goes_on():
                break
        stacks = self._stacks()
        result.cancel()  # given up: should it come back, nobody is told
        self._start()  # another task serves the calls to come
        raise NotDone(f"{TURNS_MAX:,} turns, or without time passing", stacks)

    def _goes_on(self) -> bool:
        """Finish an I/O of another operation, for which a call may wait; False if there is none."""
        if self.schedule is None or not self.schedule.goes_on:
            return False
        self.schedule.skip()
        self.schedule.advance(self._settle)
        return True

    def _tick(self) -> None:
        if self.schedule is None:
            self._settle()
            return
        self._loop.reorders = self.schedule.reorders
        try:
            self._settle()
            if self.schedule.cancel():
                self._settle()
            self.schedule.advance(self._settle)
            if self.schedule.cancel():
                self._settle()
        finally:
            self._loop.reorders = False

    def _settle(self) -> None:
        for _ in range(TURNS_MAX):
            if self._loop.is_idle():
                return
            self._loop.turn()
        raise NotDone(f"{TURNS_MAX:,} turns", self._stacks())

    def _advance(self, until_s: float) -> None:
        self._settle()
        for _ in range(TURNS_MAX):
            timer = self._loop.next_timer()
            if timer is None or timer > until_s:
                break
            self.clock.advance(max(0.0, timer - self.clock.now()))
            self._settle()
        else:
            raise NotDone(f"{TURNS_MAX:,} timers", self._stacks())
        self.clock.advance(until_s - self.clock.now())
        self._settle()

    def _cancel_all(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._settle()

    def _stacks(self) -> str:
        """Return where each task waits, sorted: task names count up all through the process."""
        return ", ".join(sorted(map(_waits_in, asyncio.all_tasks(self._loop)))) or "no task"

    def _within(self, work: Callable[[], T]) -> T:
        """Run work as if inside the loop, and leave no trace of it outside."""
        outside = events._get_running_loop()
        events._set_running_loop(self._loop)
        self._loop._thread_id = get_ident()  # type: ignore[attr-defined]  # so is_running() holds
        try:
            return work()
        finally:
            self._loop._thread_id = None  # type: ignore[attr-defined]
            events._set_running_loop(outside)


def _waits_in(task: asyncio.Task[Any]) -> str:
    """Return the innermost coroutine that a task waits in, without asyncio's own, and its line."""
    place = "asyncio"
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None)
        if frame is not None and not frame.f_globals["__name__"].startswith("asyncio."):
            place = f"{frame.f_code.co_qualname} line {frame.f_lineno}"
        awaited = getattr(awaited, "cr_await", None)
        if isinstance(awaited, GeneratorType) and awaited.gi_frame is not None:
            apart = awaited.gi_frame.f_locals.get("self")
            awaited = apart.work if isinstance(apart, _Apart) else awaited
    return place
