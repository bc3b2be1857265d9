"""A failure as data: who did what, what differs, what was told, what time passed; bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from threadline.failure import Disagreement, Failure, Property, Signature
from threadline.handle import Handle
from threadline.history import Step
from threadline.leaks.leak import Leak, leak_failure
from threadline.leaks.reach import Link
from threadline.leaks.reach import Path as Chain
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.outcome import Ok
from threadline.play import STEPS_FIRST, STEPS_LAST, TEXT_MAX, is_played, played
from threadline.trace import Recorder, read, read_header

from models.session_manager.model import SessionManagerModel
from tests.project import ROOT
from tests.report_records import at_once
from tests.toys.scripted import Script

C1 = Handle("c", 1)


def of_trace(name: str) -> dict[str, Any]:
    """Return the data of the failure that a stored trace of the project ends in."""
    path = ROOT / "tests/regressions" / f"{name}.jsonl"
    target = load_target(read_header(path).driver)
    trace = read(path, target.model.kinds())
    failure = replay(Runs(target, Recorder(None)), trace.header, trace.operations)
    assert failure is not None
    return played(failure)


def of_steps(*steps: Step) -> Failure:
    last = steps[-1]
    return Failure(
        Signature(Property.ISOLATION, "call"),
        Disagreement("outcome", last.expected, last.actual),
        steps,
    )


def test_a_failure_is_told_step_by_step() -> None:
    """Each step has its caller, its call and both outcomes; the last is the one that differs."""
    play = of_trace("ids-collide")

    assert [step["actor"] for step in play["steps"]] == ["ana:b", "ana"]
    assert [step["differs"] for step in play["steps"]] == [False, True]
    assert play["way"] == "thread"
    assert play["expected"].startswith("ok, {'thread': t_2, ")
    assert play["actual"].startswith("ok, {'thread': t_1, ")
    assert play["steps"][1]["arguments"] == {"user": "'ana'", "thread": "None", "run": "None"}


def test_a_census_is_compared_too() -> None:
    """Where what is held differs, and no outcome, the step itself agrees."""
    play = of_trace("deletes-by-prefix")

    assert play["of"].startswith("census ")
    assert play["expected"].startswith("holds ")
    assert play["actual"] != play["expected"]
    assert not play["steps"][-1]["differs"]


def test_time_that_passes_is_a_number() -> None:
    """An operation that lets time pass says how many seconds."""
    steps = of_trace("expires-late")["steps"]

    assert [(s["kind"], s["wait_s"]) for s in steps if s["wait_s"]] == [("wait", 10.0)]


def test_a_fault_lasts_until_it_is_ended() -> None:
    """A stalled socket is a fault until it resumes; time is let pass by nobody."""
    stall = SessionManagerModel.stall(connection=C1)
    steps = [
        Step(1, stall, Ok(), Ok()),
        Step(2, SessionManagerModel.wait(seconds=5), Ok(), Ok()),
        Step(3, SessionManagerModel.resume(connection=C1), Ok(), Ok(1)),
    ]
    first, second, third = played(of_steps(*steps))["steps"]

    assert [first["is_fault"], second["is_fault"], third["is_fault"]] == [True, False, False]
    assert [first["until"], second["until"], third["until"]] == [3, 0, 0]
    assert [first["actor"], second["actor"]] == ["c_1", "environment"]


def test_a_fault_of_a_moment_ends_where_it_begins() -> None:
    """What tampers once does not go on; what is cut and never mended does."""
    cut = Step(1, SessionManagerModel.cut(connection=C1), Ok(), Ok())
    once = Step(2, SessionManagerModel.tamper(context=C1), Ok(), Ok(1))
    first, second = played(of_steps(cut, once))["steps"]

    assert [first["until"], second["until"]] == [0, 2]


def test_what_is_told_stands_beside_what_was_to_be_told() -> None:
    """Of each receiver, both sides."""
    step = Step(1, Script.call("x"), Ok(told={"ana": ["hi"]}), Ok(told={"ben": ["hi"]}))
    (one,) = played(of_steps(step))["steps"]

    assert one["told"] == [
        {"to": "ana", "expected": ["'hi'"], "actual": [], "differs": True},
        {"to": "ben", "expected": [], "actual": ["'hi'"], "differs": True},
    ]


def test_operations_at_once_have_lanes() -> None:
    """When each ran, waited and left, in ticks since the first began; others have no lanes."""
    play = at_once().play
    write, enter, other, last = play["lanes"]

    assert play["order"].startswith("of the 4 operations at once, no order explains this")
    assert write["timing"] == "I/O 1 comes 3 later, I/O 2 comes 2 later"
    assert write["spans"] == [[".", 0, 5], ["#", 5, 6]]
    assert enter["spans"] == [[".", 1, 4], ["x", 4, 5]]
    assert (other["call"], other["spans"]) == ("write(user='ben', text='yo')", [["#", 2, 3]])
    assert last["spans"] == [[".", 3, 12], ["#", 12, 13]]
    assert (of_trace("ids-collide")["order"], of_trace("ids-collide")["lanes"]) == ("", [])


def test_a_record_from_before_lanes_is_read() -> None:
    """A run.json that an older version has made has none, and its failures are drawn."""
    play = of_trace("ids-collide")

    assert is_played({name: play[name] for name in play if name not in ("lanes", "order")})


def test_what_leaks_has_its_chain() -> None:
    """From the root down, each with its type."""
    chain = Chain([Link("system", "Hub"), Link("._gone", "dict"), Link("len()", "")])
    leak = Leak(chain, "dict entry", 1.0, 9, 8, 2)
    step = Step(1, Script.call("x"), Ok(), Ok())
    play = played(leak_failure(leak, [step], [], {}))

    assert play["chain"] == [["system", "Hub"], ["._gone", "dict"]]
    assert play["actual"].startswith("+1.00 dict entry per cycle")


def test_a_large_failure_is_cut() -> None:
    """Values of a megabyte, and a thousand steps, come out as some hundred kilobytes at most."""
    value, other = "x" * 1_000_000, "x" * 999_999 + "\x1b"
    steps = [Step(n, Script.call(value), Ok(value), Ok(value)) for n in range(1, 1000)]
    last = Step(1000, Script.call(value), Ok([value]), Ok([other]))
    play = played(of_steps(*steps, last))
    text = json.dumps(play)

    assert len(play["steps"]) == STEPS_FIRST + STEPS_LAST
    assert play["left_out"] == 1000 - STEPS_FIRST - STEPS_LAST
    assert len(text) < 300_000
    assert "\x1b" not in play["actual"]
    assert len(play["actual"]) <= TEXT_MAX + 3
    assert "\\x1b" in play["actual"]


def test_nothing_of_a_system_stays_raw() -> None:
    """Control characters and lone surrogates are escaped, so that JSON can hold a text."""
    step = Step(1, Script.call("\ud800\u202e"), Ok("a\x00"), Ok("\u2066b", told={"\x1b\ud800": []}))
    text = json.dumps(played(of_steps(step)), ensure_ascii=False)

    assert text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for path in Path(ROOT / "tests/regressions").glob("*.jsonl")
        if not read_header(path).round_trip  # which only a hunt shows
    )[::9],
)
def test_failures_of_the_project_can_be_json(name: str) -> None:
    """Whatever a failure compares, its data is JSON and says what was expected and what came."""
    play = of_trace(name)

    assert json.loads(json.dumps(play)) == play
    assert play["expected"]
    assert play["actual"]
