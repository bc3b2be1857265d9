"""`threadline sight` tells which changes of a system nobody notices, and why the others died."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from threadline.loading import BadName, load_target
from threadline.sight.analysis import Analysis, NotClean, analyse
from threadline.sight.equivalent import BadEquivalent, Equivalent, read_equivalents, reasons_for
from threadline.sight.mutants import Mutant, mutants_of, sampled, system_of
from threadline.sight.schema import as_json
from threadline.sight.told import told
from threadline.sight.verdict import Plan, Result, score
from threadline.trace import Header, Trace

from tests.project import ROOT, flat, run
from tests.toys.metered import Metered

DRIVER, SYSTEM = "tests.toys.metered:MeteredDriver", "tests.toys.meter"
ADDING, DRAINING = "tests.toys.metered:Adding", "tests.toys.metered:Draining"
PLAN = Plan(DRIVER, ["tests.toys.metered:Metered"], [SYSTEM], runs=20, hang_s=1.0)
SEED = 7  # of a fresh run in which nothing above 0 is added
SCHEMA = ROOT / "tests/golden/mutation-report-schema.json"


def mutants(*functions: str) -> list[Mutant]:
    """Return the mutants of these functions of the meter, or of all."""
    found = mutants_of(system_of(load_target(DRIVER), [SYSTEM]))
    return [each for each in found if each.edit.function in functions or not functions]


def analysed(
    sample: Sequence[Mutant], plan: Plan = PLAN, *, workers: int = 2, is_over: bool = False
) -> Analysis:
    return analyse(plan, sample, len(mutants()), {}, workers, lambda: is_over)


@pytest.fixture(scope="module")
def whole() -> Analysis:
    """Return what comes of every mutant of the meter."""
    return analysed(mutants())


def of(analysis: Analysis, new: str) -> Result:
    """Return what came of the mutant that makes a line so."""
    (found,) = (each for each in analysis.results if each.mutant.new == new)
    return found


@pytest.mark.parametrize(
    ("new", "status", "signature"),
    [
        ("if amount <= 0:", "Killed", "continuity-add.refused"),
        ("pass # which nobody looks at", "Survived", ""),
        ("self.total += 1", "Timeout", "liveness-drain"),
        ("if level >= LEVEL_MAX:", "Killed", "liveness-halt"),
        ("return self.total // 2", "NoCoverage", ""),
    ],
)
def test_a_mutant_is_killed_survives_hangs_or_is_not_reached(
    whole: Analysis, new: str, status: str, signature: str
) -> None:
    """
    A verdict says what the mutant died of; one that hangs or ends its process is none the less one.
    """
    results = [each for each in whole.results if each.mutant.new == new]

    assert (results[0].status, results[0].verdict.signature) == (status, signature)


def test_a_mutant_that_ends_the_worker_is_killed(whole: Analysis) -> None:
    """
    The others are tried all the same, by another worker.
    """
    results = [each for each in whole.results if each.mutant.edit.function == "Meter.cut"]

    assert [each.verdict.signature for each in results] == [
        "liveness-worker",
        "",  # never cut: which nobody sees
        "liveness-worker",
        *[""] * (len(results) - 3),
    ]
    assert "Pending" not in {each.status for each in whole.results}


def test_a_survivor_is_told_as_a_diff_with_what_has_reached_it(whole: Analysis) -> None:
    """
    Whoever reads it sees the line, what it was made, and where it was played.
    """
    text = "\n".join(told(whole))

    assert (
        "survived: tests/toys/meter.py:20 Meter.add, statement\n"
        "  - self.calls += 1  # which nobody looks at\n"
        "  + pass  # which nobody looks at\n"
        "  reached by metered after 50 steps; 20 runs\n"
    ) in text


def test_the_unreached_are_told_by_their_functions(whole: Analysis) -> None:
    """
    A function that no scenario calls is a line, however many mutants it has.
    """
    assert "unreached: tests/toys/meter.py Meter.twice, line 42" in told(whole)


def test_the_tables_count_by_file_and_by_kind(whole: Analysis) -> None:
    """
    Each row has how many were killed, timed out, survived and were not reached, and the score.
    """
    rows = [line.split() for line in told(whole)]

    assert ["tests/toys/meter.py", "19", "3", "8", "8", "58", "%"] in rows
    assert ["boundary", "4", "0", "0", "0", "100", "%"] in rows


def test_the_unreached_count_as_not_killed(whole: Analysis) -> None:
    """
    The score is of all that were tried, or could not be: 22 of 38.
    """
    assert round(score(whole.results), 1) == 57.9


def test_a_kill_is_told_with_its_scenario_property_and_runs(whole: Analysis) -> None:
    """
    With `kills`, each that died has a line.
    """
    lines = list(told(whole, kills=True))

    assert (
        "killed: tests/toys/meter.py:21 Meter.add, boundary: metered, continuity-add.refused, 1 run"
    ) in lines
    assert (
        "timed out: tests/toys/meter.py:28 Meter.drain, statement: metered, liveness-drain, 1 run"
    ) in lines


def test_the_report_fits_its_schema(whole: Analysis) -> None:
    """
    It is what mutation-testing-report-schema 3.8.4 (Apache-2.0), kept beside the golden texts, asks
    for.
    """
    document = as_json(whole, "1")

    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))


def test_a_mutant_of_the_report_says_what_is_put_where(whole: Analysis) -> None:
    """
    Lines and columns begin with 1, and the end is behind the last character.
    """
    file = as_json(whole, "1")["files"]["tests/toys/meter.py"]
    mutant = next(each for each in file["mutants"] if each["replacement"] == "amount <= 0")

    assert file["source"] == Path(ROOT / "tests/toys/meter.py").read_text("utf-8")
    assert mutant == {
        "id": mutant["id"],
        "mutatorName": "boundary",
        "location": {"start": {"line": 21, "column": 12}, "end": {"line": 21, "column": 22}},
        "status": "Killed",
        "replacement": "amount <= 0",
        "description": "in Meter.add",
        "statusReason": "continuity-add.refused in tests.toys.metered:Metered, 1 run",
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report() -> None:
    """
    How many workers there are, and in which order they end, makes no difference.
    """
    plan = replace(PLAN, scenarios=[ADDING, DRAINING], seed=7)
    sample = mutants("Meter.add", "Meter.__init__", "Meter.halt")

    one, other = (analysed(sample, plan, workers=number) for number in (1, 2))

    assert as_json(one, "1") == as_json(other, "1")
    assert "Killed" in {each.status for each in one.results}


def test_a_seed_fixes_the_sample() -> None:
    """
    The same seed takes the same mutants in the same order, another one takes others.
    """
    all_of_them = mutants()

    assert sampled(all_of_them, 5, 1) == sampled(all_of_them, 5, 1)
    assert sampled(all_of_them, 5, 1) != sampled(all_of_them, 5, 2)
    assert sampled(all_of_them, 6, 1)[:5] == sampled(all_of_them, 5, 1)
    assert len(sampled(all_of_them, 500, 1)) == len(all_of_them)


@pytest.mark.slow
def test_a_mutant_is_played_where_it_is_reached() -> None:
    """
    A scenario that never comes to its line has no part in it.
    """
    analysis = analysed(mutants("Meter.drain"), replace(PLAN, scenarios=[ADDING, DRAINING]))

    assert {each.reached[0][0] for each in analysis.results} == {DRAINING}
    assert of(analysis, "while False:").verdict.scenario == DRAINING


def test_two_processes_number_the_mutants_alike() -> None:
    """
    What this process has imported of a package beside is no reason to take one mutant for another.
    """
    modules = ["tests.toys.desk", SYSTEM]  # the workers do not load the first one by themselves
    found = mutants_of(system_of(load_target(DRIVER), modules))
    sample = [each for each in found if each.new.startswith("if amount")]

    analysis = analysed(sample, replace(PLAN, modules=modules))

    assert [each.status for each in analysis.results] == ["Killed"] * 3


@pytest.mark.parametrize(("folder", "status"), [("failures", "Killed"), ("nowhere", "Survived")])
def test_stored_traces_are_played_first(tmp_path: Path, folder: str, status: str) -> None:
    """
    What a corpus has of the scenario and the driver kills a mutant that the one fresh run does not.
    """
    (tmp_path / folder).mkdir()
    header = Header(Metered.name, DRIVER, ADDING)
    trace = Trace(header, ((1, Metered.add(5)),))
    (tmp_path / folder / "five.jsonl").write_bytes(trace.encoded())
    (tmp_path / folder / "torn.jsonl").write_bytes(b"{")
    sample = [each for each in mutants("Meter.add") if each.new == "self.total -= amount"]
    plan = replace(PLAN, scenarios=[ADDING], runs=1, steps=2, seed=SEED, corpus=str(tmp_path))

    (result,) = analysed(sample, plan).results

    assert (result.status, result.verdict.runs) == (status, 1)


def test_what_runs_in_threads_is_reached() -> None:
    """
    The threads of operations that overlap are traced to be switched, and cannot be watched as well.
    """
    module = "tests.toys.unlocked"
    target = load_target(f"{module}:StoreDriver")
    made = mutants_of(system_of(target, [module]))
    sample = [each for each in made if each.edit.function == "Store.add"]

    analysis = analyse(
        replace(PLAN, driver=target.name, scenarios=[f"{module}:AtOnce"], modules=[module]),
        sample,
        len(made),
        {},
        2,
        lambda: False,
    )

    assert {each.status for each in analysis.results} == {"Killed"}


def test_what_there_is_no_time_for_is_not_tried() -> None:
    """
    It has no part in the score, and is told.
    """
    analysis = analysed(mutants("Meter.add"), is_over=True)

    assert {each.status for each in analysis.results} == {"Pending"}
    assert list(told(analysis))[-1].endswith("12 not tried; score 100.0 %")


def test_a_system_that_fails_as_it_is_is_no_ground_to_judge_on() -> None:
    """
    Where a scenario fails without a change, a failure tells nothing of a mutant.
    """
    plan = replace(PLAN, driver="tests.toys.metered:Broken", scenarios=[ADDING])

    with pytest.raises(NotClean, match=r"Adding fails on the system as it is, with continuity-add"):
        analysed([], plan)


def test_a_kill_is_confirmed_without_the_mutant() -> None:
    """
    What fails only where leaks are looked for is seen as late as that, and is no kill.
    """
    sample = [each for each in mutants("Meter.add") if each.new == COUNTS.new]
    plan = replace(PLAN, driver="tests.toys.metered:Keeping", scenarios=[ADDING], runs=60)

    with pytest.raises(NotClean, match=r"Adding fails on the system as it is, with memory"):
        analysed(sample, plan)


def test_the_driver_is_no_part_of_the_system() -> None:
    """
    Of a file that has both, only what is tested is changed.
    """
    target = load_target("drivers.memory_store:MemoryStoreDriver")

    found = mutants_of(system_of(target, ["drivers.memory_store"]))

    assert {each.edit.function.partition(".")[0] for each in found} == {"MemoryStore"}


def test_the_packages_of_a_driver_are_found() -> None:
    """
    Those that its file imports, but for the driver's own and the model's.
    """
    modules = {
        each.module for each in system_of(load_target("drivers.sessions:SessionsDriver"), [])
    }

    assert "sessions.registry" in modules
    assert {name.partition(".")[0] for name in modules} == {"sessions"}


def test_a_system_that_is_not_found_is_to_be_named() -> None:
    """
    A driver that stands beside its system does not say which is which.
    """
    with pytest.raises(BadName, match="give its package or module, as in --package shop"):
        system_of(load_target(DRIVER), [])


SHOWN, OLD = "tests/toys/meter.py", "self.calls += 1 # which nobody looks at"
COUNTS = Equivalent(SHOWN, OLD, "pass # which nobody looks at", "nobody reads it")


LEVEL = Equivalent(SHOWN, "if level > LEVEL_MAX:", "if level >= LEVEL_MAX:", "nobody asks")


def test_a_line_that_several_functions_have_is_that_of_the_one_named() -> None:
    """
    What was shown of one is not said of the other.
    """
    found = mutants()
    entry = replace(LEVEL, function="Meter.halt")

    (number,) = reasons_for([entry], found, system_of(load_target(DRIVER), [SYSTEM]))

    assert found[number - 1].edit.function == "Meter.halt"


def test_a_mutant_that_is_equivalent_is_found_by_its_line() -> None:
    """
    An entry names the line as it is and as it is changed.
    """
    found = mutants()
    reasons = reasons_for([COUNTS], found, system_of(load_target(DRIVER), [SYSTEM]))

    assert [found[number - 1].new for number in reasons] == [COUNTS.new]
    assert list(reasons.values()) == ["nobody reads it"]


def test_a_mutant_that_is_equivalent_is_not_tried_and_does_not_count() -> None:
    """
    The report has the reason.
    """
    sample = [each for each in mutants("Meter.add") if each.new == COUNTS.new]
    analysis = analyse(PLAN, sample, 1, {sample[0].number: COUNTS.reason}, 1, lambda: False)

    (mutant,) = as_json(analysis, "1")["files"][SHOWN]["mutants"]
    assert (mutant["status"], mutant["statusReason"]) == ("Ignored", "nobody reads it")
    assert list(told(analysis))[-1].endswith("1 equivalent; score 100.0 %")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            replace(COUNTS, old="self.calls += 3"),
            r"the line 'self.calls \+= 3' of .* is gone; remove",
        ),
        (replace(COUNTS, new="x"), "is not changed to 'x' by any mutant; remove the entry, or"),
        (replace(COUNTS, function="Meter.cut"), "by any mutant in Meter.cut; remove the entry, or"),
        (LEVEL, "is in Meter.cut and Meter.halt; say of which .* function = 'Meter.cut'"),
        (replace(COUNTS, file="tests/toys/gone.py"), "there is no file tests/toys/gone.py; remove"),
    ],
)
def test_a_reason_that_applies_no_more_is_an_error(entry: Equivalent, said: str) -> None:
    """
    What was shown of a line says nothing of the one that stands there now.
    """
    with pytest.raises(BadEquivalent, match=said):
        reasons_for([entry], mutants(), system_of(load_target(DRIVER), [SYSTEM]))


def test_a_reason_for_another_package_is_left_alone() -> None:
    """
    An analysis of a part of a system does not judge the rest.
    """
    elsewhere = replace(COUNTS, file="tests/toys/desk.py")

    assert reasons_for([elsewhere], mutants(), system_of(load_target(DRIVER), [SYSTEM])) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[equivalent]]\nfile = 'a.py'\nold = 'a'\nnew = 'b'", "entry 1: reason is None; write"),
        ("[[equivalent]]\nline = 3", "entry 1 has 'line'; it can have file, old, new, reason"),
        ("[[equal]]\n", "has equal; write each mutant under"),
        ("equivalent = 3", "has equivalent; write each mutant under"),
        ("equivalent = [3]", "entry 1 is 3; write it under"),
        ("[[", "cannot be read"),
    ],
)
def test_a_file_of_reasons_is_checked(tmp_path: Path, text: str, said: str) -> None:
    """
    The error says which entry, and what to write.
    """
    file = tmp_path / "equivalent.toml"
    file.write_text(text, "utf-8")

    with pytest.raises(BadEquivalent, match=said):
        read_equivalents(file)


COMMAND = ("sight", "--driver", DRIVER, "--package", SYSTEM, "--scenario", ADDING, "--seed", "1")


@pytest.mark.parametrize(
    ("words", "status"), [((), 0), (("--at-least", "1"), 0), (("--at-least", "100"), 1)]
)
def test_the_exit_status_says_whether_enough_was_killed(
    project: Path, words: tuple[str, ...], status: int
) -> None:
    """
    Without a wish nothing is too little.
    """
    result = run(*COMMAND, "--sample", "4", "--runs", "5", *words)

    assert result.exit_code == status
    assert "4 of 38 mutants, seed 1: " in result.output
    assert ("less than the 100 % that were asked for" in result.output) == (status == 1)


def test_the_command_writes_the_report_and_knows_the_reasons(project: Path) -> None:
    """
    It reads equivalent.toml of the current folder.
    """
    file = (ROOT / SHOWN).as_posix()
    lines = [f"old = '{OLD}'", f"new = '{COUNTS.new}'", "reason = 'nobody reads it'"]
    entry = "\n".join(["[[equivalent]]", f"file = '{file}'", *lines])
    (project / "equivalent.toml").write_text(entry, "utf-8")

    result = run(*COMMAND, "--runs", "5", "--json", "sight.json")

    document = json.loads((project / "sight.json").read_text("utf-8"))
    assert "report: sight.json" in result.output
    statuses = [each["status"] for each in document["files"][file]["mutants"]]
    assert (len(statuses), statuses.count("Ignored")) == (38, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sight", "--driver", DRIVER), "give its package or module, as in --package shop"),
        ((*COMMAND[:4], "nowhere"), "'nowhere': No module named 'nowhere'; run threadline"),
        ((*COMMAND, "--json", "nowhere/sight.json"), "cannot be written: "),
        ((*COMMAND, "--driver", "tests.toys.metered:Broken"), "fails on the system as it is, with"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    project: Path, words: tuple[str, ...], said: str
) -> None:
    """
    The exit status is 2, and there is no traceback.
    """
    result = run(*words, *(("--sample", "1") if "--sample" not in words else ()))

    assert result.exit_code == 2
    assert said in flat(result.output)
    assert "Traceback" not in result.output
