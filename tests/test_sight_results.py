"""`threadline sight` does not try again what it knows, while what decides it is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from threadline.loading import load_target
from threadline.sight.mutants import Source, mutants_of, sources_of, system_of
from threadline.sight.results import FILE, Results, functions_in, outside, read_results
from threadline.sight.verdict import KILLED, SURVIVED, TIMEOUT, UNREACHED, Plan, Verdict

from tests.project import flat, run

DRIVER, SYSTEM = "tests.toys.metered:MeteredDriver", "tests.toys.meter"
ADDING = "tests.toys.metered:Adding"
COMMAND = ("sight", "--driver", DRIVER, "--package", SYSTEM, "--scenario", ADDING, "--seed", "1")
FEW = ("--sample", "12", "--runs", "5", "--workers", "1")
PLAN = Plan(DRIVER, [ADDING], [SYSTEM], runs=5)


def meter() -> Source:
    load_target(DRIVER)
    return sources_of([SYSTEM])[0]


def results(path: Path, text: str = "", plan: Plan = PLAN) -> Results:
    """Return what is stored, for the meter as it is or with this text."""
    source = replace(meter(), text=text) if text else meter()
    return Results(plan, [source], mutants_of([source]), path)


def filled(path: Path, status: str = KILLED, seconds: float = 0.1) -> int:
    """Store the same for every mutant of the meter; return how many are kept."""
    kept = results(path)
    asked = [(each.number, [ADDING]) for each in kept.mutants]
    kept.add(asked, {n: Verdict(n, status, ADDING, "continuity-add", 1, seconds) for n, _ in asked})
    return len(read_results(path))


def known_functions(kept: Results) -> dict[str, bool]:
    """Return of which functions the mutants are known: of each all, or none."""
    asked = [(each.number, [ADDING]) for each in kept.mutants]
    known = kept.known(asked)
    found: dict[str, set[bool]] = {}
    for each in kept.mutants:
        found.setdefault(each.edit.function, set()).add(each.number in known)
    assert all(len(each) == 1 for each in found.values())
    return {name: each.pop() for name, each in found.items()}


def test_what_is_known_is_not_tried_again(project: Path) -> None:
    """
    The second report is the first, and says how much of it was known.
    """
    first = run(*COMMAND, *FEW, "--json", "first.json")
    second = run(*COMMAND, *FEW, "--json", "second.json")

    assert "known before" not in first.output
    assert f"known before, from {FILE}: 6 mutants" in second.output
    assert json.loads(Path("first.json").read_text()) == json.loads(Path("second.json").read_text())


def test_only_what_came_to_an_end_is_kept(tmp_path: Path) -> None:
    """
    A mutant that had no time for all of its runs may be seen the next time.
    """
    every = len(mutants_of([meter()]))

    assert filled(tmp_path / "killed.jsonl") == every
    assert filled(tmp_path / "hung.jsonl", TIMEOUT, PLAN.whole_s) == every
    assert filled(tmp_path / "lives.jsonl", SURVIVED) == every
    assert filled(tmp_path / "late.jsonl", SURVIVED, PLAN.whole_s) == 0
    assert filled(tmp_path / "apart.jsonl", UNREACHED) == 0


def test_what_is_changed_is_tried_again(tmp_path: Path) -> None:
    """
    What came of the mutants of the other functions is known.
    """
    filled(tmp_path / "kept.jsonl")
    changed = meter().text.replace("self.total += amount", "self.calls += amount")

    functions = known_functions(results(tmp_path / "kept.jsonl", changed))

    assert {name for name, is_known in functions.items() if not is_known} == {"Meter.add"}
    assert sum(functions.values()) > 2


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: results(kept, meter().text.replace("LEVEL_MAX = 9", "LEVEL_MAX = 8")),
        lambda kept: results(kept, plan=replace(PLAN, seed=1)),
        lambda kept: results(kept, plan=replace(PLAN, runs=6)),
    ],
    ids=["constant", "seed", "runs"],
)
def test_what_stands_around_decides_as_well(
    tmp_path: Path, change: Callable[[Path], Results]
) -> None:
    """
    A constant of the file, the seed and the number of runs are part of what decides.
    """
    filled(tmp_path / "kept.jsonl")

    assert any(known_functions(results(tmp_path / "kept.jsonl")).values())
    assert not any(known_functions(change(tmp_path / "kept.jsonl")).values())


def test_a_scenario_that_was_changed_makes_all_of_it_new(project: Path) -> None:
    """
    So does any other file of the project that is no part of the system.
    """
    (project / "beside.py").write_text("from tests.toys.metered import *\n", "utf-8")
    words = (*COMMAND[:2], "beside:MeteredDriver", *COMMAND[3:], *FEW)

    outputs = [run(*words).output, run(*words).output]
    (project / "beside.py").write_text("from tests.toys.metered import *\n\nX = 1\n", "utf-8")
    outputs.append(run(*words).output)

    assert ["known before" in each for each in outputs] == [False, True, False]


def test_a_function_that_has_moved_is_the_same(tmp_path: Path) -> None:
    """
    Its lines and the numbers of its mutants are others, as one above it has more of both.
    """
    filled(tmp_path / "kept.jsonl")
    longer = meter().text.replace("self.calls += 1 ", "self.calls += 1 + 1\n        # and so ")

    kept = results(tmp_path / "kept.jsonl", longer)
    last = len(kept.mutants)

    assert last > len(mutants_of([meter()]))
    assert kept.known([(last, [ADDING])])[last].number == last


def test_other_scenarios_are_another_question(tmp_path: Path) -> None:
    """
    As the order of the scenarios is, which says what is played first.
    """
    filled(tmp_path / "kept.jsonl")
    kept = results(tmp_path / "kept.jsonl")

    assert kept.known([(1, [ADDING])])[1].status == KILLED
    assert kept.known([(1, [ADDING, "tests.toys.metered:Draining"])]) == {}


def test_what_cannot_be_kept_is_told_with_the_results(project: Path) -> None:
    """
    The analysis is whole all the same.
    """
    (project / FILE.parent).write_text("no folder", "utf-8")

    result = run(*COMMAND, *FEW)

    assert result.exit_code == 0
    assert "cannot be written: " in flat(result.output)
    assert "12 of 38 mutants, seed 1: " in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line"),
        ('{"key": "a", "number": 1}', "status"),
        ('{"key": "a", "number": 1, "status": "Ignored"}', "none of Killed, Timeout, Survived"),
        ('{"key": "a", "number": "1", "status": "Killed"}', "number is '1', and not of int"),
    ],
)
def test_a_file_that_is_none_of_results_is_told(project: Path, line: str, said: str) -> None:
    """
    Nothing in it is code, and it can be removed.
    """
    FILE.parent.mkdir()
    FILE.write_text(f"{line}\n", "utf-8")

    result = run(*COMMAND, *FEW)

    assert result.exit_code == 2
    assert said in flat(result.output)
    assert "remove it, and all is tried again" in flat(result.output)


def test_a_source_is_its_functions_and_what_is_outside_of_them() -> None:
    """
    A decorator and a default on another line are outside, or within, as the line says.
    """
    text = (
        "A = 1\n\n\n@mark\ndef one():\n    return 1\n\n\nclass Two:\n    def two(self): return 2\n"
    )

    places = functions_in(text)

    assert [text[start:end].strip().split("(")[0] for start, end in places] == [
        "def one",
        "def two",
    ]
    assert outside(text, places) == "A = 1\n\n\n@mark\n\n\nclass Two:\n"


def test_every_edit_stands_in_a_function() -> None:
    """
    Of a whole package, each mutant has a key of its own.
    """
    sources = system_of(load_target("drivers.sessions:SessionsDriver"), ["sessions"])
    kept = Results(PLAN, sources, mutants_of(sources), Path("nowhere"))

    keys = [kept._key(each.number, [ADDING]) for each in kept.mutants]

    assert len({*keys}) == len(keys) > 1_000
