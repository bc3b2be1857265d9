"""Tests of the pump: a coroutine is called like a function, in virtual time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from threadline.clock import VirtualClock
from threadline.lockstep import pump as pump_file
from threadline.lockstep.pump import LeavesLoop, NotDone, Pump


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump(VirtualClock(start_s=1_700_000_000.0))
    yield pump
    pump.close()


async def answer() -> int:
    return 42


async def fail(error: BaseException) -> None:
    raise error


async def sleep_and_tell(told: list[str], seconds: float, text: str) -> None:
    await asyncio.sleep(seconds)
    told.append(text)


async def start(*works: Coroutine[Any, Any, Any]) -> None:
    """Start a task for each coroutine, and do not wait for it."""
    for work in works:
        asyncio.ensure_future(work)  # noqa: RUF006  # the pump lists and ends it


def test_returns_what_the_coroutine_returns(pump: Pump) -> None:
    """A call comes back with the value of its coroutine."""
    assert pump.call(answer()) == 42


@pytest.mark.parametrize("error", [KeyError("gone"), SystemExit(3), asyncio.CancelledError()])
def test_raises_what_the_coroutine_raises(pump: Pump, error: BaseException) -> None:
    """A call raises the very exception of its coroutine."""
    with pytest.raises(type(error)) as raised:
        pump.call(fail(error))

    assert raised.value is error


def test_goes_on_after_an_exception(pump: Pump) -> None:
    """The call after one that raised is served."""
    with pytest.raises(KeyError):
        pump.call(fail(KeyError("gone")))

    assert pump.call(answer()) == 42


def test_fires_a_timer_when_its_time_has_come(pump: Pump) -> None:
    """A task that sleeps for a second has gone on after a second."""
    told: list[str] = []
    pump.call(start(sleep_and_tell(told, 1, "woke")))

    pump.advance(1)

    assert told == ["woke"]


def test_fires_no_timer_early(pump: Pump) -> None:
    """A task that sleeps for ten seconds still sleeps a millisecond before."""
    told: list[str] = []
    pump.call(start(sleep_and_tell(told, 10, "woke")))

    pump.advance(9.999)

    assert told == []


def test_goes_from_deadline_to_deadline_in_order(pump: Pump) -> None:
    """Timers fire in the order of their deadlines, whatever the order in which they were set."""
    told: list[str] = []
    works = [sleep_and_tell(told, seconds, f"after {seconds}") for seconds in (3, 1, 2)]
    pump.call(start(*works))

    pump.advance(60)

    assert told == ["after 1", "after 2", "after 3"]


def test_fires_equal_timers_in_the_order_in_which_they_were_set(pump: Pump) -> None:
    """asyncio's heap keeps no order among timers of one instant; ours are first in, first out."""
    told: list[str] = []
    pump.call(start(*[sleep_and_tell(told, 1, f"{number}") for number in range(100)]))

    pump.advance(1)

    assert told == [f"{number}" for number in range(100)]


def test_stops_the_clock_at_each_deadline(pump: Pump) -> None:
    """Who wakes sees the time of its own deadline, not the end of the wait."""
    seen: list[float] = []

    async def look() -> None:
        await asyncio.sleep(5)
        seen.append(pump.clock.now())

    pump.call(start(look()))
    pump.advance(60)

    assert seen == [1_700_000_005.0]


def test_fires_a_timer_that_a_timer_set(pump: Pump) -> None:
    """A second sleep that begins within the wait ends within it."""
    told: list[str] = []

    async def sleep_twice() -> None:
        await sleep_and_tell(told, 1, "once")
        await sleep_and_tell(told, 1, "twice")

    pump.call(start(sleep_twice()))
    pump.advance(2)

    assert told == ["once", "twice"]


def test_ends_a_wait_at_its_end(pump: Pump) -> None:
    """The clock stands at the end of the wait, with or without timers on the way."""
    pump.advance(7.5)

    assert pump.clock.now() == 1_700_000_007.5


def test_refuses_more_timers_than_it_can_play(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait over more deadlines than TURNS_MAX is not cut short in silence."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(1)

    pump.call(start(beat()))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)

    with pytest.raises(NotDone, match="50"):
        pump.advance(51)


def test_settles_what_is_ready(pump: Pump) -> None:
    """A task that needs no time is done after settling."""
    told: list[str] = []
    pump.call(start(sleep_and_tell(told, 0, "ready")))

    pump.settle()

    assert told == ["ready"]


def test_runs_an_executor_inline(pump: Pump) -> None:
    """What is given to an executor runs in this thread, at once."""

    async def ask() -> int:
        return await asyncio.get_running_loop().run_in_executor(None, threading.get_ident)

    assert pump.call(ask()) == threading.get_ident()


def test_runs_to_thread_inline(pump: Pump) -> None:
    """asyncio.to_thread starts no thread."""
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
