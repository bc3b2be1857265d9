"""Tests of what the lockstep looks at after each step: census, invariants, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from threadline import Census, DriverError
from threadline.failure import Disagreement, Divergence, Failure, Property, Signature
from threadline.handle import Handle
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.warning_recorder import Warned, warnings_recorded
from threadline.outcome import Ok

from tests.toys.scripted import Script, lockstep, warning

C1 = Handle("c", 1)


@pytest.fixture
def warned() -> Iterator[Warned]:
    with warnings_recorded() as warned:
        yield warned


def is_empty(_model: Census, system: Census) -> None:
    assert not system["seen"], f"{system['seen']} is open"


def failure_of(run: Lockstep) -> Failure:
    with pytest.raises(Divergence) as raised:
        run.step(1, Script.call())
    return raised.value.failure


def after_c1(model: Mapping[str, object], system: Mapping[str, object]) -> Failure:
    """Return how a run fails whose first step returned c_1, known as real 1 to the system."""
    run = lockstep([Ok(C1)], [Ok("real 1")], model_holds=model, system_holds=system)
    return failure_of(run)


def test_agrees_with_a_census_that_is_the_same() -> None:
    """Equal censuses, up to ids, are no divergence."""
    run = lockstep(
        [Ok(C1)],
        [Ok("real 1")],
        model_holds={"open": [C1], "turns": {C1: 2}},
        system_holds={"open": ("real 1",), "turns": {"real 1": 2}},
    )

    assert run.step(1, Script.call()).actual == Ok(C1)


def test_asks_nothing_of_a_system_that_cannot_tell() -> None:
    """A driver whose census is None is compared by outcomes alone."""
    run = lockstep([Ok()], [Ok()], model_holds={"open": [C1]}, system_holds=None)

    assert run.step(1, Script.call()).actual == Ok()


def test_asks_nothing_that_a_system_leaves_out() -> None:
    """A part of the census that the driver leaves out is not compared."""
    run = lockstep([Ok()], [Ok()], model_holds={"open": [C1], "n": 1}, system_holds={"n": 1})

    assert run.step(1, Script.call()).actual == Ok()


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
    run = lockstep([Ok()], [Ok()], model_holds={"open": [C1]}, system_holds={"open": ["real 1"]})

    assert repr(failure_of(run).disagreement.actual) == "[<a c never returned before>]"


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
    run = lockstep(
        [Ok()], [Ok()], system_holds={"seen": ["x"]}, invariants=((Property.KEYS, is_empty),)
    )

    failure = failure_of(run)

    assert failure.signature == Signature(Property.KEYS, "call", "is_empty")
    assert failure.disagreement.of == "invariant is_empty"
    assert str(failure.disagreement.actual).startswith("['x'] is open")


def test_names_ids_for_invariants() -> None:
    """An invariant sees handles, so that its message is stable."""
    run = lockstep(
        [Ok(C1)],
        [Ok("real 1")],
        system_holds={"seen": ["real 1"]},
        invariants=((Property.KEYS, is_empty),),
    )

    assert str(failure_of(run).disagreement.actual).startswith("[c_1] is open")


@pytest.mark.parametrize("system_holds", [{}, None])
def test_asserts_no_invariant_that_needs_what_is_left_out(system_holds: object) -> None:
    """A system that cannot tell what an invariant looks at is not judged by it."""
    run = lockstep(
        [Ok()], [Ok()], system_holds=system_holds, invariants=((Property.KEYS, is_empty),)
    )

    assert run.step(1, Script.call()).actual == Ok()


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


def test_takes_warnings_for_a_part_of_the_outcome(warned: Warned) -> None:
    """A warning that the system gives and the model does not expect is a divergence."""
    run = lockstep([Ok()], [warning(Ok(), UserWarning)], warned=warned)

    assert failure_of(run).step.actual == Ok(warnings=("UserWarning",))


def test_expects_the_warnings_that_the_model_expects(warned: Warned) -> None:
    """A warning that the model expects is agreed on."""
    expected = Ok(warnings=("UserWarning",))
    run = lockstep([expected], [warning(Ok(), UserWarning)], warned=warned)

    assert run.step(1, Script.call()).actual == expected


def test_takes_no_warning_twice(warned: Warned) -> None:
    """The warning of one step is not the next one's."""
    first = Ok(warnings=("UserWarning",))
    run = lockstep([first, Ok()], [warning(Ok(), UserWarning), Ok()], warned=warned)
    run.step(1, Script.call())

    assert run.step(2, Script.call()).actual == Ok()


def test_takes_no_warning_given_between_steps(warned: Warned) -> None:
    """
    A warning given before a step, while the run was opened or a census taken, is not the step's.
    """
    run = lockstep([Ok()], [Ok()], warned=warned)
    warning(Ok(), UserWarning)(run)

    assert run.step(1, Script.call()).actual == Ok()


def test_takes_no_warning_of_the_garbage_collector(warned: Warned) -> None:
    """A ResourceWarning comes when the collector does, and so belongs to no step."""
    run = lockstep([Ok()], [warning(Ok(), ResourceWarning)], warned=warned)

    assert run.step(1, Script.call()).actual == Ok()


def test_takes_a_plain_value_with_a_warning(warned: Warned) -> None:
    """A driver that warns and returns no outcome has done it with a warning."""
    run = lockstep([Ok()], [warning("hi", UserWarning)], warned=warned)

    assert failure_of(run).step.actual == Ok("hi", warnings=("UserWarning",))
