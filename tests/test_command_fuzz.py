"""`threadline fuzz` as its user meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from threadline.campaign.events import Began, Ended, Found
from threadline.campaign.job import Job
from threadline.campaign.worker import work
from threadline.report.terminal import Terminal

from tests.project import GUARD_S, ROOT, heard, run

STORE = ("--driver", "drivers.memory_store:MemoryStoreDriver")


def test_a_clean_store_exits_with_0_and_leaves_no_folder(project: Path) -> None:
    """Nothing found: status 0, a table without failures, and no empty folder."""
    result = run("fuzz", "--runs", "20", "--seed", "0", *STORE)

    assert result.exit_code == 0
    assert "engine explore, seed 0" in result.output
    assert list((project / "reports" / "runs").iterdir()) == []


def test_a_mutant_exits_with_1_and_its_shortest_trace(project: Path) -> None:
    """Something found: status 1, the failure in its shortest form, and a trace of as many lines."""
    result = run("fuzz", "--runs", "50", "--seed", "0", "--driver", "tests.mutants.store:JoinsKeys")

    (trace,) = project.glob("reports/runs/*/Store-keys-delete.ok.jsonl")
    assert result.exit_code == 1
    assert "keys: delete(user='ana:b', thread='t') diverges at step 3" in result.output
    assert f"replay:  threadline replay {trace.relative_to(project)}" in result.output
    assert len(trace.read_text("ascii").splitlines()) == 4


@pytest.mark.parametrize("engine", ["explore", "hypothesis", "exhaust"])
def test_every_engine_finds_a_bug(project: Path, engine: str) -> None:
    """The same scenario and the same command, whichever engine chooses."""
    result = run(
        "fuzz", "store", "--engine", engine, "--runs", "60", "--seed", "0",
        "--driver", "tests.mutants.store:ReadingCreates",
    )  # fmt: skip

    assert result.exit_code == 1
    assert "diverges at step 2" in result.output


def test_an_exhaustive_search_says_what_it_has_finished(project: Path) -> None:
    """The estimate comes first, and then the statement with its count."""
    result = run("fuzz", "--engine", "exhaust", "--depth", "2", "--seed", "0", *STORE)

    assert result.exit_code == 0
    assert "store: about 910 sequences to play" in result.output
    assert "store: all 904 sequences were played, and none fails" in result.output


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nope"], "no scenario is called 'nope'; there are agents, "),
        (["--driver", "nope"], "write MODULE:NAME, as in drivers.mine:MyDriver"),
        (["--driver", "nope:Driver"], "No module named 'nope'"),
        (["--driver", "drivers.memory_store:Nope"], "it has Conversation, MemoryStore"),
        (["--for", "3"], "'3' is no duration; write 60s, 5m or 2h"),
        (["--for", "0s"], "'0s' is no duration"),
        (["--runs", "0"], "0 is not in the range x>=1"),
        (["--driver", "tests.toys.desk:nothing"], "tests.toys.desk has no 'nothing'"),
        (
            ["--driver", "tests.toys.stores:Misnamed"],
            "Misnamed.appends is no operation of Conversation",
        ),
        (["drivers.memory_store:Nope"], "drivers.memory_store has no 'Nope'; it has"),
        (
            [*STORE, "tests.toys.stores:hangs"],
            "tests.toys.stores:hangs is a second driver, beside drivers.memory",
        ),
        (["tests.toys.stores:unclosable"], "makes a driver that cannot be closed: stores.py:"),
        (
            ["tests.toys.desk:header"],
            "tests.toys.desk:header makes <class 'threadline.trace.Header'>",
        ),
    ],
)
def test_a_wrong_option_exits_with_2(project: Path, words: list[str], complaint: str) -> None:
    """What was given, what was expected and what to write instead; no traceback."""
    result = run("fuzz", *words)

    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_a_folder_that_cannot_be_written_loses_nothing(project: Path) -> None:
    """Where reports/ cannot be made, the failing trace is printed whole."""
    (project / "reports").write_text("in the way", "utf-8")

    result = run(
        "fuzz", "--runs", "3", "--seed", "0", "--driver", "tests.mutants.store:ReadingCreates"
    )

    assert result.exit_code == 1
    assert "reports/runs cannot be written (Not a directory): failing traces are" in result.output
    assert '{"step": 1, "operation": "open", "user": "ana", "thread": "t"}' in result.output


def test_a_driver_that_is_not_as_it_must_be_is_told_so(project: Path) -> None:
    """A driver's mistake is no failure of its system: status 3, and what to write; no traceback."""
    result = run("fuzz", "--runs", "30", "--seed", "0", "--driver", "tests.toys.stores:CountsAll")

    assert result.exit_code == 3
    told = "CountsAll.census has a part 'threads', and the census of ConversationStore has"
    assert told in result.output
    assert "Traceback" not in result.output


def test_a_failure_survives_an_interrupt_while_it_is_minimised(project: Path) -> None:
    """Ctrl-C during minimising: status 1, the failure is told, and its trace is on disk."""
    pipe = project / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "threadline", "fuzz", "--seed", "0", "--driver"]
    campaign = subprocess.Popen(
        [*command, "tests.toys.stores:stubborn"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STUBBORN_PIPE": str(pipe)},
    )
    assert heard(pipe) == "minimising\n"  # comes when the first replay has begun

    campaign.send_signal(signal.SIGINT)

    output, _ = campaign.communicate(timeout=GUARD_S)
    assert campaign.returncode == 1
    assert "not minimised: the campaign ended before that" in output
    assert len(list(project.glob("reports/runs/*/Store-continuity-pop.jsonl"))) == 1
    assert "the last run is in reports/runs/" in output


def test_a_driver_can_be_given_as_a_word(project: Path) -> None:
    """A MODULE:NAME that is no scenario is the driver, and a name is its scenario."""
    result = run("fuzz", "drivers.memory_store:MemoryStoreDriver", "store", "--runs", "2")

    assert result.exit_code == 0
    assert "drivers.memory_store:MemoryStoreDriver, engine explore" in result.output


def test_a_model_can_be_given_as_a_scenario(project: Path) -> None:
    """All its operations are played, with their own pools."""
    result = run("fuzz", "tests.toys.shelf:ShelfDriver", "tests.toys.shelf:Shelf", "--runs", "2")

    assert result.exit_code == 0
    assert "shelf" in result.output


def test_a_driver_needs_nothing_of_the_project(project: Path) -> None:
    """A file with a model and a driver is enough: without a scenario, the model is played."""
    (project / "pyproject.toml").unlink()
    (project / "mine.py").write_text((ROOT / "tests" / "toys/shelf.py").read_text("utf-8"), "utf-8")

    result = run("fuzz", "./mine.py:Leaky", "--runs", "50", "--seed", "0")

    assert result.exit_code == 1
    assert "memory: take(" in result.output


def test_without_a_driver_it_says_how_to_name_one(project: Path) -> None:
    """Where the project has none, the message has an example of the command."""
    (project / "pyproject.toml").unlink()

    result = run("fuzz")

    assert result.exit_code == 2
    assert "as in threadline fuzz mine:MyDriver" in " ".join(result.output.split())


def test_a_scenario_of_another_model_exits_with_2(project: Path) -> None:
    """A scenario is for the systems of one model, and is not tried on others."""
    result = run("fuzz", "tests.bench.sequence:Pressing", *STORE)

    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert "Pressing is for ButtonsModel, and drivers.memory_store:MemoryStoreDriver is" in said


def test_a_scenario_finds_the_driver_of_its_model(project: Path) -> None:
    """Without --driver it is played on the project's first driver of its model."""
    result = run("fuzz", "store", "--runs", "2", "--seed", "0")

    assert result.exit_code == 0
    assert "drivers.memory_store:MemoryStoreDriver, engine explore" in result.output


def test_a_failure_that_hides_others_is_told_to_block() -> None:
    """A bug that ends over half of the runs leaves little of them, and is to be mended first."""
    told = StringIO()
    terminal = Terminal(console=Console(file=told, width=120))
    terminal.hear(Began("mine:Store"))
    terminal.hear(Ended(30, 400, {"memory-append": 22, "keys-delete": 8}))

    terminal.summary()

    assert "store: memory-append blocks: it ended 22 of 30 runs" in told.getvalue()
    assert "keys-delete blocks" not in told.getvalue()


def test_a_failure_is_told_where_its_worker_told_nothing_else() -> None:
    """A campaign that is ended right after it has found a failure tells it all the same."""
    told = StringIO()
    terminal = Terminal(console=Console(file=told, width=120))
    terminal.expect(["store"])
    terminal.hear(Found("memory-append", "memory: append diverges", "", "{}", 7, 3), "store")

    terminal.summary()

    assert "memory: append diverges" in told.getvalue()
    assert "memory-append (1 run)" in told.getvalue()


def test_a_failure_is_told_where_a_second_worker_begins_after_it() -> None:
    told = StringIO()
    terminal = Terminal(console=Console(file=told, width=120))
    terminal.expect(["store"])
    terminal.hear(Began("mine:Store"), "store")
    terminal.hear(Found("memory-append", "memory: append diverges", "", "{}", 7, 3), "store")
    terminal.hear(Began("mine:Store"), "store")

    terminal.summary()

    assert "memory: append diverges" in told.getvalue()


def test_a_worker_whose_time_is_over_ends() -> None:
    """Without a number of runs it plays until then, and tells what it has done."""
    job = Job("threadline.contracts.conversation_store:Store", STORE[1], "explore", 0, 5)
    heard: list[object] = []
    work(replace(job, seconds=1.0, ends_at_s=0.0), heard.append)
    assert isinstance(heard[-1], Ended)
