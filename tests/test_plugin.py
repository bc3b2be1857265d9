"""`pytest --threadline` as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.project import ran

CLEAN = ("--threadline", "drivers.memory_store:MemoryStoreDriver")
MUTANT = ("--threadline", "tests.mutants.store:ReadingCreates")
SEED_0 = "--hypothesis-seed=0"
MINE = '''
from threadline import Driver, Model, Scenario, operation, pool, rule


class Counter(Model):
    """Counts what it is given."""

    total = 0

    @operation(number=pool(1, 2))
    def add(self, number: int) -> int:
        self.total += number
        return self.total


class MyCounter(Driver[Counter]):
    total = 0

    def add(self, number: int) -> int:
        self.total += number
        return self.total


class Forgetful(MyCounter):
    def add(self, number: int) -> int:
        self.total = (self.total + number) % 3
        return self.total
'''
BY_ONE = """
from threadline import Scenario, rule

from mine import Counter


class ByOne(Scenario[Counter]):
    add = rule(Counter.add, number=1)
"""


def pytest_with(*words: str) -> tuple[int, str]:
    """Run pytest in the folder that the test has gone to, which has no test of its own."""
    Path("tests").mkdir(exist_ok=True)
    Path("mine.py").write_text(MINE, "utf-8")
    ended = ran("pytest", *words)
    return ended.returncode, (ended.stdout + ended.stderr).decode()


def test_a_clean_driver_passes_and_its_seed_is_printed(project: Path) -> None:
    """Each scenario is a test, named after its driver, and the header says how to have it again."""
    status, output = pytest_with(*CLEAN, "-v", "--hypothesis-seed=3")

    assert status == 0, output
    assert "threadline: profile quick, seed 3 (again with --hypothesis-seed=3)" in output
    assert "Store[drivers.memory_store:MemoryStoreDriver] PASSED" in output


def test_a_mutant_fails_with_its_text_and_no_traceback(project: Path) -> None:
    """What a reader needs is the failure, minimised; the frames of Hypothesis are not shown.

    Its trace, under reports/runs as that of fuzz, names its driver, its engine and its seed.
    """
    status, output = pytest_with(*MUTANT, SEED_0)

    assert status == 1
    assert "diverges at step 2" in output
    assert "Traceback" not in output
    assert "site-packages" not in output
    first, *_ = sorted(project.glob("reports/runs/*-0/Store-memory-*.jsonl"))
    header = json.loads(first.read_text("ascii").splitlines()[0])
    assert (header["driver"], header["engine"], header["seed"]) == (MUTANT[1], "explore", 0)


@pytest.mark.slow
def test_workers_share_the_seed(project: Path) -> None:
    """Under -n, every worker plays what the seed that was printed fixes."""
    pytest_with(*MUTANT, "--hypothesis-seed=7", "-n", "2")

    assert len(list(project.glob("reports/runs/*-7/Store-memory-*.jsonl"))) >= 1


@pytest.mark.slow
def test_a_model_without_a_scenario_is_played_itself(project: Path) -> None:
    """Where neither the project nor the driver's file has a scenario, the model is it."""
    status, output = pytest_with("--threadline", "mine:Forgetful", SEED_0)

    assert status == 1
    assert "Counter[mine:Forgetful]" in output
    assert "diverges at step 2" in output


@pytest.mark.slow
def test_a_driver_that_cannot_be_made_fails_with_its_text(project: Path) -> None:
    """Rules whose pools look at the model fire in no run that has not begun."""
    Path("unmade.py").write_text(
        "from drivers.memory_store import MemoryStoreDriver\n"
        "class Unmade(MemoryStoreDriver):\n"
        "    def __init__(self):\n"
        "        raise ValueError('no disk')\n",
        "utf-8",
    )

    status, output = pytest_with("--threadline", "unmade:Unmade", SEED_0)

    assert status == 1
    assert "crashed (ValueError: no disk), raised in unmade.py:4 __init__" in output
    assert "Traceback" not in output
    assert "AttributeError" not in output


def test_a_scenario_in_a_test_file_is_a_test(project: Path) -> None:
    """It is collected from its file, on the driver that was given."""
    (project / "test_by_one.py").write_text(BY_ONE, "utf-8")

    _, output = pytest_with("test_by_one.py", "--threadline", "./mine.py:MyCounter", "-v", SEED_0)

    assert "test_by_one.py::ByOne[./mine.py:MyCounter] PASSED" in output


@pytest.mark.slow
def test_a_scenario_is_played_once_on_the_driver_given(project: Path) -> None:
    """What the project lists and a test file defines is one test."""
    (project / "test_by_one.py").write_text(BY_ONE, "utf-8")
    (project / "pyproject.toml").write_text(
        '[tool.threadline]\nscenarios = ["test_by_one:ByOne"]', "utf-8"
    )

    _, output = pytest_with("test_by_one.py", "--threadline", "mine:MyCounter", SEED_0)

    assert "1 passed" in output


@pytest.mark.slow
def test_a_scenario_in_a_test_file_finds_the_driver_of_its_model(project: Path) -> None:
    """Where none was given, it is the project's first that fits; without one, there is no test."""
    (project / "test_by_one.py").write_text(BY_ONE, "utf-8")
    (project / "pyproject.toml").write_text('[tool.threadline]\ndriver = "mine:MyCounter"', "utf-8")

    _, output = pytest_with("test_by_one.py", "-v", "-p", "no:cacheprovider")

    assert "test_by_one.py::ByOne[mine:MyCounter] PASSED" in output


def test_a_scenario_that_is_imported_runs_once(project: Path) -> None:
    """A test file that imports a scenario does not run it again."""
    (project / "test_importing.py").write_text(
        "from threadline.contracts.conversation_store import Store\n\ndef test_it(): Store\n",
        "ascii",
    )

    assert "1 passed" in pytest_with("test_importing.py")[1]


@pytest.mark.slow
def test_a_scenario_can_be_deselected(project: Path) -> None:
    """-k chooses among scenarios as among all tests."""
    status, output = pytest_with(*MUTANT, "-k", "nothing_of_that_name")

    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "1 deselected" in output


@pytest.mark.slow
def test_the_last_failed_scenario_can_be_run_alone(project: Path) -> None:
    """--lf leaves out the scenarios that have passed."""
    (project / "mine_too.py").write_text(f"from mine import *\n{BY_ONE}", "utf-8")
    (project / "pyproject.toml").write_text(
        '[tool.threadline]\nscenarios = ["mine:Counter", "mine_too:ByOne"]', "utf-8"
    )
    words = ("--threadline", "mine:Forgetful", SEED_0)
    _, first = pytest_with(*words, "-k", "Counter")
    _, again = pytest_with(*words, "--lf")

    assert "1 failed, 1 deselected" in first
    assert "1 failed, 1 deselected" in again


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--threadline", "nope"], "'nope' names no object; write MODULE:NAME"),
        (["--threadline", "tests.toys.stores:Misnamed"], "did you mean append?"),
        (["--threadline-profile", "huge"], "choose from"),
    ],
)
def test_a_driver_of_no_use_is_told_so(project: Path, words: list[str], complaint: str) -> None:
    """A wrong name ends pytest with its status for wrong use, and a message."""
    status, output = pytest_with(*words)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert complaint in output


@pytest.mark.slow
def test_a_junit_report_names_the_scenario_and_its_file(project: Path) -> None:
    """What reads JUnit finds a scenario as it finds any test."""
    pytest_with("--threadline", "mine:MyCounter", "--junitxml=report.xml")

    assert 'classname="mine" name="Counter[mine:MyCounter]"' in Path("report.xml").read_text(
        "utf-8"
    )
