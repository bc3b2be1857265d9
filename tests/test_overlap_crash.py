"""Tests of a process that crashes, whatever is under way, and goes on with what it stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from threadline import Driver, Scenario
from threadline.driver import DriverError, end
from threadline.failure import Failure
from threadline.handle import Handle
from threadline.inline import inline_aiosqlite
from threadline.loading import load_target
from threadline.lockstep.run import Batch, Runs, replay
from threadline.minimise.fixpoint import minimise
from threadline.operation import Operation
from threadline.outcome import Ok
from threadline.pump import NotDone, Pump
from threadline.schedule import Call, Schedule
from threadline.search.explore import Explorer
from threadline.timing import DURING, WITH, Timing
from threadline.trace import Header, Recorder

from models.chat_service import ChatServiceModel as Chat
from tests.toys import crashing
from tests.toys.crashing import AtOnce, Log, OneByOne, RightDriver

LATE = Timing(delays=((1, 2),))


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(load_target(f"{driver.__module__}:{driver.__name__}"), Recorder(None))


def header(driver: type[Driver[Any]], **more: Any) -> Header:
    return Header("log", f"{driver.__module__}:{driver.__name__}", **more)


def play(driver: type[Driver[Any]], *operations: Operation) -> Failure | None:
    return replay(runs(driver), header(driver, overlap=True), list(enumerate(operations, 1)))


def failed(driver: type[Driver[Any]], scenario: type[Scenario[Any]], most: int) -> Iterator[Batch]:
    given = header(driver, steps_max=30, overlap=scenario.overlap)
    batches = Explorer(scenario, runs(driver), given).batches()
    return (batch for batch in islice(batches, most) if batch.failure)


def test_a_clean_system_gives_no_alarm() -> None:
    assert [*failed(RightDriver, AtOnce, 300)] == []


@pytest.mark.parametrize("driver", [crashing.SaysSoFirstDriver, crashing.StoresByHalvesDriver])
def test_what_only_a_crash_half_way_shows_is_found_and_made_short(
    driver: type[Driver[Any]],
) -> None:
    """
    None of it is seen where each operation has ended before the process does.
    """
    assert [*failed(driver, OneByOne, 100)] == []
    found = next(failed(driver, AtOnce, 300))
    assert found.failure is not None
    short = minimise(found.trace(), found.failure.signature, runs(driver), AtOnce)
    assert len(short.trace.operations) <= 4
    assert any(each.kind == "crash" for _, each in short.trace.operations)


@pytest.mark.parametrize("ticks", [1, 2, -2])
def test_what_was_under_way_has_happened_or_not(ticks: int) -> None:
    """Its caller gets no answer, and what it had not done by then is never done."""
    write = Log.write("hi").timed(Timing(delays=((1, ticks),)))
    assert play(RightDriver, write, Log.crash().timed(Timing(DURING)), Log.write("yo")) is None


def test_nothing_of_it_happens_after_the_crash() -> None:
    """
    The line is read to be missing, and is there in the end: no order of a process explains that.
    """
    failure = play(
        crashing.GoesOnDriver,
        Log.write("hi").timed(Timing(delays=((1, 3),))),
        Log.crash().timed(Timing(DURING)),
        Log.read().timed(Timing(WITH)),
    )
    assert failure is not None
    lines = "\n".join(failure.lines())
    assert "x gets no answer" in lines
    assert ".x  write(text='hi')" in lines


def test_a_crash_in_an_async_method_is_refused() -> None:
    failure = play(crashing.LeavesItselfDriver, Log.crash())
    assert failure is not None
    assert "make the method plain" in str(failure.disagreement)


def test_a_driver_without_a_loop_has_nothing_to_abandon() -> None:
    driver = RightDriver()
    driver.abandon()
    end(driver)


def test_what_was_reported_before_a_crash_is_not_lost() -> None:
    driver = RightDriver()
    driver.pump.loop.call_exception_handler({"message": "a callback failed"})

    driver.abandon()

    assert [context["message"] for context in driver.pump.errors] == ["a callback failed"]
    end(driver)


def test_what_was_abandoned_ends_before_a_run_is_repeated() -> None:
    """A hunt for leaks would count it, cycle after cycle."""
    driver = RightDriver()
    before = driver.pump
    driver.abandon()

    driver.discard_notes()

    assert before.loop.is_closed()
    end(driver)


def test_threads_cannot_be_abandoned() -> None:
    class InThreads(RightDriver):
        threaded = True

    driver = InThreads()
    with pytest.raises(DriverError, match="cannot leave threads"):
        driver.abandon()
    end(driver)


def test_a_system_that_does_not_end_after_a_crash_is_closed_all_the_same() -> None:
    """What was left goes on without an end where it is cancelled."""
    closed = []

    class Closing(RightDriver):
        def close(self) -> None:
            closed.append("closed")
            super().close()

    async def go_on() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(0)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(go_on())

    driver = Closing()
    task = driver.pump.call(begin())
    driver.pump.settle()
    driver.abandon()
    with pytest.raises(NotDone):
        end(driver)
    assert closed == ["closed"]
    del task


def test_what_is_left_ends_with_the_run() -> None:
    """Its tasks are cancelled then, and not before."""
    driver, ended = RightDriver(), []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("wait")

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(wait())

    task = driver.pump.call(begin())
    before = driver.pump
    before.settle()
    driver.abandon()
    assert (ended, task.done()) == ([], False)
    assert driver.pump is not before

    end(driver)

    assert ended == ["wait"]
    assert before.loop.is_closed()


async def _writing(path: Path) -> None:
    """Take the lock of a database, with a statement that is not read to its end."""
    async with aiosqlite.connect(path, isolation_level=None) as database:
        await database.execute("CREATE TABLE notes (name TEXT)")
        await database.execute("BEGIN IMMEDIATE")
        cursor = await database.execute("INSERT INTO notes VALUES ('a'), ('b') RETURNING name")
        await cursor.fetchone()
        await asyncio.Event().wait()


async def _names(path: Path) -> list[str]:
    async with aiosqlite.connect(path, isolation_level=None) as database:
        await database.execute("INSERT INTO notes VALUES ('c')")
        rows = await database.execute_fetchall("SELECT name FROM notes")
        return [name for (name,) in rows]


def test_a_crash_gives_back_the_locks_of_a_database(tmp_path: Path) -> None:
    """As the operating system would, and no row of a transaction that was open is there."""
    inline_aiosqlite()
    path, schedule = tmp_path / "notes.db", Schedule()
    with closing(Pump()) as crashed, closing(Pump()) as after:
        crashed.schedule = schedule
        call = Call(1, Log.write("hi"), Ok(None))
        schedule.begin(call)
        crashed.spawn(_writing(path), call)
        for _ in range(20):
            crashed.tick()

        crashed.hand_over(after)

        assert after.call(_names(path)) == ["c"]


def test_a_service_answers_what_it_had_stored_before_a_crash() -> None:
    """Of a message that came in the very moment of a crash, nobody knows whether it was stored."""
    name = "drivers.service:ServiceDriver"
    late = Timing(delays=((3, 2),))
    steps = (
        Chat.connect("ana", "t", None, "well"),
        Chat.say(Handle("k", 1), None, None, None, "m2", "well").timed(late),
        Chat.crash().timed(Timing(DURING)),
        Chat.connect("ana", "t", None, "well"),
        Chat.thread_messages("ana", "t", None),
    )
    target = load_target(name)
    given = Header(target.model.name, name, overlap=True)
    assert replay(Runs(target, Recorder(None)), given, tuple(enumerate(steps, 1))) is None
