"""A campaign goes on behind a step that ends or hangs its process, and loses no failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from threadline.campaign.campaign import campaign
from threadline.campaign.events import Ended, Event, Found, Shorter
from threadline.campaign.worker import Job
from threadline.loading import load_target

from tests.project import project

__all__ = ["project"]


def events_of(driver: str, *, seconds: float | None, runs: int, **more: Any) -> list[Event]:
    job = Job(
        **{
            "scenario": "threadline.contracts.conversation_store:Store",
            "driver": driver,
            "engine": "explore",
            "seed": 1,
            "steps": 50,
            "runs": runs,
            "seconds": seconds,
            "folder": ".",
            "hang_s": 0.5,
            **more,
        }
    )
    heard: list[Event] = []
    campaign(job, load_target(driver), heard.append)
    return heard


def test_a_step_that_ends_its_process_is_found_and_minimised(project: Path) -> None:
    """A killed process is a failure of liveness, of as few steps as any other."""
    heard = events_of("tests.toys.stores:dies", seconds=None, runs=300)

    (found,) = [event for event in heard if isinstance(event, Found)]
    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert found.signature == "liveness-clear.ended"
    assert shorter.steps == 4
    assert "crashed (the process ended: signal SIGKILL)" in shorter.text
    assert (project / "Store-liveness-clear.ended.jsonl").read_text("ascii").count("\n") == 5


def test_a_campaign_ends_when_its_process_keeps_dying(project: Path) -> None:
    """Three deaths are enough: each is counted, and the campaign says how it ended."""
    heard = events_of("tests.toys.stores:dies", seconds=None, runs=300)

    assert isinstance(heard[-1], Ended)
    assert heard[-1].failures == {"liveness-clear.ended": 3}


def test_a_step_that_never_comes_back_is_found_and_minimised(project: Path) -> None:
    """
    A step over its limit is a failure of liveness with its trace, with a time budget or without.
    """
    heard = events_of("tests.toys.stores:hangs", seconds=None, runs=300)

    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert shorter.signature == "liveness-clear.hung"
    assert shorter.steps == 4
    assert "did not come back within 0.5 s" in shorter.text


def test_a_step_that_takes_half_of_the_time_is_told_when_it_is_over(project: Path) -> None:
    """
    Where time is over before the limit of a step, its run is told, and not minimised any more.
    """
    heard = events_of("tests.toys.stores:hangs", seconds=3.0, runs=300, hang_s=60.0)

    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert shorter.signature == "liveness-clear.hung"
    assert "note:    not minimised to the end: the time was over" in shorter.text
    assert (project / "Store-liveness-clear.hung.jsonl").exists()


def test_a_driver_that_starts_for_too_long_is_told_to(project: Path) -> None:
    """
    A start that takes all the time is no failure of the system; that nothing was played is told.
    """
    cell = "tests.toys.misbehaving:Cell"
    driver = "tests.toys.misbehaving:HangsWhenStarted"
    heard = events_of(driver, seconds=1.5, runs=300, scenario=cell)

    ended = heard[-1]
    assert isinstance(ended, Ended)
    assert ended.failures == {}
    assert ended.note == (
        "tests.toys.misbehaving:HangsWhenStarted was still starting when the time was over: "
        "give it more with --for"
    )


def test_steps_are_slow_one_by_one(project: Path) -> None:
    """
    The limit is a step's: a leak hunt whose steps are slow together takes as long as it takes.
    """
    cell = "tests.toys.misbehaving:Cell"
    driver = "tests.toys.misbehaving:TakesItsTime"
    heard = events_of(
        driver, seconds=None, runs=1, scenario=cell, steps=6, hang_s=1.0, round_trip_every=1
    )

    assert isinstance(heard[-1], Ended)
    assert heard[-1].failures == {}


def test_a_process_that_does_not_end_again_is_told_as_chance(project: Path) -> None:
    """A step that came back when it was replayed does not stand for its signature."""
    heard = events_of("tests.toys.stores:dies_once", seconds=None, runs=100)

    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert shorter.doubt == "by chance"
    assert "it came back when it was replayed" in shorter.text
