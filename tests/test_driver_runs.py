"""Tests of a driver's runs: its settings, what is made once, and what is used again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from types import ModuleType
from typing import Any, ClassVar

import pytest
from threadline import Driver, Pool, Scenario, pool
from threadline.campaign.findings import save_shorter
from threadline.failure import Divergence, Failure
from threadline.loading import BadName, Target
from threadline.lockstep.run import RENEWED_EVERY, Batch, Runs
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.trace import Header, Recorder

from tests.toys.shelf import Shelf, ShelfDriver

EMMA: list[Any] = [(1, Shelf.put("Emma"))]


class Putting(Scenario[Shelf]):
    """What can be done on any shelf, of any number of places up to two."""

    settings = {"places": pool(1, 2)}


class Pinned(ShelfDriver):
    """A shelf of two places, which its maker has fixed."""

    pinned = {"places": 2}

    def __init__(self) -> None:
        super().__init__(2)


class PinnedAndTold(ShelfDriver):
    """A shelf that is told how many places are fixed."""

    pinned = {"places": 2}


class Fixed(ShelfDriver):
    """A shelf of two places, of which its author has not said so."""

    def __init__(self) -> None:
        super().__init__(2)


class Open(ShelfDriver):
    """A shelf that takes any setting."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(settings["places"])


class Unmade(Driver[Shelf]):
    """Needs no constructor."""


def target(driver: type[Driver[Any]]) -> Target:
    return Target(f"tests:{driver.__name__}", driver, driver)


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(target(driver), Recorder(None))


def header(steps: int = 3) -> Header:
    return Header("shelf", "tests:Shelf", steps_max=steps)


def explored(driver: type[Driver[Any]], count: int, steps: int = 3) -> list[Batch]:
    return list(islice(Explorer(Putting, runs(driver), header(steps)).batches(), count))


def test_takes_the_settings_of_the_run() -> None:
    """A constructor is given by name what the scenario draws."""
    driver = target(ShelfDriver).new_driver({"places": 1})

    assert isinstance(driver, ShelfDriver)
    assert driver.places == 1


@pytest.mark.parametrize("driver", [ShelfDriver, Open])
def test_plays_under_the_settings_that_both_sides_have(driver: type[Driver[Any]]) -> None:
    """Model and system are made with the same settings, and so agree in every run."""
    batches = explored(driver, 40)

    assert [batch.failure for batch in batches if batch.failure] == []
    assert {batch.header.settings["places"] for batch in batches} == {1, 2}


@pytest.mark.parametrize("driver", [Fixed, Unmade])
def test_refuses_a_setting_that_it_does_not_take(driver: type[Driver[Any]]) -> None:
    """A setting that the system does not hear of would be drawn for the model alone."""
    message = r"tests:\w+ takes no setting 'places', .* in __init__, .* pinned = {'places': \.\.\.}"

    with pytest.raises(BadName, match=message):
        target(driver).new_driver({"places": 1})


@pytest.mark.parametrize("driver", [Pinned, PinnedAndTold])
def test_draws_nothing_else_than_what_is_pinned(driver: type[Driver[Any]]) -> None:
    """What a system has fixed is the model's setting in each run, and need not be taken."""
    batches = explored(driver, 40)

    assert [batch.failure for batch in batches if batch.failure] == []
    assert {batch.header.settings["places"] for batch in batches} == {2}


def test_pins_settings_of_an_exhaustive_search() -> None:
    """A setting that is fixed has one value to exhaust."""
    batches = list(Exhaust(Putting, runs(Pinned), header(steps=1)).batches())

    assert [batch.header.settings for batch in batches] == [{"places": 2}, {"places": 2}]


def test_pins_settings_of_a_derived_machine() -> None:
    """Hypothesis draws no other value than the one that is fixed."""
    (batch,) = Chunks(Putting, runs(Pinned), header()).batches(runs_max=20)

    assert batch.failure is None


def test_pins_a_setting_that_no_scenario_draws() -> None:
    """A model whose default may be another one is given what the system has fixed."""

    class Bare(Scenario[Shelf]):
        settings: ClassVar[dict[str, Pool[Any]]] = {}

    settings = target(Pinned).settings(Bare)

    assert {name: values.constant for name, values in settings.items()} == {"places": (2,)}


class Starting(ShelfDriver):
    """Counts how often it is started, and made."""

    calls: ClassVar[list[str]] = []

    def __init__(self, places: int) -> None:
        super().__init__(places)
        self.calls.append("made")

    @classmethod
    def start(cls) -> None:
        cls.calls.append("started")


def test_is_started_once_before_the_first_run() -> None:
    """What is dear and serves all runs of a process is made before them, however many there are."""
    explored(Starting, 3)
    explored(Starting, 1)

    assert Starting.calls == ["started", "made", "made", "made", "made"]


class Resetting(ShelfDriver):
    """Can be cleaned; keeps what was done to all."""

    calls: ClassVar[list[str]] = []

    def __init__(self, places: int) -> None:
        super().__init__(places)
        self.calls.append(f"made {places}")

    def reset(self) -> None:
        self.books.clear()
        self.calls.append("reset")

    def close(self) -> None:
        self.calls.append("closed")


class Dirty(Resetting):
    """Is cleaned only half."""

    calls: ClassVar[list[str]] = []

    def reset(self) -> None:
        """Clean nothing."""


class Broken(Resetting):
    """Cannot be cleaned after all."""

    calls: ClassVar[list[str]] = []

    def reset(self) -> None:
        raise OSError("busy")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    for driver in (Starting, Resetting, Dirty, Broken):
        driver.calls.clear()


def play(played: Runs, *places: int) -> None:
    """Play one run after another, each on so many places."""
    for each in places:
        with played.open(b"", {"places": each}) as lockstep:
            lockstep.step(*EMMA[0])


def test_is_reset_where_it_can_be() -> None:
    """The driver of one run is cleaned for the next, and closed at the end of all."""
    played = runs(Resetting)
    play(played, 1, 1, 1)
    played.close()

    assert Resetting.calls == ["made 1", "reset", "reset", "closed"]


def test_is_made_anew_for_other_settings() -> None:
    """A system of other settings is another system."""
    play(runs(Resetting), 1, 2, 2)

    assert Resetting.calls == ["made 1", "closed", "made 2", "reset"]


def test_is_made_anew_where_it_cannot_be_reset() -> None:
    """A reset that raises has cleaned nothing, and ends the old system."""
    play(runs(Broken), 1, 1)

    assert Broken.calls == ["made 1", "closed", "made 1"]


def test_is_made_anew_in_one_run_of_twenty() -> None:
    """Now and then a run shows what a new system does, so that a careless reset is seen."""
    play(runs(Resetting), *[1] * RENEWED_EVERY)

    assert Resetting.calls.count("made 1") == 2
    assert Resetting.calls[-2:] == ["closed", "made 1"]


def test_is_made_anew_after_a_failure() -> None:
    """A system that has parted from its model is cleaned by nobody."""
    played = runs(Dirty)
    play(played, 1)
    with pytest.raises(Divergence), played.open(b"", {"places": 1}) as lockstep:
        lockstep.step(1, Shelf.put("Ulysses"))
    play(played, 1)

    assert Dirty.calls == ["made 1", "closed", "made 1"]


class OnePlace(Scenario[Shelf]):
    """A shelf of one place."""

    settings = {"places": pool(1)}
    take = None


def dirty_failure(played: Runs) -> tuple[Batch, Failure]:
    """Return the first run that fails on what the run before has left."""
    batches = Explorer(OnePlace, played, header()).batches()
    batch = next(batch for batch in batches if batch.failure)
    assert batch.failure is not None
    return batch, batch.failure


def test_a_reset_that_leaves_something_is_told() -> None:
    """A failure that a new system does not have is the driver's, and told as that."""
    played = runs(Dirty)
    batch, failure = dirty_failure(played)

    shorter = save_shorter(batch.trace(), failure, played, OnePlace, None)

    assert "it did not fail on a system made anew: the driver's reset() leaves" in shorter.text


class Noisy(Resetting):
    """Tells of its cleaning."""

    def reset(self) -> None:
        super().reset()
        self.tell("ana", "clean")


def test_what_is_told_by_a_reset_is_no_operations() -> None:
    """What was told between two runs is not in the first outcome of the second."""
    played = runs(Noisy)
    play(played, 1, 1)
    played.close()

    assert Resetting.calls == ["made 1", "reset", "closed"]


APP = ModuleType("app")
vars(APP)["time"] = time


class Timed(Resetting):
    """A system that reads the time of day from a module."""

    clocked = (APP,)

    def put(self, book: str) -> int:
        SEEN_S.append(APP.time.time())
        return super().put(book)


SEEN_S: list[float] = []


def test_a_clock_is_virtual_in_every_run() -> None:
    """
    A driver that is used again has its modules on its clock again, and nobody else's after it.
    """
    SEEN_S.clear()
    played = runs(Timed)
    play(played, 1, 1)
    played.close()

    assert SEEN_S == [1_700_000_000.0, 1_700_000_000.0]
    assert APP.time.time() > 1_700_000_000.0


class Dreaming(Driver[Shelf]):
    """Leaves a timer behind in each run."""

    def __init__(self, places: int) -> None:
        self.places = places

    async def put(self, book: str) -> int:
        asyncio.get_running_loop().call_later(60, print)
        return self.places


def test_no_loop_outlives_its_run() -> None:
    """The loop of a run is closed with it, though the driver has no close."""
    played = runs(Dreaming)
    with played.open(b"", {"places": 1}) as lockstep:
        lockstep.step(*EMMA[0])
        loop = lockstep.driver.pump.loop

    assert loop.is_closed()
