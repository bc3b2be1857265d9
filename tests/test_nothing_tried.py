"""Nothing tried is no success, and what was never used is told at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import run

ON_THE_DOOR = ("--driver", "tests.toys.door:DoorDriver", "--seed", "0")
every_engine = pytest.mark.parametrize(
    "engine", ["explore", pytest.param("hypothesis", marks=pytest.mark.slow), "exhaust"]
)


@every_engine
def test_a_rule_that_never_fired_is_told_with_its_reason(project: Path, engine: str) -> None:
    """An empty pool, a precondition that never held: no failure, and a line each."""
    result = run("fuzz", "tests.toys.door:Knocking", "--engine", engine, *ON_THE_DOOR)

    assert result.exit_code == 0
    assert "knocking: never fired: rule greet: its pool name was always empty" in result.output
    assert "knocking: never fired: rule lock: its precondition never held" in result.output
    assert "rule knock" not in result.output


@every_engine
def test_a_scenario_in_which_nothing_can_fire_fails(project: Path, engine: str) -> None:
    """A campaign of 0 steps exits with 1, and says so."""
    result = run("fuzz", "tests.toys.door:Standing", "--engine", engine, *ON_THE_DOOR)

    assert result.exit_code == 1
    assert "standing: nothing was tried, which is no success: 0 steps in " in result.output
    assert "standing: never fired: rule greet: its pool name was always empty" in result.output


@every_engine
def test_a_scenario_in_which_nothing_can_be_judged_fails(project: Path, engine: str) -> None:
    """Operations of which the model never knows what is right are no steps."""
    result = run("fuzz", "tests.toys.door:Listening", "--engine", engine, *ON_THE_DOOR)

    assert result.exit_code == 1
    assert "nobody could say what is right, or it named nothing" in result.output


def test_a_rule_that_was_not_drawn_is_told_as_that(project: Path) -> None:
    """Where a run of one step cannot draw all, chance has left a rule out, and nothing else."""
    words = ("--runs", "1", "--steps", "1")
    result = run("fuzz", "tests.toys.door:Busy", *words, *ON_THE_DOOR)

    assert result.exit_code == 0
    assert "busy: never fired: rule knock_hard: never drawn in 1 run" in result.output


def test_a_check_that_could_try_nothing_fails(project: Path) -> None:
    """A driver of which no operation was tried has not been found to keep its contract."""
    result = run("check", "tests.toys.door:Standstill")

    assert result.exit_code == 1
    assert "nothing was tried, which is no success" in result.output


def test_a_leak_hunt_without_a_step_fails(project: Path) -> None:
    """Runs in which nothing happened leak nothing, and prove nothing."""
    result = run("leaks", "tests.toys.door:Standing", "--runs", "3", *ON_THE_DOOR)

    assert result.exit_code == 1
    assert "nothing was tried, which is no success: 0 steps" in result.output


def test_check_judges_what_fails_beside_the_operations(project: Path) -> None:
    """A system that cannot be closed keeps no contract, though each operation does."""
    result = run("check", "tests.toys.misbehaving:RaisesWhenClosed")

    assert result.exit_code == 1
    assert "close      no                  breaks liveness, as below" in result.output
