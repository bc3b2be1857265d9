"""Tests of operations that wait for ever while others come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from random import Random
from typing import ClassVar

from threadline import Driver, Model, Scenario, operation
from threadline.failure import Failure, Property
from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.search.explore import Explorer
from threadline.search.timings import RANKED_LATE, Timings
from threadline.timing import ALONE, DURING, Timing
from threadline.trace import Header, Recorder

STEPS = 1_010


class Sheet(Model):
    """It is read, and written on."""

    def __init__(self) -> None:
        self.lines = 0

    @operation(weight=9)
    def read(self) -> int:
        return self.lines

    @operation
    def write(self) -> None:
        self.lines += 1


class InTurn:
    """Who comes first is served first."""

    def __init__(self, io: Callable[[], Awaitable[None]]) -> None:
        self.io, self.lines, self.lock = io, 0, asyncio.Lock()

    async def read(self) -> int:
        async with self.lock:
            await self.io()
            return self.lines

    async def write(self) -> None:
        async with self.lock:
            self.lines += 1


class ReadersFirst(InTurn):
    """A writer waits until nobody reads, and readers do not wait for him."""

    def __init__(self, io: Callable[[], Awaitable[None]]) -> None:
        super().__init__(io)
        self.readers, self.free = 0, asyncio.Event()

    async def read(self) -> int:
        self.readers += 1
        await self.io()
        self.readers -= 1
        if not self.readers:
            self.free.set()
        return self.lines

    async def write(self) -> None:
        while self.readers:
            self.free.clear()
            await self.free.wait()
        self.lines += 1


class FairDriver(Driver[Sheet]):
    """Reaches InTurn."""

    through = "sheet"
    kind: ClassVar[type[InTurn]] = InTurn

    def __init__(self) -> None:
        self.sheet = self.kind(self.io)


class StarvingDriver(FairDriver):
    """Reaches ReadersFirst."""

    kind = ReadersFirst


class Sheets(Scenario[Sheet]):
    """Readers and writers at once."""

    overlap = True


def target(driver: type[FairDriver]) -> tuple[Runs, Header]:
    name = f"{__name__}:{driver.__name__}"
    header = Header("sheet", name, steps_max=2_000, overlap=True)
    return Runs(load_target(name), Recorder(None)), header


def play(driver: type[FairDriver], readers: int, begins: str = DURING) -> Failure | None:
    """Play one who reads, one who writes, and then readers, of whom there is always one."""
    runs, header = target(driver)
    read = Sheet.read().timed(Timing(begins, ((1, 3),)))
    steps = [read, Sheet.write().timed(Timing(DURING)), *[read] * readers]
    return replay(runs, header, list(enumerate(steps, 1)))


def test_one_who_waits_while_a_thousand_others_come_and_go_is_a_failure_of_liveness() -> None:
    failure = play(StarvingDriver, STEPS)
    assert failure is not None
    assert str(failure.signature) == "liveness-write.hung"
    assert failure.signature.property is Property.LIVENESS
    text = " ".join(" ".join(failure.lines()).split())
    assert "did not come back within 1,000 operations that began after it" in text
    assert "ReadersFirst.write line" in text
    assert "no order explains" not in text
    assert "3 read() ok, 0" in text


def test_it_is_the_same_each_time_and_is_played_again() -> None:
    first = play(StarvingDriver, STEPS)
    assert first is not None
    runs, header = target(StarvingDriver)
    again = replay(runs, header, first.operations)
    assert again is not None
    assert digest(again.steps) == digest(first.steps)


def test_who_is_served_in_turn_waits_for_few() -> None:
    assert play(FairDriver, STEPS) is None


def test_who_is_overtaken_by_fewer_is_not_starved() -> None:
    """He comes to his turn at the end, when nobody comes any more."""
    assert play(StarvingDriver, 990) is None


def test_who_comes_when_all_are_over_overtakes_nobody() -> None:
    assert play(StarvingDriver, STEPS, ALONE) is None


def explored(driver: type[FairDriver], runs_max: int) -> Iterator[str]:
    """Yield the signatures of the failures of so many long runs."""
    runs, header = target(driver)
    for batch in islice(Explorer(Sheets, runs, header).batches(), runs_max):
        if batch.failure is not None:
            yield str(batch.failure.signature)


def test_explore_finds_it_in_long_runs() -> None:
    assert next(explored(StarvingDriver, 20), "") == "liveness-write.hung"


def test_a_long_run_of_who_is_served_in_turn_gives_no_alarm() -> None:
    assert list(explored(FairDriver, 5)) == []


def test_some_long_runs_are_a_rush() -> None:
    """Each operation begins during others, and is under way while further ones begin."""
    ways = [Timings(Random(seed), {}, cancels=True, is_long=True) for seed in range(50)]
    rush = next(timings for timings in ways if timings.way == "rush")
    drawn = {rush.draw(Sheet.write()).timing for _ in range(50)}
    assert drawn == {Timing(DURING, ((1, RANKED_LATE),))}
