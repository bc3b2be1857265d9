"""`pytest scenarios` as its user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import ROOT, project

__all__ = ["project"]

MUTANT = ("--driver", "tests.mutants.store:ReadingCreates")


def pytest_on(target: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file or folder, from the folder that the test has gone to."""
    command = [sys.executable, "-m", "pytest", str(target), "-p", "no:cacheprovider", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path.cwd(), timeout=120
    )


def test_a_clean_driver_passes_and_its_seed_is_printed(project: Path) -> None:
    """
    Each scenario is a test, named after its driver, and the header says how to have it again.
    """
    result = pytest_on(ROOT / "scenarios" / "store.py", "-v", "--hypothesis-seed=3")

    assert result.returncode == 0, result.stdout
    assert "threadline: profile quick, seed 3 (again with --hypothesis-seed=3)" in result.stdout
    assert "Store[drivers.memory_store:MemoryStoreDriver] PASSED" in result.stdout


def test_a_mutant_fails_with_its_text_and_no_traceback(project: Path) -> None:
    """
    What a reader needs is the failure, minimised; the frames of Hypothesis are not shown.
    """
    result = pytest_on(ROOT / "scenarios" / "store.py", *MUTANT, "--hypothesis-seed=0")

    assert result.returncode == 1
    assert "diverges at step 2" in result.stdout
    assert "Traceback" not in result.stdout
    assert "site-packages" not in result.stdout


def test_a_mutant_leaves_its_traces_as_fuzz_does(project: Path) -> None:
    """
    A trace under reports/runs names its driver, its engine and its seed.
    """
    pytest_on(ROOT / "scenarios" / "store.py", *MUTANT, "--hypothesis-seed=0")

    first, *_ = sorted(project.glob("reports/runs/*-0/Store-memory-*.jsonl"))
    header = json.loads(first.read_text("ascii").splitlines()[0])
    assert (header["driver"], header["engine"], header["seed"]) == (MUTANT[1], "hypothesis", 0)


def test_workers_share_the_seed(project: Path) -> None:
    """
    Under -n, every worker plays what the seed that was printed fixes.
    """
    pytest_on(ROOT / "scenarios" / "store.py", *MUTANT, "--hypothesis-seed=7", "-n", "2")

    assert len(list(project.glob("reports/runs/*-7/Store-memory-*.jsonl"))) >= 1


def test_a_scenario_that_is_imported_runs_once(project: Path) -> None:
    """
    A module that imports a scenario does not run it again.
    """
    importing = project / "test_importing.py"
    importing.write_text("from scenarios.store import Store\n\ndef test_it(): Store\n", "ascii")

    result = pytest_on(importing, "-p", "threadline.pytest_plugin")

    assert "1 passed" in result.stdout


def test_a_driver_of_no_use_is_told_so(project: Path) -> None:
    """
    A wrong name ends pytest with its status for wrong use, and a message.
    """
    result = pytest_on(ROOT / "scenarios" / "store.py", "--driver", "nope")

    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'nope' names no object; write MODULE:NAME" in result.stdout + result.stderr
