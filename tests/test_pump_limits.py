"""Tests of the pump where a call does not come back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from threadline.lockstep import pump as pump_file
from threadline.lockstep.pump import NotDone, Pump


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


async def answer() -> int:
    return 42


async def start(*works: Coroutine[Any, Any, Any]) -> None:
    """Start a task for each coroutine, and do not wait for it."""
    for work in works:
        asyncio.ensure_future(work)  # noqa: RUF006  # the pump lists and ends it


async def wait_for_nothing() -> None:
    await asyncio.get_running_loop().create_future()


async def turn_for_ever() -> None:
    while True:
        await asyncio.sleep(0)


def test_names_where_a_call_waits(pump: Pump) -> None:
    """A call that cannot come back tells the function in which it waits."""
    with pytest.raises(NotDone) as raised:
        pump.call(wait_for_nothing())

    assert "wait_for_nothing" in raised.value.stacks


def test_names_where_tasks_wait_in_a_stable_order(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The places where tasks wait are sorted, because the names of tasks count up in a process."""

    held = []  # or the garbage collector could take a task that waits for nothing

    async def begin() -> None:
        held.append(asyncio.create_task(turn_for_ever(), name="a"))
        held.append(asyncio.create_task(wait_for_nothing(), name="c"))
        held.append(asyncio.create_task(asyncio.sleep(9), name="b"))
        await wait_for_nothing()

    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)

    with pytest.raises(NotDone) as raised:
        pump.call(begin())

    names = re.sub(r" line \d+", "", raised.value.stacks)
    assert names == "asyncio, turn_for_ever, wait_for_nothing, wait_for_nothing"


def test_bounds_endless_turning(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that turns for ever is given up after TURNS_MAX turns."""
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)

    with pytest.raises(NotDone, match="50 turns"):
        pump.call(turn_for_ever())


def test_bounds_endless_settling(pump: Pump, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that turn for ever are given up after TURNS_MAX turns."""
    pump.call(start(turn_for_ever()))
    monkeypatch.setattr(pump_file, "TURNS_MAX", 50)

    with pytest.raises(NotDone, match="50 turns"):
        pump.settle()


def test_serves_calls_after_one_that_did_not_come_back(pump: Pump) -> None:
    """A call that hangs does not hang the calls after it."""
    with pytest.raises(NotDone):
        pump.call(wait_for_nothing())

    assert pump.call(answer()) == 42


def test_gives_no_call_the_value_of_another(pump: Pump) -> None:
    """A call given up earlier, when it ends at last, does not answer the call that goes on now."""
    with pytest.raises(NotDone):
        pump.call(asyncio.sleep(1, "late"))
    pump.advance(1)

    assert pump.call(answer()) == 42


def test_leaves_no_running_loop_behind(pump: Pump) -> None:
    """Outside a call, nobody sees a running loop."""
    pump.call(answer())

    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_leaves_no_running_loop_behind_a_failure(pump: Pump) -> None:
    """After a call that hangs, nobody sees a running loop either."""
    with pytest.raises(NotDone):
        pump.call(wait_for_nothing())

    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
