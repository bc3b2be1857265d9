"""What the system logs and warns: kept with the run, shown to who asks, and not printed else."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest
from threadline.lockstep.recorders import LINES_MAX, LogRecorder, logs_recorded, warnings_recorded

from tests.project import run

TALKATIVE = '''"""A counter that logs, warns, and is one too high from its second use on."""

import logging
import warnings

from threadline import Driver, Model, operation


class Counter(Model):
    def __init__(self) -> None:
        self.count = 0

    @operation
    def up(self) -> int:
        self.count += 1
        return self.count


class Talkative(Driver[Counter]):
    def __init__(self) -> None:
        self.count = 0

    def up(self) -> int:
        self.count += 1 + (self.count == 1)
        logging.getLogger("counter").warning("now at %s", self.count)
        return self.count
'''


@pytest.fixture
def talkative(project: Path) -> Path:
    (project / "talkative.py").write_text(TALKATIVE, "utf-8")
    return project


def fuzzed(*more: str) -> str:
    return run("fuzz", "./talkative.py:Talkative", "--seed", "0", "--runs", "3", *more).output


def test_fuzz_keeps_the_log_to_itself(talkative: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the report nor the terminal shows what the system logs."""
    told = fuzzed()

    assert "continuity: up() diverges at step 2" in told
    assert "now at" not in told + "".join(capfd.readouterr())


def test_fuzz_shows_the_log_of_the_minimal_trace(talkative: Path) -> None:
    """With --log a failure has the lines of its shortest run."""
    lines = [line for line in fuzzed("--log").splitlines() if "log:" in line]

    assert lines == [
        "  log:     WARNING counter: now at 1",
        "  log:     WARNING counter: now at 3",
    ]


def test_replay_shows_the_log_of_each_step(talkative: Path) -> None:
    """With --log each step is followed by what was logged in it; without, by nothing."""
    fuzzed()
    (trace,) = talkative.glob("reports/runs/*/Counter-*.jsonl")

    assert run("replay", str(trace), "--log").output.count("        log: WARNING counter") == 2
    assert "now at" not in run("replay", str(trace)).output


def test_warnings_are_logged_with_their_texts() -> None:
    """The outcome has the category alone; the log says what was warned of."""
    with warnings_recorded() as warned:
        warnings.warn("take care", UserWarning, stacklevel=1)

    assert warned.logged.take() == ["UserWarning: take care"]


def test_handlers_are_as_they_were() -> None:
    """While a run is recorded the root logger's own handlers are set aside, and no longer."""
    before = logging.getLogger().handlers[:]
    with logs_recorded() as logged:
        assert logging.getLogger().handlers == [logged]

    assert logging.getLogger().handlers == before


def test_a_message_that_does_not_fit_its_arguments_is_kept() -> None:
    """The system's mistake is told in the log, and raises nothing."""
    logged = LogRecorder()
    logged.handle(logging.LogRecord("hub", logging.ERROR, "", 1, "%d of them", ("many",), None))

    (line,) = logged.take()
    assert line.startswith("ERROR hub: '%d of them' with ('many',), which raised TypeError")


def test_the_log_is_bounded() -> None:
    """Of a run that logs without end the latest lines are kept."""
    logged = LogRecorder()
    for number in range(LINES_MAX + 1):
        logged.add(f"line {number}")

    kept = logged.take()
    assert (len(kept), kept[0]) == (LINES_MAX, "line 1")
