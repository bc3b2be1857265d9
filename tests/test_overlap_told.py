"""Tests of what was told and noted while operations overlapped: who may have missed the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

import pytest
from threadline import Census, Driver, Handle, Model, Refuse, operation
from threadline.failure import Failure
from threadline.loading import load_target
from threadline.lockstep.order import noted
from threadline.lockstep.run import Runs, replay
from threadline.operation import Operation
from threadline.overlapping import Lane, OverlapFailure
from threadline.timing import DURING, WITH, Timing
from threadline.trace import Header, Recorder


class Doors(Model):
    """Guests come, are called, and leave; the census says who has left in the last step alone."""

    notes: ClassVar[frozenset[str]] = frozenset({"left"})

    def __init__(self) -> None:
        self.guests: set[Handle] = set()
        self.left: set[Handle] = set()

    def at(self, number: int) -> Doors:
        self.left = set()
        super().at(number)
        return self

    @operation
    def come(self) -> Handle:
        guest = self.new("g")
        self.guests.add(guest)
        return guest

    @operation
    def call(self, guest: Handle) -> None:
        """A guest is told two words."""
        if guest not in self.guests:
            raise Refuse("gone")
        self.tell(guest, "one")
        self.tell(guest, "two")

    @operation
    def leave(self, guest: Handle) -> None:
        if guest not in self.guests:
            raise Refuse("gone")
        self.guests.remove(guest)
        self.left.add(guest)

    def census(self) -> Census:
        return {"guests": set(self.guests), "left": set(self.left)}


class House:
    """Calls a guest with I/O before each word; what the words are, and who hears them, differs."""

    words: tuple[str, ...] = ("one", "two")
    tells_who_is_gone = False
    notes_all = True

    def __init__(self, io: Callable[[], Awaitable[None]], tell: Callable[[str, str], None]) -> None:
        self.io, self.tell = io, tell
        self.count = 0
        self.guests: set[str] = set()
        self.left: set[str] = set()

    async def come(self) -> str:
        self.count += 1
        self.guests.add(f"guest {self.count}")
        return f"guest {self.count}"

    async def call(self, guest: str) -> None:
        if guest not in self.guests:
            raise KeyError(guest)
        for word in self.words:
            await self.io()
            if guest in self.guests or self.tells_who_is_gone:
                self.tell(guest, word)

    async def leave(self, guest: str) -> None:
        if guest not in self.guests:
            raise KeyError(guest)
        await self.io()
        self.guests.discard(guest)
        if self.notes_all or not self.left:
            self.left.add(guest)


class HouseDriver(Driver[Doors]):
    """Reaches a house."""

    through = "house"
    refuses: ClassVar[Mapping[type[BaseException], str | Callable[[Any], str]]] = {KeyError: "gone"}
    house_type: ClassVar[type[House]] = House

    def __init__(self) -> None:
        self.house = self.house_type(self.io, self.tell)

    def census(self) -> Census:
        left, self.house.left = self.house.left, set()
        return {"guests": set(self.house.guests), "left": left}


class MisordersHouse(House):
    """Says the second word first."""

    words = ("two", "one")


class Misorders(HouseDriver):
    """The second word comes first."""

    house_type = MisordersHouse


class LosesHouse(House):
    """Says one word."""

    words = ("one",)


class Loses(HouseDriver):
    """The second word is lost."""

    house_type = LosesHouse


class MisdirectsHouse(House):
    """Says each word to the second guest as well."""

    async def call(self, guest: str) -> None:
        await super().call(guest)
        self.tell("guest 2", "one")


class Misdirects(HouseDriver):
    """Another guest hears what is not for them."""

    house_type = MisdirectsHouse


class NotesOneHouse(House):
    """Notes one who left."""

    notes_all = False


class NotesOne(HouseDriver):
    """One who left is noted."""

    house_type = NotesOneHouse


FIRST, SECOND = Handle("g", 1), Handle("g", 2)


def play(driver: type[HouseDriver], *operations: Operation) -> Failure | None:
    name = f"{driver.__module__}:{driver.__name__}"
    runs = Runs(load_target(name), Recorder(None))
    return replay(runs, Header("doors", name, overlap=True), list(enumerate(operations, 1)))


CALL = Doors.call(FIRST).timed(Timing(delays=((2, 3),)))
LEAVE = Doors.leave(FIRST).timed(Timing(DURING))


def test_who_is_gone_may_have_missed_the_end() -> None:
    assert play(HouseDriver, Doors.come(), CALL, LEAVE) is None


def test_who_is_gone_may_have_missed_nothing_but_the_end() -> None:
    assert play(Misorders, Doors.come(), CALL, LEAVE) is not None


@pytest.mark.parametrize("driver", [Loses, Misorders, Misdirects])
def test_who_is_there_is_told_all(driver: type[HouseDriver]) -> None:
    come, late = Doors.come(), Doors.call(FIRST).timed(Timing(delays=((1, 3),)))
    beside = Doors.come().timed(Timing(DURING))
    failure = play(driver, come, come, late, beside)
    assert isinstance(failure, OverlapFailure)
    assert len(failure.lanes) == 2
    assert play(HouseDriver, come, come, late, beside) is None


LEAVES = (
    Doors.leave(FIRST).timed(Timing(delays=((1, 2),))),
    Doors.leave(SECOND).timed(Timing(WITH)),
)


def test_notes_are_taken_together_for_all_that_overlapped() -> None:
    assert play(HouseDriver, Doors.come(), Doors.come(), *LEAVES) is None
    failure = play(NotesOne, Doors.come(), Doors.come(), *LEAVES)
    assert failure is not None
    assert failure.disagreement.of == "census left"


def test_notes_of_one_window_are_not_those_of_the_next() -> None:
    come, call = Doors.come(), Doors.call(SECOND).timed(Timing(delays=((1, 2),)))
    beside = Doors.come().timed(Timing(DURING))
    assert play(HouseDriver, come, come, Doors.leave(FIRST), call, beside) is None
    assert play(HouseDriver, come, come, come, *LEAVES, come, beside) is None


class Noting(Model):
    """Notes one value."""

    notes: ClassVar[frozenset[str]] = frozenset({"noted"})

    def __init__(self, value: object) -> None:
        self.value = value

    def census(self) -> Census:
        return {"noted": self.value, "other": 1}


@pytest.mark.parametrize(
    ("before", "now", "both"),
    [
        ({"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({1}, {2}, {1, 2}),
        (3, {2}, {2}),
        (3, {"b": 2}, {"b": 2}),
        (3, 4, 4),
    ],
)
def test_notes_of_two_steps_are_joined(before: object, now: object, both: object) -> None:
    notes = {"noted": before}
    assert noted(notes, Noting(now)) == {"noted": both}
    assert notes == {"noted": before}


def test_a_model_without_notes_has_none() -> None:
    assert noted({"noted": 1}, Model()) == {}


def test_a_lane_shows_at_its_end_that_it_was_cancelled() -> None:
    lane = Lane(1, Doors.come(), 2, 5, ((3, 5),), is_cut=True)
    assert lane.bar(1) == " #..x"
    assert lane._replace(is_cut=False).bar(1) == " #..#"


class Board(Model):
    """Lines in order; what a line does is done by a part that was handed how to tell."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._hand_on = self.tell

    @operation
    def pin(self, text: str) -> None:
        """A line is added, and everybody is told."""
        self.lines.append(text)
        self._hand_on("all", text)

    @operation
    def read(self) -> list[str]:
        return self.lines[:]


class Boards(Driver[Board]):
    """Says nothing of the third line, if `is_quiet`."""

    is_quiet: ClassVar[bool] = False

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def pin(self, text: str) -> None:
        await self.io()
        self.lines.append(text)
        if not (self.is_quiet and len(self.lines) == 3):
            self.tell("all", text)

    async def read(self) -> list[str]:
        return self.lines[:]


class QuietBoards(Boards):
    """Loses what it tells of one line."""

    is_quiet = True


@pytest.mark.parametrize(("driver", "differs"), [("Boards", None), ("QuietBoards", "outcome")])
def test_what_parts_of_a_model_tell_is_expected_after_another_order(
    driver: str, differs: str | None
) -> None:
    """The model goes on from the order that was found, with all that its parts hold of it."""
    pin = Board.pin
    operations = [
        pin("a").timed(Timing(delays=((1, 2),))),
        pin("b").timed(Timing(DURING)),
        Board.read(),
        pin("c"),
    ]
    name = f"tests.test_overlap_told:{driver}"
    target, header = Runs(load_target(name), Recorder(None)), Header("board", name, overlap=True)
    failure = replay(target, header, list(enumerate(operations, 1)))
    assert (failure.disagreement.of if failure else None) == differs
