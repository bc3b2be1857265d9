"""Tests of a schedule alone: to which operation an I/O belongs, and what it waits behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threadline.outcome import Ok
from threadline.schedule import CURRENT, Call, Schedule
from threadline.timing import Timing

from tests.toys.racing import Desks


@dataclass
class Noted:
    """An I/O that notes when it is done, and then does what comes of it."""

    name: str
    done: list[str] = field(default_factory=list)
    then: Any = None  # a function without arguments, or nothing

    def act(self, *, is_last: bool) -> bool:
        del is_last
        self.done.append(self.name)
        return True

    def answer(self) -> None:
        if self.then is not None:
            self.then()


def began(schedule: Schedule, number: int, **timing: Any) -> Call:
    call = Call(number, Desks.enter("ana").timed(Timing(**timing)), Ok(None))
    schedule.begin(call)
    return call


def take(schedule: Schedule, call: Call, io: Noted, stream: object = None) -> None:
    """Take an I/O in the context of a call."""
    token = CURRENT.set(call)
    schedule.take(io, stream)
    CURRENT.reset(token)


def test_what_an_operation_left_running_belongs_to_the_latest_once_it_is_over() -> None:
    """
    Its own timing says nothing of an I/O of a task that it has started, and that outlives it.
    """
    schedule, io = Schedule(), Noted("a")
    first = began(schedule, 1, delays=((1, 3),))
    second = began(schedule, 2)
    schedule.end(first)

    take(schedule, first, io)

    assert (first.points, second.points, io.done) == (0, 1, ["a"])


def test_an_operation_that_is_over_is_not_cancelled_any_more() -> None:
    """
    An I/O that belongs to it as the latest is done at once, and nothing is left to happen.
    """
    schedule, io = Schedule(), Noted("a")
    call = began(schedule, 1, cancelled_at=1)
    schedule.end(call)

    take(schedule, call, io)

    assert (io.done, schedule.goes_on) == (["a"], False)


def test_an_io_waits_behind_one_of_its_stream_that_is_due_and_not_done() -> None:
    """
    Two of a stream are due in one tick; what comes of the first is a third, which is the last.
    """
    schedule, stream = Schedule(), object()
    done: list[str] = []
    call = began(schedule, 1, delays=((1, 1), (2, 1)))
    third = Noted("third", done)
    first = Noted("first", done, then=lambda: take(schedule, call, third, stream))
    take(schedule, call, first, stream)
    take(schedule, call, Noted("second", done), stream)

    schedule.advance(lambda: None)

    assert done == ["first", "second", "third"]


def test_an_io_whose_answer_is_late_waits_behind_its_stream_as_well() -> None:
    """
    It would be done at once, were it alone.
    """
    schedule, stream = Schedule(), object()
    done: list[str] = []
    call = began(schedule, 1, delays=((1, 1), (2, -1), (3, -1)))
    take(schedule, call, Noted("first", done), stream)
    take(schedule, call, Noted("second", done), stream)
    take(schedule, call, Noted("elsewhere", done), object())

    assert done == ["elsewhere"]
    schedule.advance(lambda: None)
    schedule.advance(lambda: None)
    assert done == ["elsewhere", "first", "second"]


def test_ios_without_a_stream_wait_for_no_other() -> None:
    """
    One that is not delayed is done while another is under way.
    """
    schedule = Schedule()
    done: list[str] = []
    call = began(schedule, 1, delays=((1, 2),))
    take(schedule, call, Noted("late", done))
    take(schedule, call, Noted("at once", done))

    assert done == ["at once"]
