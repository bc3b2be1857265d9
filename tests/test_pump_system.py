"""Tests of what an asynchronous system may use within a pump, and of the pump's end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator

import pytest
from threadline.lockstep import pump as pump_file
from threadline.lockstep.pump import Pump

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


async def start_sleeper(told: list[str]) -> None:
    async def sleep() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    told.append(asyncio.create_task(sleep(), name="sleeper").get_name())


def test_times_out(pump: Pump) -> None:
    """asyncio.timeout fires in virtual time."""
    told: list[str] = []

    async def wait() -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(10)
        except TimeoutError:
            told.append("timed out")

    async def begin() -> None:
        told.append(asyncio.create_task(wait(), name="waiter").get_name())

    pump.call(begin())
    pump.advance(5)

    assert told == ["waiter", "timed out"]


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

    async def hold() -> None:
        await lock.acquire()
        told.append(asyncio.create_task(take(), name="taker").get_name())

    async def release() -> None:
        lock.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    pump.call(hold())
    pump.call(release())

    assert told == ["taker", "taken"]


def test_gives_a_task_the_context_of_its_call(pump: Pump) -> None:
    """A task sees the context variables of the call that started it."""

    async def who() -> str:
        WHO.set("ana")
        return await asyncio.create_task(asyncio.sleep(0, WHO.get()))

    assert pump.call(who()) == "ana"


def test_lists_the_tasks_that_go_on(pump: Pump) -> None:
    """The tasks of a system are listed, the pump's own is not."""
    pump.call(start_sleeper([]))

    assert [task.get_name() for task in pump.tasks()] == ["sleeper"]


def test_keeps_what_nobody_awaited(pump: Pump) -> None:
    """What a callback raises is kept among the errors of the loop."""

    async def divide() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)

    pump.call(divide())

    assert isinstance(pump.errors[0]["exception"], ZeroDivisionError)


def test_cancels_tasks_when_it_closes() -> None:
    """A task that sleeps is cancelled at the end of the run."""
    told: list[str] = []
    pump = Pump()
    pump.call(start_sleeper(told))
    pump.settle()

    pump.close()

    assert told == ["sleeper", "cancelled"]


def test_closes_twice() -> None:
    """Closing again does nothing."""
    pump = Pump()
    pump.close()

    pump.close()

    assert pump.tasks() == []


def test_closes_over_a_task_that_will_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that swallows its cancelling is told of, and the loop is closed all the same."""

    async def refuse_to_end() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    async def begin() -> None:
        asyncio.create_task(refuse_to_end(), name="stubborn")  # noqa: RUF006  # it ends never

    pump = Pump()
    pump.call(begin())
    pump.call(asyncio.sleep(0))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)
    with pytest.raises(pump_file.NotDone, match="refuse_to_end"):
        pump.close()

    pump.close()


LANGUAGE: contextvars.ContextVar[str] = contextvars.ContextVar("LANGUAGE", default="none")


async def speak(language: str) -> str:
    before = LANGUAGE.get()
    LANGUAGE.set(language)
    await asyncio.sleep(0)
    return f"{before}, then {LANGUAGE.get()}"


def test_a_context_variable_is_not_seen_by_the_next_call(pump: Pump) -> None:
    """Each call has a context of its own, as each connection of a server has."""
    assert pump.call(speak("French")) == "none, then French"
    assert pump.call(speak("Greek")) == "none, then Greek"
