"""A scenario that never comes to what it is for is told, with what else is not reached."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from threadline import sometimes
from threadline.campaign.entry import Entry
from threadline.campaign.events import Ended
from threadline.campaign.job import Job
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.report.keeper import verdict_of
from threadline.report.page import page_of
from threadline.report.record import ScenarioRecord
from threadline.report.summary import summary_of
from threadline.search.explore import Explorer
from threadline.search.goals import Goals
from threadline.trace import Header, Recorder

from tests.project import run
from tests.report_records import record
from tests.toys.metered import Growing, InVain

TOY = "tests.toys.metered"
COMMAND = ("coverage", f"{TOY}:MeteredDriver", "--package", "tests.toys.meter", "--seed", "1")


def test_a_scenario_has_the_goals_of_its_class_and_of_those_above() -> None:
    """
    The ones above come first.
    """
    assert [goal.text for goal in InVain.goals()] == [
        "the total passes 10",
        "the total passes a million",
    ]


def test_a_class_takes_a_goal_out_by_its_name() -> None:
    """
    As it does a rule; what else there is stays.
    """

    class Modest(InVain):
        more = None

    assert [goal.text for goal in Modest.goals()] == ["the total passes 10"]


def test_a_goal_needs_words() -> None:
    """
    The error says what to write.
    """
    with pytest.raises(ValueError, match="a goal needs words; write sometimes"):
        sometimes(" ", bool)


@pytest.mark.parametrize(("runs", "unmet"), [(0, InVain.goals()), (20, InVain.goals()[1:])])
def test_a_goal_is_met_when_it_holds_in_a_run(runs: int, unmet: list[object]) -> None:
    """
    It stays met, whatever comes later.
    """
    target = load_target(f"{TOY}:MeteredDriver")
    goals = Goals(InVain.goals())
    batches = Explorer(
        InVain,
        Runs(target, Recorder(None), follower=goals),
        Header(target.model.name, target.name, engine="explore", steps_max=20),
    ).batches()

    assert all(next(batches).failure is None for _ in range(runs))
    assert goals.unmet == [goal.text for goal in unmet]  # type: ignore[attr-defined]  # goals


def test_a_goal_is_looked_at_behind_the_last_step() -> None:
    """
    A run of one step can meet it.
    """
    target = load_target(f"{TOY}:MeteredDriver")
    goals = Goals([sometimes("something was added", lambda now: now.model.total > 0)])
    runs = Runs(target, Recorder(None), follower=goals)
    header = Header(target.model.name, target.name, engine="explore", steps_max=1)
    batches = Explorer(Growing, runs, header).batches()

    assert [next(batches).steps for _ in range(9)] == [1] * 9
    assert goals.unmet == []


@pytest.mark.parametrize(
    ("scenario", "status", "said"),
    [
        ("Growing", 0, ""),
        ("InVain", 1, "vacuous: invain never comes to this: the total passes a million\n"),
    ],
)
def test_a_goal_that_is_not_met_fails_the_command(
    project: Path, scenario: str, status: int, said: str
) -> None:
    """
    What was met is not told.
    """
    result = run(*COMMAND, "--scenario", f"{TOY}:{scenario}")

    assert result.exit_code == status
    assert ("vacuous" in result.output) == (said != "")
    assert result.output.endswith(said)


def test_a_goal_that_raises_is_an_error_of_its_author(project: Path) -> None:
    """
    The exit status is 3, and the goal is named.
    """
    result = run(*COMMAND, "--scenario", f"{TOY}:Mistaken")

    assert result.exit_code == 3
    assert "the goal 'the total is long' raised TypeError" in result.output


def test_what_is_not_reached_is_told(project: Path) -> None:
    """
    Operations never called come first; then functions of the system and the model, with the lines
    of those that were called.
    """
    result = run(*COMMAND, "--scenario", f"{TOY}:Growing", "--runs", "5")
    lines = [" ".join(line.split()) for line in result.output.splitlines()]

    assert lines[:3] == ["cut never called", "drain never called", "halt never called"]
    assert lines[3].startswith("add ok ")
    assert lines[4].startswith("2 states of the model, 5 runs, 250 steps")
    assert lines[5:] == [
        f"not reached: {Path(__file__).parent}/toys/meter.py Meter.drain, never called",
        f"not reached: {Path(__file__).parent}/toys/meter.py Meter.halt, never called",
        f"not reached: {Path(__file__).parent}/toys/meter.py Meter.cut, never called",
        f"not reached: {Path(__file__).parent}/toys/meter.py Meter.twice, never called",
        f"not reached: {Path(__file__).parent}/toys/metered.py Metered.drain, never called",
    ]


def test_lines_of_a_function_that_was_called_are_told_alone(project: Path) -> None:
    """
    Of what ends the process, only that line was not reached.
    """
    result = run(*COMMAND, "--scenario", f"{TOY}:Metered", "--runs", "5")
    lines = [line.rpartition("meter.py ")[2] for line in result.output.splitlines()]

    assert lines[-3:] == ["Meter.halt, 33", "Meter.cut, 38", "Meter.twice, never called"]


def test_a_system_that_fails_is_told_by_its_signature(project: Path) -> None:
    """
    What it has reached until then would be of no use.
    """
    result = run("coverage", f"{TOY}:Broken", *COMMAND[2:], "--scenario", f"{TOY}:Growing")

    assert result.exit_code == 2
    assert "fails on the system as it is, with continuity-add" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("scenario", "runs", "status", "said"),
    [
        ("Growing", 300, 0, []),
        ("InVain", 299, 0, ["has not come to this: the total passes a million"]),
        ("InVain", 300, 1, ["vacuous: never comes to this: the total passes a million"]),
    ],
)
def test_a_campaign_tells_the_goals_that_it_has_not_met(
    project: Path, scenario: str, runs: int, status: int, said: list[str]
) -> None:
    """
    After 300 runs it fails for them, as vacuous.
    """
    words = ("--driver", f"{TOY}:MeteredDriver", "--seed", "1", "--runs", str(runs))
    result = run("fuzz", f"{TOY}:{scenario}", *words)
    told = [line.partition(": ")[2] for line in result.output.splitlines() if " come" in line]

    assert (result.exit_code, told) == (status, said)


def test_an_exhaustive_search_is_held_to_no_goal(project: Path) -> None:
    """
    However many sequences there are, they may be too short for it.
    """
    words = ("--driver", f"{TOY}:MeteredDriver", "--engine", "exhaust", "--depth", "5")
    result = run("fuzz", f"{TOY}:InVain", *words)

    assert result.exit_code == 0
    assert "invain: all 1,024 sequences were played" in result.output
    assert " come to this" not in result.output


@pytest.mark.parametrize(
    ("runs", "verdict", "said"),
    [
        (299, "passed", "has not come to this: b"),
        (300, "failed: vacuous, as goals were not met in one", "vacuous: never comes to this: b"),
    ],
)
def test_a_report_tells_the_goals_that_no_slice_has_met(runs: int, verdict: str, said: str) -> None:
    """
    Workers that share a scenario meet its goals together; what none has met is in the verdict, the
    summary, the page and the data.
    """
    target = load_target(f"{TOY}:MeteredDriver")
    entry = Entry("one", Job(f"{TOY}:InVain", target.name, "explore", seed=0, steps=9), target)
    first, second = entry.begin(), entry.begin()
    list(entry.hear(first, Ended(1, 2, {}, unmet=["a", "b"])))
    list(entry.hear(second, Ended(runs - 1, 2, {}, unmet=["b", "c"])))
    played = ScenarioRecord("InVain", "Driver", runs=runs, unmet=tuple(entry.end().unmet))
    told = replace(record(), scenarios=(played,))

    assert verdict_of([], [entry], "").startswith(verdict)
    assert f"InVain on Driver: {said}" in summary_of(told)
    assert said in page_of(told)
    assert asdict(told)["scenarios"][0]["unmet"] == ("b",)


def test_coverage_is_written_as_json(project: Path) -> None:
    """
    It says what the lines say, and does not shorten it.
    """
    words = ("--scenario", f"{TOY}:Growing", "--runs", "5", "--json", "coverage.json")

    result = run(*COMMAND, *words)

    found = json.loads((project / "coverage.json").read_text("utf-8"))
    assert "report: coverage.json" in result.output
    assert (found["runs"], found["steps"], found["states"], found["seed"]) == (5, 250, 2, 1)
    assert sum(found["operations"]["add"].values()) == 250
    first = found["missing"][0]
    assert (first["function"], first["is_called"]) == ("Meter.drain", False)


def test_a_way_that_the_model_never_takes_is_told(project: Path) -> None:
    """
    A condition that is always true says that what it is there for was never seen; a loop that was
    entered, and left out, is no such thing.
    """
    toy = "tests.toys.one_way"
    words = ("--package", "tests.toys.meter", "--scenario", f"{toy}:Both", "--seed", "1")

    result = run("coverage", f"{toy}:OneWayDriver", *words, "--json", "coverage.json")

    lines = Path(sys.modules[toy].__file__ or "").read_text("utf-8").splitlines()
    number = 1 + lines.index("        if amount:")
    told = [line for line in result.output.splitlines() if line.startswith("never taken")]
    assert [line.partition("one_way.py ")[2] for line in told] == [
        f"OneWay.add, {number} to {number + 2}"
    ]
    (untaken,) = json.loads((project / "coverage.json").read_text("utf-8"))["untaken"]
    assert untaken["branches"] == [{"line": number, "to": number + 2}]
