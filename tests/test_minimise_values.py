"""Tests of minimising: which values it may put in the place of others."""

from __future__ import annotations

from collections import deque

import pytest
from threadline import Driver, Model, Scenario, operation, pool, rule
from threadline.failure import Property, Signature
from threadline.loading import Target
from threadline.lockstep.run import Runs
from threadline.minimise.fixpoint import minimise
from threadline.operation import Operation
from threadline.trace import Header, Recorder, Trace

READS = Signature(Property.CONTINUITY, "read", "refused")


class Wall(Model):
    """What users have written on a wall; who has written a text first, owns it."""

    settings = {"size": pool(9, 2)}

    def __init__(self, size: int = 9) -> None:
        self.owners: dict[str, str] = {}

    @operation
    def write(self, user: str, text: str) -> None:
        """A user writes a text."""
        self.owners.setdefault(text, user)

    @operation
    def read(self, user: str) -> None:
        """A user reads all of it."""

    def belongs_to(self, value: object) -> object:
        return self.owners.get(value) if isinstance(value, str) else None


class WallDriver(Driver[Wall]):
    """Refuses to be read by who has written, once two users have; of two places, once one has."""

    refuses = {PermissionError: "broken"}

    def __init__(self, size: int = 9) -> None:
        self.writers: set[str] = set()
        self.texts: deque[str] = deque(maxlen=size)

    def write(self, user: str, text: str) -> None:
        self.writers.add(user)
        self.texts.append(text)

    def read(self, user: str) -> None:
        if user in self.writers and (len(self.texts) == 9 or len(self.writers) == 2):
            raise PermissionError
        if self.texts.maxlen == 2 and len(self.texts) == 2:
            raise PermissionError


class Anybody(Scenario[Wall], bare=True):
    """Ana and cyd write, and only cyd reads."""

    write = rule(Wall.write, user=pool("ana", "ben", "cyd"), text=pool("a", "b"))
    read = rule(Wall.read, user=pool("cyd"))


class OneSize(Anybody):
    """All of it, on the wall of nine places."""

    settings = {"size": pool(9)}


def least(scenario: type[Scenario[Wall]], *operations: Operation) -> list[str]:
    """Return the operations of the minimised trace, which fails alike."""
    header = Header("wall", "tests.test_minimise_values:WallDriver", settings={"size": 9})
    runs = Runs(Target(header.driver, WallDriver, WallDriver), Recorder(None))
    whole = Trace(header, tuple(enumerate(operations, 1)))
    return [str(step) for _, step in minimise(whole, READS, runs, scenario).trace.operations]


def test_puts_a_value_only_where_it_could_be_drawn() -> None:
    """Cyd, who alone may read, is not renamed to ana, though the system would fail alike."""
    found = least(OneSize, Wall.write("cyd", "a"), Wall.write("ben", "b"), Wall.read("cyd"))

    assert found[-1] == "read(user='cyd')"
    assert "write(user='cyd', text='a')" in found


def test_keeps_apart_the_texts_that_tell_whose_they_are() -> None:
    """A text of ben's does not become one of cyd's: what he is shown would seem to be his own."""
    found = least(OneSize, Wall.write("cyd", "a"), Wall.write("ben", "b"), Wall.read("cyd"))

    assert found[0].endswith("text='a')")
    assert found[1].endswith("text='b')")


def test_tries_other_settings_with_fewer_operations_up_to_twelve() -> None:
    """What takes nine texts under one setting takes two under another."""
    nine = [Wall.write("cyd", "a") for _ in range(9)]

    assert least(Anybody, *nine, Wall.read("cyd")) == [
        "write(user='ana', text='a')",
        "write(user='ana', text='a')",
        "read(user='cyd')",
    ]


@pytest.mark.parametrize(("needs", "left"), [(False, ()), (True, ("continuity-write.refused",))])
def test_drops_what_need_not_be_tolerated(*, needs: bool, left: tuple[str, ...]) -> None:
    """
    A known failure behind which the run went on is tolerated in the trace only if it comes in it.
    """
    tolerated = ("memory-write", "continuity-write.refused")
    header = Header("wall", "x", settings={"size": 9}, tolerates=tolerated)
    make = RefusesToo if needs else WallDriver
    runs = Runs(Target(header.driver, make, WallDriver), Recorder(None))
    steps = (Wall.write("cyd", "a"), Wall.write("ben", "b"), Wall.read("cyd"))
    whole = Trace(header, tuple(enumerate(steps, 1)))

    assert minimise(whole, READS, runs, OneSize).trace.header.tolerates == left


class RefusesToo(WallDriver):
    """Refuses what is written, too, and writes it all the same."""

    def write(self, user: str, text: str) -> None:
        super().write(user, text)
        raise PermissionError
