"""What a system returns is its caller's to change; who hands out what it keeps is found."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from threadline import Driver, Model, Operation, operation, pool
from threadline.failure import failure_text
from threadline.loading import load_target
from threadline.lockstep.handed import handed
from threadline.lockstep.run import Runs, replay
from threadline.outcome import CHANGED
from threadline.trace import Header, Recorder

SAID = {"ana": ["hi"], "ben": []}


class Notes(Model):
    """Notes are kept by user."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {user: [*texts] for user, texts in SAID.items()}

    @operation(user=pool("ana", "ben"))
    def read(self, user: str) -> list[str]:
        """The notes of a user."""
        return list(self.texts[user])

    @operation
    def every(self) -> dict[str, list[str]]:
        """All notes."""
        return {user: list(texts) for user, texts in self.texts.items()}

    @operation
    def pages(self) -> tuple[list[str], ...]:
        """All notes, user by user."""
        return tuple(map(list, self.texts.values()))


class CopiesNotes(Driver[Notes]):
    """Returns what is the caller's own."""

    def __init__(self) -> None:
        self.texts = {user: [*texts] for user, texts in SAID.items()}

    def read(self, user: str) -> list[str]:
        return list(self.texts[user])

    def every(self) -> dict[str, list[str]]:
        return {user: list(texts) for user, texts in self.texts.items()}

    def pages(self) -> tuple[list[str], ...]:
        return tuple(map(list, self.texts.values()))


class SharesNotes(CopiesNotes):
    """Hands out what it keeps."""

    def read(self, user: str) -> list[str]:
        return self.texts[user]

    def every(self) -> dict[str, list[str]]:
        return {**self.texts}

    def pages(self) -> tuple[list[str], ...]:
        return tuple(self.texts.values())


class MayShareNotes(SharesNotes):
    """Hands out what it keeps, and says that it may."""

    mutates = False


class SharesLater(SharesNotes):
    """Hands it out from a coroutine."""

    async def read(self, user: str) -> list[str]:  # type: ignore[override]
        return self.texts[user]


READ, EVERY, PAGES = Notes.read("ana"), Notes.every(), Notes.pages()


def failure(driver: type[Driver[Any]], *operations: Operation, overlap: bool = False) -> str:
    """Return the text of how these operations fail; "" where they do not."""
    name = f"{__name__}:{driver.__name__}"
    runs, header = Runs(load_target(name), Recorder(None)), Header("notes", name, overlap=overlap)
    found = replay(runs, header, [*enumerate(operations, 1)])
    return failure_text(found) if found else ""


@pytest.mark.parametrize("asked", [READ, EVERY, PAGES], ids=lambda each: each.kind)
@pytest.mark.parametrize("overlap", [False, True])
def test_who_hands_out_what_it_keeps_is_found(asked: Operation, *, overlap: bool) -> None:
    """
    Each value that it returns is changed, however deep, and the next one shows that.
    """
    shared = failure(SharesNotes, asked, READ, overlap=overlap)

    assert "memory: read(user='ana') diverges at step 2" in shared
    assert "system:  ok, ['hi', 'changed by its caller']" in shared
    assert "why:     a value that was returned before is changed: return a copy of it" in shared
    assert failure(CopiesNotes, asked, READ, asked, READ, overlap=overlap) == ""


@pytest.mark.parametrize("overlap", [False, True])
def test_what_a_coroutine_returns_is_changed_as_well(*, overlap: bool) -> None:
    """
    Whether operations overlap or not.
    """
    assert "diverges at step 2" in failure(SharesLater, READ, READ, overlap=overlap)


def test_a_system_that_may_hand_it_out_is_left_alone() -> None:
    """
    Its driver says `mutates = False`.
    """
    assert failure(MayShareNotes, READ, EVERY, PAGES, READ) == ""


def test_a_copy_is_compared() -> None:
    """
    It is as deep as what is changed, and shares nothing with it.
    """
    inner = ["a"]
    value = {"b": inner, "c": ({"d"}, inner)}

    copy = handed(value)

    assert copy == {"b": ["a"], "c": ({"d"}, ["a"])}
    assert value == {
        "b": ["a", CHANGED],
        "c": ({"d", CHANGED}, ["a", CHANGED]),
        CHANGED: CHANGED,
    }
    assert copy["b"] is copy["c"][1]


def test_a_value_that_holds_itself_is_copied() -> None:
    """
    The copy holds itself.
    """
    value: list[Any] = ["a"]
    value.append(value)

    copy = handed(value)

    assert copy[1] is copy
    assert len(copy) == 2


@pytest.mark.parametrize(
    "value", ["text", 1, None, (1, ("a",)), frozenset({1}), OrderedDict(a=1), object()]
)
def test_what_cannot_be_changed_is_the_same_object(value: object) -> None:
    """
    So are objects of other types, of which nobody knows what a change means.
    """
    assert handed(value) is value
