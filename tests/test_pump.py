"""Tests of the pump: a coroutine is called like a function, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from threadline import pump as pump_file
from threadline.clock import VirtualClock
from threadline.pump import LeavesLoop, NotDone, Pump

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump(VirtualClock(start_s=1_700_000_000.0))
    yield pump
    pump.close()


@pytest.fixture
def few_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)


async def answer() -> int:
    return 42


async def fail(error: BaseException) -> None:
    raise error


async def sleep_and_tell(told: list[str], seconds: float, text: str) -> None:
    try:
        await asyncio.sleep(seconds)
        told.append(text)
    except asyncio.CancelledError:
        told.append("cancelled")
        raise


async def start(*works: Coroutine[Any, Any, Any]) -> None:
    """Start a task for each coroutine, and do not wait for it."""
    for work in works:
        asyncio.ensure_future(work)  # noqa: RUF006  # the pump lists and ends it


async def wait_for_nothing() -> None:
    await asyncio.get_running_loop().create_future()


async def turn_for_ever() -> None:
    while True:
        await asyncio.sleep(0)


async def divide() -> None:
    asyncio.get_running_loop().call_soon(lambda: 1 // 0)
    await asyncio.sleep(0)


def test_returns_what_the_coroutine_returns(pump: Pump) -> None:
    """A call comes back with the value of its coroutine."""
    assert pump.call(answer()) == 42


@pytest.mark.parametrize("error", [KeyError("gone"), SystemExit(3), asyncio.CancelledError()])
def test_raises_what_the_coroutine_raises(pump: Pump, error: BaseException) -> None:
    """A call raises the very exception of its coroutine, and the call after it is served."""
    with pytest.raises(type(error)) as raised:
        pump.call(fail(error))

    assert raised.value is error
    assert pump.call(answer()) == 42


@pytest.mark.parametrize(("seconds", "told"), [(9.999, []), (10, ["woke"])])
def test_fires_a_timer_when_its_time_has_come(pump: Pump, seconds: float, told: list[str]) -> None:
    """A task that sleeps for ten seconds has gone on after ten, and not a millisecond before."""
    woken: list[str] = []
    pump.call(start(sleep_and_tell(woken, 10, "woke")))
    pump.advance(seconds)
    assert woken == told
    pump.advance(1)


def test_goes_from_deadline_to_deadline_in_order(pump: Pump) -> None:
    """Timers fire in the order of their deadlines, whatever the order in which they were set."""
    told: list[str] = []
    pump.call(start(*[sleep_and_tell(told, after, f"after {after}") for after in (3, 1, 2)]))
    pump.advance(60)
    assert told == ["after 1", "after 2", "after 3"]


def test_fires_equal_timers_in_the_order_in_which_they_were_set(pump: Pump) -> None:
    """asyncio's heap keeps no order among timers of one instant; ours are first in, first out."""
    told: list[str] = []
    pump.call(start(*[sleep_and_tell(told, 1, f"{number}") for number in range(100)]))
    pump.advance(1)
    assert told == [f"{number}" for number in range(100)]


def test_stops_the_clock_at_each_deadline(pump: Pump) -> None:
    """Who wakes sees the time of its own deadline; the clock ends at the end of the wait."""
    seen: list[float] = []

    async def look() -> None:
        await asyncio.sleep(5)
        seen.append(pump.clock.now())

    pump.call(start(look()))
    pump.advance(60.5)

    assert seen == [1_700_000_005.0]
    assert pump.clock.now() == 1_700_000_060.5


def test_fires_a_timer_that_a_timer_set(pump: Pump) -> None:
    """A second sleep that begins within the wait ends within it."""
    told: list[str] = []

    async def sleep_twice() -> None:
        await sleep_and_tell(told, 1, "once")
        await sleep_and_tell(told, 1, "twice")

    pump.call(start(sleep_twice()))
    pump.advance(2)

    assert told == ["once", "twice"]


def test_settles_what_is_ready(pump: Pump) -> None:
    """A task that needs no time is done after settling."""
    told: list[str] = []
    pump.call(start(sleep_and_tell(told, 0, "ready")))
    pump.settle()
    assert told == ["ready"]


def test_runs_executors_inline(pump: Pump) -> None:
    """What is given to an executor or to asyncio.to_thread runs in this thread, at once."""

    async def ask() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, threading.get_ident)

    assert pump.call(ask()) == threading.get_ident()
    assert pump.call(asyncio.to_thread(threading.get_ident)) == threading.get_ident()


def test_raises_what_an_executor_raises(pump: Pump) -> None:
    """An exception of a function given to an executor reaches who awaits it."""
    with pytest.raises(ValueError, match="invalid literal"):
        pump.call(asyncio.to_thread(int, "x"))


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("create_connection", lambda: asyncio.open_connection("localhost", 80)),
        ("create_server", lambda: asyncio.start_server(lambda *_: None, "localhost", 80)),
        ("subprocess_exec", lambda: asyncio.create_subprocess_exec("true")),
        ("subprocess_shell", lambda: asyncio.create_subprocess_shell("true")),
    ],
)
def test_refuses_to_leave_the_loop(
    pump: Pump, name: str, work: Callable[[], Coroutine[Any, Any, Any]]
) -> None:
    """What would reach a socket or a process is refused, under its name."""
    with pytest.raises(LeavesLoop, match=rf"loop\.{name} leaves the loop"):
        pump.call(work())


# What an asynchronous system may use.
def test_times_out(pump: Pump) -> None:
    """asyncio.timeout fires in virtual time."""
    told: list[str] = []

    async def wait() -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(10)
        except TimeoutError:
            told.append("timed out")

    pump.call(start(wait()))
    pump.advance(5)

    assert told == ["timed out"]


def test_runs_a_task_group(pump: Pump) -> None:
    """A task group ends within one call when its tasks need no time."""

    async def sum_of_two() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0, number)) for number in (1, 2)]
        return tasks[0].result() + tasks[1].result()

    assert pump.call(sum_of_two()) == 3


def test_hands_over_a_queue(pump: Pump) -> None:
    """What one call puts on a queue, a later call takes from it."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    pump.call(queue.put("first"))
    assert pump.call(queue.get()) == "first"


def test_wakes_who_waits_for_a_lock(pump: Pump) -> None:
    """A task that waits for a lock goes on in the call that releases it."""
    told: list[str] = []
    lock = asyncio.Lock()

    async def take() -> None:
        async with lock:
            told.append("taken")

    async def release() -> None:
        lock.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    pump.call(lock.acquire())
    pump.call(start(take()))
    pump.settle()
    assert told == []
    pump.call(release())
    assert told == ["taken"]


def test_gives_a_task_the_context_of_its_call(pump: Pump) -> None:
    """A task sees the context variables of the call that started it, the next call does not."""

    async def who() -> str:
        WHO.set("ana")
        return await asyncio.create_task(asyncio.sleep(0, WHO.get()))

    async def who_now() -> str:
        return WHO.get()

    assert pump.call(who()) == "ana"
    assert pump.call(who_now()) == "nobody"


def test_lists_the_tasks_that_go_on(pump: Pump) -> None:
    """The tasks of a system are listed, the pump's own is not."""

    async def begin() -> str:
        return asyncio.create_task(asyncio.sleep(3600), name="sleeper").get_name()

    pump.call(begin())
    assert [task.get_name() for task in pump.tasks()] == ["sleeper"]


def test_keeps_what_nobody_awaited(pump: Pump) -> None:
    """What a callback raises is kept among the errors of the loop."""
    pump.call(divide())
    assert isinstance(pump.errors[0]["exception"], ZeroDivisionError)


# Where a call does not come back.
def test_names_where_a_call_waits(pump: Pump) -> None:
    """A call that cannot come back tells the function in which it waits; the next one is served."""
    with pytest.raises(NotDone) as raised:
        pump.call(wait_for_nothing())

    assert "wait_for_nothing" in raised.value.stacks
    assert pump.call(answer()) == 42


def test_names_where_tasks_wait_in_a_stable_order(pump: Pump, few_turns: None) -> None:
    """The places where tasks wait are sorted, because the names of tasks count up in a process."""
    held = []  # or the garbage collector could take a task that waits for nothing

    async def begin() -> None:
        held.append(asyncio.create_task(turn_for_ever(), name="a"))
        held.append(asyncio.create_task(wait_for_nothing(), name="c"))
        held.append(asyncio.create_task(asyncio.sleep(9), name="b"))
        await wait_for_nothing()

    with pytest.raises(NotDone) as raised:
        pump.call(begin())

    names = re.sub(r" line \d+", "", raised.value.stacks)
    assert names == "asyncio, turn_for_ever, wait_for_nothing, wait_for_nothing"


def test_bounds_endless_turning(pump: Pump, few_turns: None) -> None:
    """A call that turns for ever is given up after TURNS_MAX turns."""
    with pytest.raises(NotDone, match="50 turns"):
        pump.call(turn_for_ever())


def test_bounds_endless_settling(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that turn for ever are given up after TURNS_MAX turns."""
    pump.call(start(turn_for_ever()))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)
    with pytest.raises(NotDone, match="50 turns"):
        pump.settle()


def test_refuses_more_timers_than_it_can_play(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait over more deadlines than TURNS_MAX is not cut short in silence."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(1)

    pump.call(start(beat()))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)
    with pytest.raises(NotDone, match="50"):
        pump.advance(51)


def test_gives_no_call_the_value_of_another(pump: Pump) -> None:
    """A call given up earlier, when it ends at last, does not answer the call that goes on now."""
    with pytest.raises(NotDone):
        pump.call(asyncio.sleep(1, "late"))
    pump.advance(1)
    assert pump.call(answer()) == 42


def test_leaves_no_running_loop_behind(pump: Pump) -> None:
    """Outside a call, nobody sees a running loop, not even after a call that hangs."""
    pump.call(answer())
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    with pytest.raises(NotDone):
        pump.call(wait_for_nothing())
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


# Its own end.
def test_cancels_tasks_when_it_closes(pump: Pump) -> None:
    """A task that sleeps is cancelled at the end of the run; closing again does nothing."""
    told: list[str] = []
    pump.call(start(sleep_and_tell(told, 3600, "woke")))
    pump.settle()
    pump.close()
    pump.close()

    assert told == ["cancelled"]
    assert pump.tasks() == []


def test_closes_over_a_task_that_will_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that swallows its cancelling is told of, and the loop is closed all the same."""

    async def refuse_to_end() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    pump = Pump()
    pump.call(start(refuse_to_end()))
    pump.call(asyncio.sleep(0))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)
    with pytest.raises(NotDone, match="refuse_to_end"):
        pump.close()

    pump.close()


def test_sets_of_tasks_and_futures_are_in_one_order() -> None:
    """Whatever addresses they have: what asyncio.wait returns is iterated the same in every run."""

    async def order(junk: list[object]) -> list[str]:
        async def nothing() -> None:
            pass

        tasks, futures = [], set()
        for number in range(20):
            junk.append([bytearray(size) for size in range(len(junk) * 13 % 50)])
            tasks.append(asyncio.create_task(nothing(), name=str(number)))
            futures.add(asyncio.get_running_loop().create_future())
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in done] + [str(hash(each)) for each in futures]

    junk: list[object] = []
    orders = []
    for _ in range(5):
        pump = Pump()
        orders.append(pump.call(order(junk)))
        pump.close()
    assert orders == [orders[0]] * 5
