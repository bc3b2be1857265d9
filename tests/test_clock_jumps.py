"""A wall clock that jumps changes no budget: times are taken on the monotonic clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from threadline.campaign.corpus import Corpus
from threadline.cli.running import START_MAX_S, process_age_s
from threadline.report.record import read_record

from tests.project import run

DRIVER = "tests.mutants.store:JoinsKeys"
HOUR_S = 3_600.0


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_at_the_start_takes_no_time_from_the_night(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """Not more than a start can take."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump_s)
    assert 0 <= process_age_s() <= START_MAX_S


@pytest.mark.slow
@pytest.mark.parametrize("jump_s", [HOUR_S, pytest.param(-HOUR_S, marks=pytest.mark.slow)])
def test_a_night_goes_on_while_the_clock_jumps(
    project: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """It finds, keeps and reports as on any other night."""
    real, asked = time.time, [0]

    def jumping() -> float:
        asked[0] += 1
        return real() + jump_s * (asked[0] % 2)

    monkeypatch.setattr(time, "time", jumping)
    result = run("nightly", "--for", "20s", "--driver", DRIVER, "--seed", "0")

    assert result.exit_code == 1, result.output
    (folder,) = project.glob("reports/runs/*")
    record = read_record(folder)
    assert record.failures
    assert record.runs > 0
    assert Corpus(Path("reports/corpus")).failures()
    assert len(Corpus(Path("reports/corpus")).nights()) == 1
