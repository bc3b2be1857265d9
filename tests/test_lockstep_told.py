"""Tests of what is told beside an outcome: compared by addressee and in order, ids as handles."""

from __future__ import annotations

import pytest
from threadline import Handle, Ok, Refuse, Refused
from threadline.failure import Divergence
from threadline.outcome import Outcome

from tests.toys.scripted import Script, lockstep, telling

C1, C2 = Handle("c", 1), Handle("c", 2)


def agreed(expected: object, actual: object) -> Outcome:
    """Return the outcome of a step on which both sides agree."""
    return lockstep([expected], [actual]).step(1, Script.call()).actual


def shown(*answers: tuple[object, object]) -> str:
    """Return what the system did in the last of these steps, in which it parts from the model."""
    run = lockstep(*zip(*answers, strict=True))
    for number in range(1, len(answers)):
        run.step(number, Script.call())
    with pytest.raises(Divergence) as raised:
        run.step(len(answers), Script.call())
    return str(raised.value.failure.step.actual)


def both(*tellings: object) -> object:
    """Return an answer that tells what these tell, one after another."""

    def answer(side: object) -> None:
        for tell in tellings:
            assert callable(tell)
            tell(side)

    return answer


def test_agrees_where_both_tell_the_same() -> None:
    """What was told is in the outcome on which both agree."""
    assert agreed(telling("ana", "hi", 1), telling("ana", "hi", 1)) == Ok(told={"ana": ["hi", 1]})


def test_agrees_in_whatever_order_people_are_told() -> None:
    """Nobody can say which of two callbacks comes first; each hears its own in order."""
    ana, ben = telling("ana", "a1", "a2"), telling("ben", "b1")

    assert agreed(both(ana, ben), both(ben, ana)) == Ok(told={"ana": ["a1", "a2"], "ben": ["b1"]})


@pytest.mark.parametrize(
    ("expected", "actual", "text"),
    [
        (telling("ana", 1, 2), telling("ana", 2, 1), "ok; ana was told 2, 1"),
        (telling("ana", 1), telling("ben", 1), "ok; ben was told 1"),
        (telling("ana", 1), telling("ana", 1, 1), "ok; ana was told 1, 1"),
        (telling("ana", 1), telling("ana", True), "ok; ana was told True"),
        (telling("ana", 1), telling("ana"), "ok"),
        (telling("ana"), telling("ana", 1), "ok; ana was told 1"),
        (None, both(telling("ana", 1), telling("ben", 2)), "ok; ana was told 1; ben was told 2"),
    ],
)
def test_parts_where_somebody_is_told_something_else(
    expected: object, actual: object, text: str
) -> None:
    """
    Another order, another addressee, too much, too little, another type: each is a divergence.
    """
    assert shown((expected, actual)) == text


def test_compares_what_is_told_beside_a_refusal() -> None:
    """Two that refuse alike still part where they tell something else."""
    refused = telling("ana", "no", answer=Refused("full"))

    assert shown((Refuse("full"), refused)) == "refused (full); ana was told 'no'"


def test_agrees_on_what_is_told_beside_a_refusal() -> None:
    """A model that tells and refuses agrees with a system that does."""
    refused = telling("ana", "no", answer=Refused("full"))

    assert agreed(refused, refused) == Refused("full", told={"ana": ["no"]})


def test_knows_whom_and_what_by_its_handle() -> None:
    """Real ids, of who is told and in what is told, are compared as everywhere."""
    run = lockstep([C1, telling(C1, C1)], ["real 1", telling("real 1", "real 1")])
    run.step(1, Script.call())

    assert run.step(2, Script.call(C1)).actual == Ok(told={C1: [C1]})


def test_binds_an_id_that_is_told_first() -> None:
    """An id that comes back in what is told stands for its handle from then on."""
    run = lockstep([telling("ana", C1), C1], [telling("ana", "real 1"), "real 1"])
    run.step(1, Script.call())

    assert run.step(2, Script.call(C1)).actual == Ok(C1)


def test_shows_handles_in_what_was_told() -> None:
    """A reader sees the names of ids, wherever they stand in what was told."""
    first = (C1, "real 1")

    assert shown(first, (None, telling("real 1", ("real 1", "hi")))) == (
        "ok; c_1 was told (c_1, 'hi')"
    )


def test_shows_an_id_that_was_never_returned_as_that() -> None:
    """Where the model tells of a handle, another id of the system has no name."""
    second = (telling("ana", C1), telling("ana", "real 2"))

    assert shown((C1, "real 1"), second) == "ok; ana was told <a c never returned before>"
