"""A campaign goes on behind a step that ends or hangs its process, and loses no failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from threadline.campaign import campaign as campaigns
from threadline.campaign.campaign import Worker, campaign
from threadline.campaign.events import Ended, Event, Found, Shorter
from threadline.campaign.job import Job
from threadline.loading import load_target

from tests.project import GUARD_S

STORE = "threadline.contracts.conversation_store:Store"
CELL = "tests.toys.misbehaving:Cell"
HANGING_RUN = 3  # of seed 1: the first in which a store hangs
FAILING_RUN = 2  # the first in which a cell raises
DYING_RUNS = 10  # in which a store ends its process


def events_of(driver: str, *, scenario: str = STORE, **more: Any) -> list[Event]:
    """Return what a campaign tells; a step that is not over in 600 seconds hangs."""
    values = {"engine": "explore", "seed": 1, "steps": 50, "runs": 300, "folder": ".", **more}
    job = Job(scenario, f"tests.toys.{driver}", **{"hang_s": GUARD_S, **values})
    heard: list[Event] = []
    campaign(job, load_target(job.driver), heard.append)
    return heard


def shorter_of(heard: list[Event]) -> Shorter:
    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    return shorter


def end_of(heard: list[Event]) -> Ended:
    assert isinstance(heard[-1], Ended)
    return heard[-1]


def test_a_step_that_ends_its_process_is_found_and_minimised(project: Path) -> None:
    """A killed process is a failure of liveness, of as few steps as any other.

    Three deaths are enough: each is counted, and the campaign says how it ended.
    """
    heard = events_of("stores:dies")

    (found,) = [event for event in heard if isinstance(event, Found)]
    assert found.signature == "liveness-clear.ended"
    assert shorter_of(heard).steps == 4
    assert "crashed (the process ended: signal SIGKILL)" in shorter_of(heard).text
    assert (project / "Store-liveness-clear.ended.jsonl").read_text("ascii").count("\n") == 5
    assert end_of(heard).failures == {"liveness-clear.ended": 3}


@pytest.mark.slow
def test_a_step_that_never_comes_back_is_found_and_minimised(project: Path) -> None:
    """A step over its limit is a failure of liveness with its trace, with a budget or without."""
    shorter = shorter_of(events_of("stores:hangs", runs=HANGING_RUN, hang_s=3.0))

    assert shorter.signature == "liveness-clear.hung"
    assert shorter.steps == 4
    assert "did not come back within 3 s" in shorter.text


@pytest.mark.slow
def test_a_step_that_takes_half_of_the_time_is_told_when_it_is_over(project: Path) -> None:
    """Where time is over before the limit of a step, its run is told, and not minimised any more.

    The time is for the start of a worker on a busy machine.
    """
    shorter = shorter_of(events_of("stores:hangs", seconds=10.0))

    assert shorter.signature == "liveness-clear.hung"
    assert "note:    not minimised to the end: the time was over" in shorter.text
    assert (project / "Store-liveness-clear.hung.jsonl").exists()


def test_a_failure_is_minimised_behind_the_time_of_its_search(project: Path) -> None:
    """What was found when a slice is over is finished in the time that its campaign has left."""
    late: dict[str, Any] = {"first_run": FAILING_RUN, "seconds": 0.001, "finish_s": GUARD_S}
    heard = events_of("misbehaving:RaisesOwnBase", scenario=CELL, runs=None, **late)
    shorter = shorter_of(heard)

    assert "the time was over" not in shorter.text
    assert shorter.replays > 0


def test_a_driver_that_starts_for_too_long_is_told_to(project: Path) -> None:
    """A start that takes all the time is no failure of the system; it is told."""
    heard = events_of("misbehaving:HangsWhenStarted", scenario=CELL, seconds=1.5)

    assert end_of(heard).failures == {}
    assert end_of(heard).note == (
        "tests.toys.misbehaving:HangsWhenStarted was still starting when the time was over: "
        "give it more with --for"
    )


@pytest.mark.slow
def test_steps_are_slow_one_by_one(project: Path) -> None:
    """The limit is a step's: a hunt whose steps are slow together takes as long as it takes."""
    limits = {"runs": 1, "steps": 6, "hang_s": 3.0, "round_trip_every": 1}
    heard = events_of("misbehaving:TakesItsTime", scenario=CELL, **limits)
    assert end_of(heard).failures == {}


def test_a_process_that_does_not_end_again_is_told_as_chance(project: Path) -> None:
    """A step that came back when it was replayed does not stand for its signature."""
    shorter = shorter_of(events_of("stores:dies_once", runs=100))

    assert shorter.doubt == "by chance"
    assert "it came back when it was replayed" in shorter.text


def test_a_failure_that_there_was_no_time_to_minimise_is_told_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where time is over before the first replay, the text is that of the failure and no reason."""
    began: list[Job] = []
    start_worker = campaigns.start

    def start(job: Job, *more: Any) -> Any:
        """Start a worker; one that minimises finds that its time is over."""
        began.append(job)
        return start_worker(replace(job, ends_at_s=0.0) if job.trace else job, *more)

    monkeypatch.setattr(campaigns, "start", start)
    monkeypatch.setattr(Worker, "_is_to_end", lambda worker: worker.has_told_all)
    shorter = shorter_of(events_of("stores:dies", runs=DYING_RUNS))

    assert [bool(job.trace) for job in began[:2]] == [False, True]
    assert shorter.text.count("diverges at step") == 1
    assert "note:    not minimised to the end: the time was over" in shorter.text
