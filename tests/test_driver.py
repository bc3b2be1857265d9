"""Tests of drivers: how an operation becomes a call, what comes back, and how time passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from threadline import Driver, Model, Ok, Operation, Outcome, Refused, VirtualClock, operation
from threadline.driver import end
from threadline.lockstep.outcomes import actual_of
from threadline.outcome import Crashed, Hung, Refuse, Unknown
from threadline.pump import Pump


class Box(Model):
    """What is asked of a box: anything, by name."""

    @operation
    def ask(self, what: object) -> object:
        """The box is asked for something."""
        return what

    @operation
    def wait(self, seconds: float) -> None:
        """Time passes."""


class Answers(Driver[Box]):
    """Returns what a function of the driver, given as the question, returns."""

    refuses = {KeyError: "no key", LookupError: "not found", OSError: lambda error: error.strerror}

    def ask(self, what: Callable[[Any], object]) -> object:
        return what(self)


class AsyncAnswers(Answers):
    """The same, asynchronously."""

    async def ask(self, what: Callable[[Any], object]) -> object:
        await asyncio.sleep(0)
        return what(self)


class Later:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, Any, str]:
        yield from asyncio.sleep(0).__await__()
        return "later"


@pytest.fixture(params=[Answers, AsyncAnswers])
def driver(request: pytest.FixtureRequest) -> Iterator[Answers]:
    driver = request.param()
    yield driver
    end(driver)


@pytest.fixture
def plain() -> Iterator[Answers]:
    driver = Answers()
    yield driver
    end(driver)


def ask(driver: Driver[Any], what: object) -> Outcome:
    return actual_of(driver, Box.ask(what))


def raising(error: BaseException) -> Callable[[object], object]:
    def answer(_: object) -> object:
        raise error

    return answer


def test_a_plain_value_is_done(driver: Answers) -> None:
    """What a method returns, or its coroutine comes to, is Ok with that value."""
    assert ask(driver, lambda _: "here") == Ok("here")


@pytest.mark.parametrize("outcome", [Ok("x", ("UserWarning",)), Refused("full"), Unknown()])
def test_an_outcome_is_taken_as_it_is(driver: Answers, outcome: Outcome) -> None:
    """A method that returns an outcome has said what there is to say."""
    assert ask(driver, lambda _: outcome) == outcome


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("k"), "no key"),
        (IndexError("i"), "not found"),
        (OSError(28, "No space left"), "No space left"),
        (Refuse("of its own"), "of its own"),
    ],
)
def test_an_exception_is_a_refusal_where_it_is_listed(
    driver: Answers, error: Exception, reason: str
) -> None:
    """The first type that fits gives the reason, a text or a function of the exception."""
    assert ask(driver, raising(error)) == Refused(reason)


def test_another_exception_is_a_crash(driver: Answers) -> None:
    """What is not listed is told as it is raised."""
    assert ask(driver, raising(ValueError("wrong"))) == Crashed("ValueError: wrong")


def test_what_was_told_is_in_the_outcome(driver: Answers) -> None:
    """Who was told something by then is in the outcome of the operation, and of no other."""
    assert ask(driver, lambda it: it.tell("ana", "hi")) == Ok(told={"ana": ["hi"]})
    assert ask(driver, lambda _: None) == Ok()


def test_a_refusal_has_what_was_told(driver: Answers) -> None:
    """What is told before an exception is a part of the refusal."""

    def tell_and_fail(it: Any) -> None:
        it.tell("ana", "no")
        raise KeyError

    assert ask(driver, tell_and_fail) == Refused("no key", told={"ana": ["no"]})


@pytest.mark.parametrize("make", [Later, partial(asyncio.sleep, 0, "later")])
def test_what_can_be_awaited_is_awaited(plain: Answers, make: Callable[[], object]) -> None:
    """A plain method may return a coroutine, or anything else with __await__."""
    assert ask(plain, lambda _: make()) == Ok("later")


def test_a_plain_driver_has_no_loop(plain: Answers) -> None:
    """A loop is made when it is first needed, so that what is not asynchronous pays for none."""
    ask(plain, lambda _: None)

    assert plain._pump is None


async def start(*works: Coroutine[Any, Any, Any]) -> None:
    """Start a task for each coroutine, and wait for none."""
    for work in works:
        asyncio.ensure_future(work)  # noqa: RUF006  # nobody holds it, as in many a system


async def fail(error: BaseException, after_s: float = 0) -> None:
    await asyncio.sleep(after_s)
    raise error


def test_what_is_ready_is_done_before_the_outcome(plain: Answers) -> None:
    """A task that an operation starts has gone on as far as it can when that is over."""
    told: list[str] = []

    async def work() -> None:
        for step in ("one", "two", "three"):
            await asyncio.sleep(0)
            told.append(step)

    ask(plain, lambda _: start(work()))

    assert told == ["one", "two", "three"]


def test_an_error_in_a_task_that_nobody_awaits_is_told(plain: Answers) -> None:
    """What dies in the background is an outcome of the operation in which it dies, by its name."""
    outcome = ask(plain, lambda _: start(fail(ValueError("lost"))))

    assert outcome == Crashed("error in task fail: ValueError: lost")


def test_an_error_in_a_task_is_told_when_it_dies(plain: Answers) -> None:
    """A task that fails while time passes is told of by the wait in which it does."""
    ask(plain, lambda _: start(fail(ValueError("late"), after_s=5)))

    assert actual_of(plain, Box.wait(4)) == Ok()
    assert actual_of(plain, Box.wait(1)) == Crashed("error in task fail: ValueError: late")


def test_an_error_in_a_task_is_told_once(plain: Answers) -> None:
    """The operation after it has come back with its own outcome."""
    ask(plain, lambda _: start(fail(ValueError("lost"))))

    assert ask(plain, lambda _: "here") == Ok("here")


def test_an_error_in_a_callback_is_told(plain: Answers) -> None:
    """A callback of the loop that raises is told of as well."""

    async def call_soon() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)

    outcome = ask(plain, lambda _: call_soon())

    assert isinstance(outcome, Crashed)
    assert outcome.error.startswith("error in a callback: ZeroDivisionError")


def test_an_error_that_is_awaited_is_nobodys_crash(plain: Answers) -> None:
    """A task whose exception is taken by who awaits it has not died unseen."""

    async def catch() -> str:
        with pytest.raises(ValueError, match="seen"):
            await asyncio.ensure_future(fail(ValueError("seen")))
        return "caught"

    assert ask(plain, lambda _: catch()) == Ok("caught")


def test_a_task_that_is_cancelled_is_no_crash(plain: Answers) -> None:
    """Who cancels a task has asked for its end."""

    async def begin_and_cancel() -> None:
        asyncio.ensure_future(asyncio.sleep(9)).cancel()

    assert ask(plain, lambda _: begin_and_cancel()) == Ok()


def test_a_call_that_waits_for_what_cannot_come_hangs(plain: Answers) -> None:
    """Nothing is ready, and no time passes by itself: it is told where the call waits."""

    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    outcome = ask(plain, lambda _: wait_for_ever())

    assert isinstance(outcome, Hung)
    assert "wait_for_ever" in outcome.where


def test_time_passes_when_an_operation_says_so(driver: Answers) -> None:
    """A driver serves `wait` by itself: its clock goes on by so many seconds."""
    before = driver.clock.now()
    actual_of(driver, Box.wait(2.5))

    assert driver.clock.now() - before == 2.5


def test_the_clock_is_there_before_the_constructor() -> None:
    """
    A system can be given the clock while it is made; it counts from the same second in each run.
    """

    class Clocked(Driver[Box]):
        def __init__(self) -> None:
            self.began_s = self.clock()

    assert Clocked().began_s == VirtualClock().now()


def test_what_sleeps_wakes_in_virtual_time(plain: Answers) -> None:
    """asyncio.sleep ends when the seconds of a wait have passed, each sleeper at its own time."""
    woke: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append(plain.clock.now() - VirtualClock().now())

    ask(plain, lambda _: start(sleep(3), sleep(1)))
    actual_of(plain, Box.wait(10))

    assert woke == [1.0, 3.0]


class Store:
    """A system whose methods are called as the operations are."""

    def ask(self, what: str) -> str:
        return f"store {what}"


class Passing(Driver[Box]):
    """Has a method for nothing."""

    through = "store"

    def __init__(self) -> None:
        self.store = Store()


class PassingInPart(Passing):
    """Answers by itself, and passes nothing of time."""

    wait = None  # type: ignore[assignment]  # the way to lack what a driver has by itself

    def ask(self, what: str) -> str:
        return f"driver {what}"


def test_operations_without_a_method_pass_through() -> None:
    """`through` names the attribute that has the methods."""
    assert ask(Passing(), "x") == Ok("store x")


def test_a_method_comes_before_what_passes_through() -> None:
    """A driver's own method is not passed by."""
    assert ask(PassingInPart(), "x") == Ok("driver x")


def test_the_roots_are_what_the_driver_holds() -> None:
    """Without a word, leaks are looked for from the driver's own attributes."""
    driver = Passing()

    assert driver.roots() == {"store": driver.store}


def test_the_loop_is_a_root_once_there_is_one(plain: Answers) -> None:
    """What tasks and timers hold is reached from the loop."""
    loop = plain.pump.loop

    assert plain.roots() == {"loop": loop}


def test_ends_with_its_loop_closed() -> None:
    """An override of close need not think of the loop."""
    closed: list[str] = []

    class Closing(AsyncAnswers):
        def close(self) -> None:
            closed.append("system")

    driver = Closing()
    pump = driver.pump
    end(driver)

    assert closed == ["system"]
    assert pump.loop.is_closed()


def test_ends_with_its_loop_closed_whatever_close_raises() -> None:
    """A system that cannot be closed leaves no loop behind."""

    class Failing(AsyncAnswers):
        def close(self) -> None:
            raise OSError("busy")

    driver = Failing()
    pump = driver.pump
    with pytest.raises(OSError, match="busy"):
        end(driver)

    assert pump.loop.is_closed()


def test_takes_a_pump_of_its_own() -> None:
    """A driver that makes its pump itself is played on that one."""
    driver = AsyncAnswers()
    with closing(Pump(driver.clock)) as pump:
        driver.pump = pump

        assert driver.pump is pump


def test_names_its_model() -> None:
    """A driver is derived from Driver[MODEL], and one derived from it drives the same."""
    kinds: dict[str, type[Operation]] = PassingInPart.model.kinds()

    assert list(kinds) == ["ask", "wait"]
