"""The text of a refusal is part of its outcome where a model says what it must have."""

from __future__ import annotations

import pytest
from threadline import Driver, Model, Refuse, operation, pool
from threadline.failure import Divergence
from threadline.lockstep.lockstep import Lockstep
from threadline.outcome import Refused


class Door(Model):
    """Lets in who has a name, and tells the others what to give."""

    @operation(name=pool("ana", ""))
    def enter(self, name: str) -> None:
        """Somebody enters."""
        if not name:
            raise Refuse("no name", because="it is empty", says=("name", "1 to 8"))


class DoorDriver(Driver[Door]):
    """Refuses with the text that it was made with."""

    refuses = {ValueError: "no name"}

    def __init__(self, text: str = "a name has 1 to 8 letters") -> None:
        self.text = text

    def enter(self, name: str) -> None:
        """Enter."""
        if not name:
            raise ValueError(self.text)


class Wordless(DoorDriver):
    """Refuses by itself, and tells nothing of what the system has said."""

    def enter(self, name: str) -> None:
        """Enter."""
        if not name:
            raise Refuse("no name")


def entered(driver: Driver[Door]) -> Lockstep:
    run = Lockstep(Door(), driver)
    run.step(1, Door.enter("ana"))
    run.step(2, Door.enter(""))
    return run


@pytest.mark.parametrize("driver", [DoorDriver(), Wordless()])
def test_a_text_that_says_what_it_must_agrees(driver: Driver[Door]) -> None:
    """
    The rest of it is the system's own; what a driver does not tell is not compared.
    """
    assert [step.actual for step in entered(driver).steps][1] == Refused("no name")


@pytest.mark.parametrize(
    ("text", "missing"), [("a name has 8 letters", "'1 to 8'"), ("no", "'name'"), ("", "'name'")]
)
def test_a_text_that_does_not_say_it_is_a_failure(text: str, missing: str) -> None:
    """
    It is told with what it does not say, under a place of its own.
    """
    with pytest.raises(Divergence) as caught:
        entered(DoorDriver(text))
    failure = caught.value.failure

    assert str(failure.signature) == "continuity-enter.text"
    assert failure.disagreement.actual == Refused("no name")
    assert f"because {text!r} does not say {missing}" in str(failure.disagreement.actual)


def test_a_text_that_cannot_be_told_is_a_crash() -> None:
    """
    An exception whose text raises is the system's fault.
    """

    class Mute(ValueError):
        def __str__(self) -> str:
            raise RuntimeError("nothing to say")

    class MuteDriver(DoorDriver):
        def enter(self, name: str) -> None:
            raise Mute

    with pytest.raises(Divergence, match=r"continuity-enter\.RuntimeError"):
        Lockstep(Door(), MuteDriver()).step(1, Door.enter(""))
