"""Tests of what is noted where a call of the system holds the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

import pytest
from threadline.campaign.events import Ended
from threadline.campaign.job import Job
from threadline.campaign.worker import work
from threadline.lockstep.loop_watch import LoopWatch, of_held
from threadline.pump import Pump

HANG_S = 600


class Gate:
    """Holds who comes until another thread has looked twice."""

    def __init__(self) -> None:
        self.has_come, self.lock = Event(), Lock()
        self.lock.acquire()

    def hold(self) -> None:
        self.has_come.set() or self.lock.acquire(timeout=HANG_S)  # type: ignore[func-returns-value]

    async def hold_the_loop(self) -> None:
        self.hold()

    async def hold_a_thread(self) -> None:
        await asyncio.to_thread(self.hold)


@pytest.fixture
def pump() -> Iterator[Pump]:
    with closing(Pump()) as made:
        yield made


def seen(
    pump: Pump,
    gate: Gate,
    seconds: float,
    work: Callable[[], object],
    turns: Sequence[int] = (0, 0, 0),
) -> LoopWatch:
    """Return what a watch has noted that looks thrice in the middle of some work.

    So many `turns` are taken to have gone by at each look.
    """
    times, gone_by = count(0.0, seconds), [0]
    watch = LoopWatch(lambda: pump.turning + gone_by[0], now=lambda: next(times))

    def look() -> None:
        gate.has_come.wait(HANG_S)
        for gone_by[0] in turns:
            watch.look()
        gate.lock.release()

    looking = Thread(target=look)
    looking.start()
    work()
    looking.join(HANG_S)
    return watch


def test_a_call_that_blocks_is_noted_with_its_line(pump: Pump) -> None:
    gate = Gate()
    watch = seen(pump, gate, 0.2, lambda: pump.call(gate.hold_the_loop()))
    line = Gate.hold.__code__.co_firstlineno + 1
    assert watch.places == {f"Gate.hold line {line}": 1}
    assert of_held(watch.places) == (
        f"1 turn of the loop took over 100 ms of real time, in Gate.hold line {line}: "
        "what blocks holds up all others"
    )


def test_a_call_that_is_short_is_not_noted(pump: Pump) -> None:
    gate = Gate()
    watch = seen(pump, gate, 0.04, lambda: pump.call(gate.hold_the_loop()))
    assert watch.places == {}


def test_a_call_that_blocks_a_thread_of_its_own_is_not_noted(pump: Pump) -> None:
    """Where the system has threads, these hold no loop, though here they run inline."""
    gate = Gate()
    watch = seen(pump, gate, 0.2, lambda: pump.call(gate.hold_a_thread()))
    assert watch.places == {}


def test_what_blocks_outside_of_the_loop_is_not_noted(pump: Pump) -> None:
    gate = Gate()
    watch = seen(pump, gate, 0.2, gate.hold)
    assert watch.places == {}


def test_turns_that_follow_each_other_are_short_each(pump: Pump) -> None:
    gate = Gate()
    watch = seen(pump, gate, 0.2, lambda: pump.call(gate.hold_the_loop()), turns=(1, 2, 3))
    assert watch.places == {}


def test_a_watch_looks_while_it_is_entered() -> None:
    looked = Event()

    def turn() -> int:
        looked.set()
        return 0

    with LoopWatch(turn):
        assert looked.wait(HANG_S)


@pytest.mark.parametrize(("overlap", "held"), [(True, {"a line": 1}), (False, {})])
def test_a_campaign_notes_it_where_operations_overlap(
    *, overlap: bool, held: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Held(LoopWatch):
        def __enter__(self) -> Self:
            self.places["a line"] = 1
            return super().__enter__()

    monkeypatch.setattr("threadline.campaign.search.LoopWatch", Held)
    job = Job(
        "tests.toys.racing:Desks",
        "tests.toys.racing:RightDriver",
        "explore",
        seed=0,
        steps=5,
        runs=2,
        folder=str(tmp_path),
        overlap=overlap,
    )
    heard: list[object] = []
    work(job, heard.append)
    (end,) = [each for each in heard if isinstance(each, Ended)]
    assert end.held == held
