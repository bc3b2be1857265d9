"""What a failure says, word for word: the texts in golden/ are part of the interface."""

from __future__ import annotations

from pathlib import Path

import pytest
from threadline.campaign.isolate import death, hung, last_step_failure
from threadline.failure import failure_text
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.outcome import Outcome
from threadline.trace import Recorder, Trace, read, read_header

from tests.project import ROOT

GOLDEN = ROOT / "tests" / "golden"
REGRESSIONS = Path("tests/regressions")


@pytest.fixture(autouse=True)
def outside_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the replay command the same whether or not uv has started the tests."""
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    monkeypatch.chdir(ROOT)


def stored(name: str) -> tuple[Trace, Runs, Path]:
    path = REGRESSIONS / f"{name}.jsonl"
    target = load_target(read_header(path).driver)
    return read(path, target.model.kinds()), Runs(target, Recorder(None)), path


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text("utf-8").rstrip("\n")


@pytest.mark.parametrize(
    "name",
    [
        "pops-the-first",  # an outcome
        "deletes-by-prefix",  # a census
        "lists-another-users-thread",  # isolation
        "reading-creates",  # a census of two steps
    ],
)
def test_a_failure_reads_as_its_golden_text(name: str) -> None:
    """Property, operation, expected and because, actual, history, trace file, replay command."""
    trace, runs, path = stored(name)
    failure = replay(runs, trace.header, trace.operations)

    assert failure is not None
    assert failure_text(failure, str(path)) == golden(name)


@pytest.mark.parametrize(("name", "end"), [("hung", hung(10.0)), ("died", death(-9))])
def test_a_step_without_an_end_reads_as_its_golden_text(name: str, end: Outcome) -> None:
    """What ended or held up its process is told in the same form."""
    trace, runs, path = stored("clear-leaves-one")
    failure = last_step_failure(trace, runs.target, end)

    assert failure_text(failure, str(path)) == golden(name)


def test_the_command_is_one_that_works_under_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has started threadline by `uv run` has no command of that name without it."""
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    trace, runs, _ = stored("clear-leaves-one")
    failure = last_step_failure(trace, runs.target, hung(10.0))

    assert failure_text(failure, "a trace.jsonl").endswith(
        "replay:  uv run threadline replay 'a trace.jsonl'"
    )
