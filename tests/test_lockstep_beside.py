"""Tests of what the lockstep compares beside outcomes: census, invariants, warnings, tellings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

import pytest
from threadline import Census, DriverError
from threadline.failure import Disagreement, Failure, Property, Signature, failure_text
from threadline.handle import Handle
from threadline.lockstep.recorders import WarningRecorder, warnings_recorded
from threadline.outcome import Ok, Refuse, Refused

from tests.toys.scripted import Script, agreed, failure_of, lockstep, parted, telling, warning

C1 = Handle("c", 1)


@pytest.fixture
def warned() -> Iterator[WarningRecorder]:
    with warnings_recorded() as warned:
        yield warned


def is_empty(_model: Census, system: Census) -> None:
    assert not system["seen"], f"{system['seen']} is open"


IS_EMPTY = ((Property.KEYS, is_empty),)


def raising(error: Exception) -> NoReturn:
    raise error


def after_c1(model: Mapping[str, object], system: Mapping[str, object]) -> Failure:
    """Return how a run fails whose first step returned c_1, known as real 1 to the system."""
    return parted([Ok(C1)], [Ok("real 1")], model_holds=model, system_holds=system)


def test_agrees_with_a_census_that_is_the_same() -> None:
    """Equal censuses, up to ids, are no divergence."""
    model, system = {"open": [C1], "turns": {C1: 2}}, {"open": ("real 1",), "turns": {"real 1": 2}}
    assert agreed(Ok(C1), Ok("real 1"), model_holds=model, system_holds=system) == Ok(C1)


def test_asks_nothing_of_a_system_that_cannot_tell() -> None:
    """A driver whose census is None is compared by outcomes alone."""
    assert agreed(Ok(), Ok(), model_holds={"open": [C1]}, system_holds=None) == Ok()


def test_asks_nothing_that_a_system_leaves_out() -> None:
    """A part of the census that the driver leaves out is not compared."""
    assert agreed(Ok(), Ok(), model_holds={"open": [C1], "n": 1}, system_holds={"n": 1}) == Ok()


def test_parts_on_another_census() -> None:
    """A system that holds something else has parted, and only what differs is shown."""
    failure = after_c1({"turns": {"a": 1, "b": 2}}, {"turns": {"a": 1, "b": 3}})

    assert failure.disagreement == Disagreement("census turns", {"b": 2}, {"b": 3})


def test_blames_the_census_on_the_property_that_the_model_names() -> None:
    """A census that differs has the signature of the step after which it was taken."""
    failure = after_c1({"turns": 1}, {"turns": 2})

    assert failure.signature == Signature(Property.MEMORY, "call", "turns")


def test_parts_on_an_id_that_no_outcome_returned() -> None:
    """An id that a census brings up first is a divergence, and shows as what it is."""
    failure = parted([Ok()], [Ok()], model_holds={"open": [C1]}, system_holds={"open": ["real 1"]})
    assert repr(failure.disagreement.actual) == "[<a c never returned before>]"


def test_shows_handles_in_a_census() -> None:
    """The ids of a census are shown as handles."""
    failure = after_c1({"open": []}, {"open": ["real 1"]})

    assert failure.disagreement == Disagreement("census open", [], [C1])


def test_keeps_the_step_after_which_the_census_differs() -> None:
    """The failing step is in the history once, with the outcome on which both agreed."""
    failure = after_c1({"n": 1}, {"n": 2})

    assert [str(step.actual) for step in failure.steps] == ["ok, c_1"]


def test_asserts_invariants() -> None:
    """An invariant that fails is a failure under its own property, with its own message."""
    failure = parted([Ok()], [Ok()], system_holds={"seen": ["x"]}, invariants=IS_EMPTY)
    assert failure.signature == Signature(Property.KEYS, "call", "is_empty")
    assert failure.disagreement.of == "invariant is_empty"
    assert str(failure.disagreement.actual).startswith("['x'] is open")


def test_names_ids_for_invariants() -> None:
    """An invariant sees handles, so that its message is stable."""
    seen = {"seen": ["real 1"]}
    failure = parted([Ok(C1)], [Ok("real 1")], system_holds=seen, invariants=IS_EMPTY)
    assert str(failure.disagreement.actual).startswith("[c_1] is open")


@pytest.mark.parametrize("system_holds", [{}, None])
def test_asserts_no_invariant_that_needs_what_is_left_out(system_holds: object) -> None:
    """A system that cannot tell what an invariant looks at is not judged by it."""
    assert agreed(Ok(), Ok(), system_holds=system_holds, invariants=IS_EMPTY) == Ok()


@pytest.mark.parametrize("held", [["open"], {"open"}, "open", 3])
def test_refuses_a_census_that_is_no_mapping(held: object) -> None:
    """A driver that returns something else is told what to return, and with which names."""
    run = lockstep([Ok()], [Ok()], model_holds={"open": [], "n": 1}, system_holds=held)

    with pytest.raises(
        DriverError, match=r"ScriptDriver\.census returned .*; return a mapping .* \{'open', 'n'\}"
    ):
        run.step(1, Script.call())


def test_refuses_a_part_that_the_model_does_not_have() -> None:
    """A part of another name would never be compared, and so is told at once."""
    run = lockstep([Ok()], [Ok()], model_holds={"open": []}, system_holds={"opened": []})

    with pytest.raises(
        DriverError, match="has a part 'opened', and the census of Script has open, seen; give it"
    ):
        run.step(1, Script.call())


def test_takes_what_a_census_raises_for_a_failure_of_the_step_before_it() -> None:
    """What a system raises when it is looked at ends the run as a failure, not the campaign."""
    run = lockstep([Ok()], [Ok()], model_holds={"open": []})
    run.driver.census = lambda: raising(LookupError("no such table: turns"))  # type: ignore[method-assign]

    told = failure_text(failure_of(run))
    assert "crashed (LookupError: no such table: turns)" in told


def test_takes_warnings_for_a_part_of_the_outcome(warned: WarningRecorder) -> None:
    """A warning that the system gives and the model does not expect is a divergence."""
    failure = parted([Ok()], [warning(Ok(), UserWarning)], warned=warned)
    assert failure.step.actual == Ok(warnings=("UserWarning",))


def test_expects_the_warnings_that_the_model_expects(warned: WarningRecorder) -> None:
    """A warning that the model expects is agreed on."""
    expected = Ok(warnings=("UserWarning",))
    assert agreed(expected, warning(Ok(), UserWarning), warned=warned) == expected


def test_takes_no_warning_twice(warned: WarningRecorder) -> None:
    """The warning of one step is not the next one's."""
    first = Ok(warnings=("UserWarning",))
    run = lockstep([first, Ok()], [warning(Ok(), UserWarning), Ok()], warned=warned)
    run.step(1, Script.call())

    assert run.step(2, Script.call()).actual == Ok()


def test_takes_no_warning_given_between_steps(warned: WarningRecorder) -> None:
    """
    A warning given before a step, while the run was opened or a census taken, is not the step's.
    """
    run = lockstep([Ok()], [Ok()], warned=warned)
    warning(Ok(), UserWarning)(run)

    assert run.step(1, Script.call()).actual == Ok()


def test_takes_no_warning_of_the_garbage_collector(warned: WarningRecorder) -> None:
    """A ResourceWarning comes when the collector does, and so belongs to no step."""
    assert agreed(Ok(), warning(Ok(), ResourceWarning), warned=warned) == Ok()


def test_takes_a_plain_value_with_a_warning(warned: WarningRecorder) -> None:
    """A driver that warns and returns no outcome has done it with a warning."""
    failure = parted([Ok()], [warning("hi", UserWarning)], warned=warned)
    assert failure.step.actual == Ok("hi", warnings=("UserWarning",))


# What somebody is told.
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
    assert str(parted([expected], [actual]).step.actual) == text


def test_compares_what_is_told_beside_a_refusal() -> None:
    """Two that refuse alike still part where they tell something else."""
    refused = telling("ana", "no", answer=Refused("full"))

    failure = parted([Refuse("full")], [refused])
    assert str(failure.step.actual) == "refused (full); ana was told 'no'"


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
    failure = parted([C1, None], ["real 1", telling("real 1", ("real 1", "hi"))])
    assert str(failure.step.actual) == "ok; c_1 was told (c_1, 'hi')"


def test_shows_an_id_that_was_never_returned_as_that() -> None:
    """Where the model tells of a handle, another id of the system has no name."""
    failure = parted([C1, telling("ana", C1)], ["real 1", telling("ana", "real 2")])
    assert str(failure.step.actual) == "ok; ana was told <a c never returned before>"
