"""Tests of operations that take effect at more than one moment, between those of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import pytest
from threadline import LATER, Census, Driver, Model, Scenario, operation
from threadline.failure import Failure
from threadline.loading import load_target
from threadline.lockstep.frozen import States
from threadline.lockstep.outcomes import ModelError
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Batch, Runs, replay
from threadline.minimise.fixpoint import minimise
from threadline.operation import Operation
from threadline.search.explore import Explorer
from threadline.timing import DURING, WITH, Timing
from threadline.trace import Header, Recorder

from tests.toys import moments
from tests.toys.moments import AtOnce, Leaving, Post, RightDriver

SEND, READ, EMPTY = Post.send("ana", "hi"), Post.read("ana"), Post.empty("ana")


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(load_target(f"{driver.__module__}:{driver.__name__}"), Recorder(None))


def header(driver: type[Driver[Any]], **more: Any) -> Header:
    return Header("post", f"{driver.__module__}:{driver.__name__}", overlap=True, **more)


def play(driver: type[Driver[Any]], *operations: Operation) -> Failure | None:
    return replay(runs(driver), header(driver), list(enumerate(operations, 1)))


def explored(
    driver: type[Driver[Any]], scenario: type[Scenario[Any]], most: int
) -> tuple[list[Batch], int]:
    played = runs(driver)
    explorer = Explorer(scenario, played, header(driver, steps_max=30))
    return [b for b in islice(explorer.batches(), most) if b.failure], played.undecided


@pytest.mark.parametrize("scenario", [AtOnce, Leaving])
def test_a_clean_system_gives_no_alarm(scenario: type[Scenario[Any]]) -> None:
    failed, undecided = explored(RightDriver, scenario, 100)
    assert failed == []
    assert undecided <= 1


@pytest.mark.parametrize(
    "driver",
    [
        moments.TellingLater,
        moments.BringingAStaleBox,
        moments.CountingTooEarly,
        moments.LosingLetters,
    ],
)
def test_a_race_between_moments_is_found_and_made_short(driver: type[Driver[Any]]) -> None:
    played = runs(driver)
    batches = Explorer(AtOnce, played, header(driver, steps_max=30)).batches()
    found = next(batch for batch in islice(batches, 300) if batch.failure)
    assert found.failure is not None
    short = minimise(found.trace(), found.failure.signature, played, AtOnce)
    assert short.failure is not None
    assert len(short.trace.operations) <= 4
    assert sum(each.timing.entries for _, each in short.trace.operations) <= 4


def test_nothing_comes_of_a_moment_that_has_not_been() -> None:
    """A letter is on its way while its box is read, which is read again when it is there."""
    late = SEND.timed(Timing(delays=((2, 2),)))
    assert play(RightDriver, late, READ.timed(Timing(DURING)), READ) is None


def test_who_comes_between_two_moments_sees_the_first_alone() -> None:
    """A box that is being emptied takes nothing, and still has its letters."""
    late, during = EMPTY.timed(Timing(delays=((2, 3),))), Timing(DURING)
    steps = [SEND, late, SEND.timed(during), READ.timed(during)]
    with runs(RightDriver).begin(header(RightDriver)) as run:
        for number, step in enumerate(steps, 1):
            run.step(number, step)
        run.finish()
        told = {step.number: step.expected for step in run.steps}
        assert str(told[2]) == "ok, 1"
        assert str(told[3]) == "refused (closed)"
        assert str(told[4]) == "ok, ['hi']"


@pytest.mark.parametrize(
    "operations",
    [
        (SEND.timed(Timing(delays=((2, 2),))), READ.timed(Timing(DURING))),
        (
            SEND.timed(Timing(delays=((2, 9),))),
            EMPTY.timed(Timing(DURING, delays=((2, 1),))),
            SEND.timed(Timing(DURING, delays=((1, 3),))),
        ),
    ],
    ids=["what goes on comes late", "what was over before another call comes before it"],
)
def test_the_likely_order_is_tried_first(operations: tuple[Operation, ...]) -> None:
    """No moment is done anew in a model, as it is right at once."""
    with runs(RightDriver).begin(header(RightDriver)) as run:
        assert isinstance(run, Overlap)
        for number, operation in enumerate(operations, 1):
            run.step(number, operation)
        run.finish()
        assert [step.number for step in run.steps] == [1, 2, 3][: len(operations)]
        assert run.replayed == 0


def test_one_operation_alone_is_whole() -> None:
    assert play(RightDriver, SEND, SEND, READ, EMPTY, READ) is None
    failure = play(moments.LosingLetters, SEND, EMPTY, SEND, READ)
    assert failure is None


def test_an_order_names_an_operation_at_each_of_its_moments() -> None:
    """So a reader sees that another came between."""
    late = SEND.timed(Timing(delays=((3, 3),)))
    failure = play(moments.TellingLater, late, Post.send("ana", "yo").timed(Timing(DURING)))
    assert failure is not None
    text = "\n".join(failure.lines())
    assert "no order explains this" in text


class Endless(Model):
    """Never tells how its operation has ended."""

    @operation
    def begin(self) -> object:
        return LATER


class Begins(Driver[Endless]):
    """Ends at once."""

    through = "begin"

    async def begin(self) -> None:
        """Do nothing."""


def test_a_model_that_never_tells_an_outcome_is_wrong() -> None:
    target = Runs(load_target(f"{__name__}:Begins"), Recorder(None))
    with pytest.raises(ModelError, match="never tells the outcome of step 1"):
        replay(
            target, Header("endless", f"{__name__}:Begins", overlap=True), [(1, Endless.begin())]
        )


class Silent(Post):
    """Does not say what becomes of a caller who leaves."""

    leave_off = Model.leave_off


class SilentDriver(RightDriver):
    """The same post office."""

    model = Silent


def test_nothing_is_told_where_nobody_knows_what_a_caller_has_left() -> None:
    played = runs(SilentDriver)
    left = EMPTY.timed(Timing(delays=((2, 5),), cancelled_at=-2))
    steps = [SEND, left, SEND.timed(Timing(DURING)), READ]
    assert replay(played, header(SilentDriver), list(enumerate(steps, 1))) is None
    assert played.undecided == 1
    assert play(RightDriver, *steps) is None


def test_a_state_is_where_its_generators_are() -> None:
    """And what they know; of what holds itself, it is where."""

    def count(start: int) -> Any:
        while True:
            yield start

    class Held:
        def __init__(self, start: int) -> None:
            self.steps, self.me = count(start), self

    frozen = States().value
    one, same, other, later = Held(1), Held(1), Held(2), Held(1)
    next(later.steps)
    assert frozen(one) == frozen(same)
    assert frozen(one) != frozen(later)
    next(one.steps)
    next(other.steps)
    assert frozen(one) != frozen(other)


def test_a_state_is_what_its_functions_know() -> None:
    """What is left for later is the same where it will do the same, to the same."""

    def later(text: str) -> Callable[[], str]:
        return lambda: text

    frozen = States().value
    assert frozen([later("a"), partial(later, "a")]) == frozen([later("a"), partial(later, "a")])
    assert frozen([later("a")]) != frozen([later("b")])
    assert frozen([partial(later, "a")]) != frozen([partial(later, "b")])
    assert frozen([later]) != frozen([later("a")])
    assert frozen([int]) != frozen([str])


@pytest.mark.parametrize("way", ["method", "function", "generator"])
def test_a_state_is_whose_its_functions_are(way: str) -> None:
    """Of two who wait, one is another than the other, though both will do the same."""

    class Waiter:
        def __init__(self, name: str) -> None:
            self.name = name

        def go(self) -> str:
            return self.name

        def goes(self) -> Iterator[str]:
            yield self.name

        def left(self) -> object:
            return {"method": self.go, "function": lambda: self.name, "generator": self.goes()}[way]

    frozen = States().value
    assert frozen([Waiter("a").left()]) == frozen([Waiter("a").left()])
    assert frozen([Waiter("a").left()]) != frozen([Waiter("b").left()])


def test_a_state_is_what_has_no_fields_too() -> None:
    frozen = States().value
    assert frozen([Decimal(1), date(2026, 1, 2)]) == frozen([Decimal(1), date(2026, 1, 2)])
    assert frozen([Decimal(1)]) != frozen([Decimal(2)])
    assert frozen([date(2026, 1, 2)]) != frozen([date(2026, 1, 3)])


def test_what_is_equal_to_python_alone_is_not_the_same_state() -> None:
    frozen = States().value
    states = [1, True, 1.0, "1", [1], (1,), {1}, {1: 1}, {True: 1}, [[1]], [0], []]
    assert len({frozen(state) for state in states}) == len(states)
    assert frozen([1, [True]]) == frozen([1, [True]])


class Doors(Model):
    """Who has knocked is told so when the door is opened."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.is_open = False

    @operation
    def knock(self) -> None:
        self.waiting.append(self._step)

    @operation
    def open(self) -> None:
        self.is_open = True

    def goes_on(self) -> list[int]:
        return self.waiting if self.is_open else []

    def go_on(self, step: int) -> object:
        self.waiting.remove(step)
        self.tell("guest", "come in")
        return LATER


class WrongDoors(Driver[Doors]):
    """Sends everybody away."""

    through = "door"

    async def knock(self) -> None:
        """Do nothing."""

    async def open(self) -> None:
        await self.io()
        self.tell("guest", "go away")


def test_what_goes_on_since_an_earlier_operation_is_a_failure_of_the_one_that_let_it() -> None:
    """Each operation is in the failure once, so that it is replayed as it was."""
    name = f"{__name__}:WrongDoors"
    said, steps = Header("doors", name, overlap=True), [(1, Doors.knock()), (2, Doors.open())]
    failure = replay(Runs(load_target(name), Recorder(None)), said, steps)
    assert failure is not None
    assert failure.step.number == 2
    assert failure.operations == tuple(steps)


class Shelves(Model):
    """Books are put on shelves, which have nothing to do with each other."""

    def __init__(self) -> None:
        self.books: set[str] = set()

    @operation
    def put(self, shelf: str) -> int:
        self.books.add(shelf)
        return 0


class WrongShelves(Driver[Shelves]):
    """Counts, where nothing is to be counted."""

    through = "shelves"

    async def put(self, shelf: str) -> int:
        await self.io()
        return int(shelf == "z")


def test_orders_that_come_to_the_same_state_are_gone_on_from_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which step was the last is no part of a state: of 5 that are right, there are 2 ** 5."""
    monkeypatch.setattr("threadline.lockstep.order.VISITS_MAX", 6 * 2**5)
    name, late = f"{__name__}:WrongShelves", Timing(WITH, ((1, 9),))
    steps = [(n, Shelves.put(shelf).timed(late)) for n, shelf in enumerate("abcdez", 1)]
    played = Runs(load_target(name), Recorder(None))
    assert replay(played, Header("shelves", name, overlap=True), steps) is not None
    assert played.undecided == 0


class Tickets(Model):
    """Numbers are drawn one after the other; who has left is told in the census of that step."""

    notes = frozenset({"left"})

    def __init__(self) -> None:
        self.drawn = 0
        self.left: dict[str, int] = {}

    @operation
    def draw(self) -> int:
        self.left, self.drawn = {}, self.drawn + 1
        return self.drawn

    @operation
    def stay(self) -> None:
        self.left = {}

    @operation
    def leave(self, name: str) -> None:
        self.left = {name: 1}

    def census(self) -> Census:
        return {"left": self.left}


class Office(Driver[Tickets]):
    """Draws a number first, and hands it out later."""

    through = "office"

    def __init__(self) -> None:
        self.drawn = 0
        self.left: dict[str, int] = {}

    async def draw(self) -> int:
        await self.io()
        self.drawn += 1
        number = self.drawn
        await self.io()
        return number

    async def stay(self) -> None:
        await self.io()

    async def leave(self, name: str) -> None:
        self.left[name] = 1

    def census(self) -> Census:
        left, self.left = self.left, {}
        return {"left": left}


def test_what_was_noted_before_another_order_is_tried_is_kept() -> None:
    """The first order that seems likely is wrong, and who has left came before all of them."""
    name = f"{__name__}:Office"
    steps = [
        (1, Tickets.stay().timed(Timing(delays=((1, 20),)))),
        (2, Tickets.leave("ana").timed(Timing(DURING))),
        (3, Tickets.draw().timed(Timing(DURING, ((1, 3),)))),
        (4, Tickets.draw().timed(Timing(DURING, ((2, 9),)))),
    ]
    played = Runs(load_target(name), Recorder(None))
    assert replay(played, Header("tickets", name, overlap=True), steps) is None
    assert played.undecided == 0
