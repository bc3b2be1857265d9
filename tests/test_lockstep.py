"""Tests of the lockstep: one operation on both sides, and where they part."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis.errors import UnsatisfiedAssumption
from threadline import history
from threadline.failure import Disagreement, Divergence, Property, Signature
from threadline.handle import Dangling, Handle
from threadline.lockstep.outcomes import ModelError
from threadline.outcome import (
    Crashed,
    Hung,
    Ok,
    Outcome,
    Refuse,
    Refused,
    Unknown,
    Unpredictable,
)
from threadline.pump import NotDone

from tests.toys.scripted import Script, ScriptDriver, failure_of, lockstep, parted

C1, C2 = Handle("c", 1), Handle("c", 2)


def test_keeps_the_steps_on_which_both_agree() -> None:
    """A step that agrees is kept with its number, its operation and its outcome."""
    run = lockstep([Ok("a"), Refused("old")], [Ok("a"), Refused("old", because="of me")])
    run.step(1, Script.call())
    run.step(4, Script.call("x"))

    assert history.lines(run.steps) == [
        "1 call(argument=None)  ok, 'a'",
        "4 call(argument='x')  refused (old)",
    ]


def test_binds_the_first_pair() -> None:
    """The id that answers a fresh handle stands for it in later operations."""
    run = lockstep([Ok(C1), Ok()], [Ok("real 1"), Ok()])
    run.step(1, Script.call())
    run.step(2, Script.call(C1))

    assert isinstance(run.driver, ScriptDriver)
    assert run.driver.given == [None, "real 1"]


def test_takes_no_argument_for_a_new_id() -> None:
    """A system that answers with a text that it was given has made nothing; the text says so."""
    failure = parted([Ok(), Ok(C2)], [Ok(), Ok("r")], ("r", 1), None)
    assert failure.lines()[2] == "  system:  ok, <a 'r' given as an argument, so no new c>"


def test_says_that_an_id_was_returned_before() -> None:
    """A new id that is an old one is shown under its name, with the reason why it is wrong."""
    failure = parted([Ok(C1), Ok({"id": C2})], [Ok("real 1"), Ok({"id": "real 1"})])
    assert failure.lines()[1:5] == [
        "  model:   ok, {'id': c_2}",
        "  system:  ok, {'id': c_1}",
        "  differs: id",
        "  why:     c_2 is new here, and the system returned c_1 again",
    ]


def test_says_that_a_value_can_be_no_id() -> None:
    """What cannot be hashed cannot be looked up again, and so is no id."""
    failure = parted([Ok(C1)], [Ok({"id": 1})])
    assert failure.lines()[2] == "  system:  ok, <a dict that cannot be hashed, so no c>"


def test_blames_only_the_id_that_is_wrong() -> None:
    """New ids beside one that is wrong are no difference, though nothing binds them any more."""
    failure = parted([Ok(C1), Ok([C1, C2])], [Ok("real 1"), Ok(["other", "real 2"])])
    assert failure.lines()[2] == "  system:  ok, [<a c never returned before>, c_2]"


@pytest.mark.parametrize("answer", [Refused("full"), Crashed("KeyError"), Unknown(), Ok(None)])
def test_binds_nothing_where_the_kinds_differ(answer: Outcome) -> None:
    """A handle for which no id came back is bound to nothing."""
    run = lockstep([Ok(C1)], [answer])
    failure_of(run)
    with pytest.raises(Dangling, match="c_1"):
        run.step(2, Script.call(C1))


def test_does_nothing_for_a_dangling_handle() -> None:
    """An operation whose handle nothing stands behind is neither recorded nor done."""
    told: list[str] = []
    run = lockstep([], [], record=lambda number, operation: told.append(f"{number} {operation}"))

    with pytest.raises(Dangling):
        run.step(1, Script.call(C1))

    assert told == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ([Ok(C1), Ok(C1)], [Ok("real 1"), Ok("real 2")]),
        ([Ok(C1), Ok(C2)], [Ok("real 1"), Ok("real 1")]),
    ],
    ids=["another id for one handle", "another handle for one id"],
)
def test_parts_on_a_conflict_of_ids(expected: list[Outcome], actual: list[Outcome]) -> None:
    """Handles and ids are one to one: a second partner for either is a divergence."""
    assert parted(expected, actual).disagreement.of == "outcome"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (Ok(1), Ok(True)),
        (Ok("a"), Ok("b")),
        (Ok(), Refused("old")),
        (Refused("old"), Ok()),
        (Refused("old"), Refused("ended")),
        (Ok(), Unknown()),
        (Ok(), Ok(warnings=("UserWarning",))),
        (Ok(warnings=("UserWarning",)), Ok()),
        (Refused("old"), Refused("old", warnings=("UserWarning",))),
        (Ok(), Ok(told={"ana": ["hi"]})),
        (Ok(told={"ana": ["hi"]}), Ok()),
        (Refused("old"), Refused("old", told={"ana": ["hi"]})),
    ],
)
def test_parts_on_another_outcome(expected: Outcome, actual: Outcome) -> None:
    """
    Outcomes that differ in kind, value, type, reason, warnings or what was told are a divergence.
    """
    failure = parted([expected], [actual])
    assert failure.disagreement == Disagreement("outcome", expected, actual)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("gone"), "KeyError: 'gone'"),
        (ValueError(), "ValueError"),
        (SystemExit(3), "SystemExit: 3"),
        (asyncio.CancelledError(), "CancelledError"),
        (GeneratorExit(), "GeneratorExit"),
        (UnsatisfiedAssumption(), "UnsatisfiedAssumption"),
        (RuntimeError("<Lock at 0x7f12ab34cd>"), "RuntimeError: <Lock at 0x...>"),
    ],
)
def test_takes_an_exception_for_a_crash(error: BaseException, text: str) -> None:
    """What the driver does not translate, however special, is an outcome with a stable text."""
    failure = parted([Ok()], [error])
    assert failure.disagreement.actual == Crashed(text)


def test_tells_where_it_crashed() -> None:
    """A crash names the file and the function that raised, without the folder."""
    failure = parted([Ok()], [KeyError("gone")])
    crash = failure.step.actual
    assert isinstance(crash, Crashed)
    assert crash.where.startswith("scripted.py:")
    assert crash.where.endswith(" _next")


def test_lets_an_interrupt_pass() -> None:
    """Ctrl-C is no crash of the system."""
    with pytest.raises(KeyboardInterrupt):
        lockstep([Ok()], [KeyboardInterrupt()]).step(1, Script.call())


def test_takes_a_call_that_hangs_for_liveness() -> None:
    """A call that does not come back breaks liveness, whatever blame would say."""
    failure = parted([Ok()], [NotDone("5 turns", "get line 3")])
    assert failure.signature == Signature(Property.LIVENESS, "call", "hung")
    assert failure.step.actual == Hung("5 turns", where="get line 3")


@pytest.mark.parametrize(
    ("expected", "actual"), [("a", Ok("a")), (Ok("a"), "a"), ("a", "a"), (None, Ok()), (Ok(), None)]
)
def test_takes_a_plain_value_for_ok(expected: object, actual: object) -> None:
    """What is no outcome is what an operation that was done came back with, on both sides."""
    step = lockstep([expected], [actual]).step(1, Script.call())

    assert isinstance(step.actual, Ok)


@pytest.mark.parametrize("expected", [Refuse("old", because="of me"), Refused("old")])
def test_takes_what_the_model_raises_for_a_refusal(expected: object) -> None:
    """A model refuses by raising Refuse, or by returning Refused."""
    step = lockstep([expected], [Refused("old")]).step(1, Script.call())

    assert step.expected == Refused("old")


def test_keeps_why_the_model_refuses() -> None:
    """The reason for the reader of a refusal that is raised is in the outcome that is expected."""
    failure = parted([Refuse("old", because="of me")], [Ok()])
    assert str(failure.step.expected) == "refused (old), because of me"


def test_plays_nothing_that_nobody_can_predict() -> None:
    """Where the model cannot say what is right, the system is not asked, and no step is kept."""
    run = lockstep([Unpredictable("two are right")], [Ok()])

    with pytest.raises(Unpredictable, match="two are right"):
        run.step(1, Script.call())

    assert isinstance(run.driver, ScriptDriver)
    assert (run.steps, run.driver.given) == ([], [])


def test_takes_a_handle_that_the_model_does_not_know_for_dangling() -> None:
    """The KeyError of a handle is no mistake of the model: what the handle named has ended."""
    run = lockstep([Ok(C1), KeyError(C1)], [Ok("real 1")])
    run.step(1, Script.call())

    with pytest.raises(Dangling, match="c_1 names nothing"):
        run.step(2, Script.call(C1))


@pytest.mark.parametrize("error", [KeyError("gone"), KeyError(), ValueError("wrong")])
def test_takes_what_else_a_model_raises_for_a_mistake_of_its_own(error: Exception) -> None:
    """It is no outcome, and is told with the model and the operation."""
    with pytest.raises(ModelError, match=r"Script raised \w+\(.*\) in call\(argument=None\)"):
        lockstep([error], [Ok()]).step(1, Script.call())


def test_records_a_step_before_the_system_takes_it() -> None:
    """What a step does to the process cannot keep it from being recorded."""
    told: list[str] = []
    run = lockstep(
        [Ok()],
        [lambda _: told.append("done")],
        record=lambda number, operation: told.append(f"recorded {number} {operation}"),
    )
    run.step(3, Script.call("x"))

    assert told == ["recorded 3 call(argument='x')", "done"]


def test_blames_the_property_that_the_model_names() -> None:
    """The model's blame decides which property a disagreement breaks."""
    failure = parted([Ok("a")], [Ok("b")])
    assert failure.signature == Signature(Property.ISOLATION, "call")


def test_raises_a_type_of_its_own_for_each_signature() -> None:
    """Hypothesis tells failures apart by their type, which names property and operation."""
    with pytest.raises(Divergence) as raised:
        lockstep([Ok("a")], [Ok("b")]).step(1, Script.call())
    assert type(raised.value).__name__ == "IsolationCall"


def test_shows_handles_in_place_of_real_ids() -> None:
    """The ids that a diverging system returned are handles in its history."""
    failure = parted([Ok(C1), Ok([])], [Ok("real 1"), Ok(["real 1", {"id": "real 1"}])], C1)
    assert history.lines(failure.steps) == [
        "1 call(argument=None)  ok, c_1",
        "2 call(argument=c_1)  ok, [c_1, {'id': c_1}]",
    ]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (KeyError("no s-1f, only s-1f2"), Crashed("KeyError: 'no c_1, only s-1f2'")),
        (Refused("s-1f is locked"), Refused("c_1 is locked")),
    ],
)
def test_shows_handles_in_texts(answer: object, shown: Outcome) -> None:
    """A real id in an error or a reason is a handle in the history, where it is a whole word."""
    assert parted([Ok(C1), Ok()], [Ok("s-1f"), answer], C1).step.actual == shown


def test_digests_the_same_whatever_the_ids() -> None:
    """Two runs that differ in real ids alone have one digest."""
    one = lockstep([Ok(C1)], [Ok("real 1")])
    other = lockstep([Ok(C1)], [Ok("another")])
    one.step(1, Script.call())
    other.step(1, Script.call())

    assert history.digest(one.steps) == history.digest(other.steps)


def test_digests_any_text() -> None:
    """A history with a lone surrogate, which no encoding of text has, has a digest."""
    run = lockstep([Refused("\ud800")], [Refused("\ud800")])
    run.step(1, Script.call("\ud800"))

    assert len(history.digest(run.steps)) == 64
