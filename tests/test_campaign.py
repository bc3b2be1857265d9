"""A campaign goes on behind a step that ends or hangs its process, and loses no failure."""

from __future__ import annotations

from pathlib import Path

from threadline.campaign.campaign import campaign
from threadline.campaign.events import Ended, Event, Found, Shorter
from threadline.campaign.worker import Job
from threadline.loading import load_target

from tests.project import project

__all__ = ["project"]


def events_of(driver: str, *, seconds: float | None, runs: int) -> list[Event]:
    job = Job(
        scenario="threadline.contracts.conversation_store:Store",
        driver=driver,
        engine="explore",
        seed=1,
        steps=50,
        runs=runs,
        seconds=seconds,
        folder=".",
        hang_s=1.0,
    )
    heard: list[Event] = []
    campaign(job, load_target(driver), heard.append)
    return heard


def test_a_step_that_ends_its_process_is_found_and_minimised(project: Path) -> None:
    """
    A killed process is a failure of liveness, of as few steps as any other.
    """
    heard = events_of("tests.ill:dies", seconds=None, runs=300)

    (found,) = [event for event in heard if isinstance(event, Found)]
    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert found.signature == "liveness-clear"
    assert shorter.steps == 4
    assert "crashed (the process ended: signal SIGKILL)" in shorter.text
    assert (project / "Store-liveness-clear.jsonl").read_text("ascii").count("\n") == 5


def test_a_campaign_ends_when_its_process_keeps_dying(project: Path) -> None:
    """
    Three deaths are enough: each is counted, and the campaign says how it ended.
    """
    heard = events_of("tests.ill:dies", seconds=None, runs=300)

    assert isinstance(heard[-1], Ended)
    assert heard[-1].failures == {"liveness-clear": 3}


def test_a_step_that_never_comes_back_is_found_and_minimised(project: Path) -> None:
    """
    With a time budget, a step over its limit is a failure of liveness with its trace.
    """
    heard = events_of("tests.ill:hangs", seconds=1.0, runs=300)

    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert shorter.signature == "liveness-clear"
    assert shorter.steps == 4
    assert "did not come back within 1 s" in shorter.text


def test_a_process_that_does_not_end_again_is_told_as_chance(project: Path) -> None:
    """
    A step that came back when it was replayed does not stand for its signature.
    """
    heard = events_of("tests.ill:dies_once", seconds=None, runs=100)

    (shorter,) = [event for event in heard if isinstance(event, Shorter)]
    assert shorter.doubt == "by chance"
    assert "it came back when it was replayed" in shorter.text
