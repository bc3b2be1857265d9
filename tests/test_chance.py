"""Chance is told apart from what fails each time, and hides none of it."""

from __future__ import annotations

import pytest
from threadline.campaign.events import Event, Shorter
from threadline.campaign.worker import Job, work

from tests import chancy

every_seed = pytest.mark.parametrize("seed", range(5))


def events_of(driver: str, seed: int, *, runs: int = 300) -> list[Event]:
    """Return what a worker tells of a driver of tests.chancy, played in this process."""
    chancy.CHANCE.seed(seed)
    job = Job(
        scenario="threadline.contracts.conversation_store:Store",
        driver=f"tests.chancy:{driver}",
        engine="explore",
        seed=seed,
        steps=50,
        runs=runs,
    )
    heard: list[Event] = []
    work(job, heard.append)
    return heard


def last_shorter(events: list[Event]) -> Shorter:
    return [event for event in events if isinstance(event, Shorter)][-1]


@every_seed
def test_what_fails_at_random_is_told_as_that(seed: int) -> None:
    """
    A store that fails in one of 32 appends has no failure that stands for its signature.
    """
    shorter = last_shorter(events_of("AtRandomDriver", seed))

    assert shorter.doubt == "by chance"
    assert "not deterministic: it fails in " in shorter.text
    assert "what differs first between two plays: step " in shorter.text


@every_seed
def test_what_fails_each_time_is_found_behind_it(seed: int) -> None:
    """
    A bug behind the same signature takes its place, minimised.
    """
    events = events_of("WithABugBehindDriver", seed)

    shorter = last_shorter(events)
    assert (shorter.doubt, shorter.steps) == ("", 5)
    assert "not deterministic" not in shorter.text


@every_seed
def test_an_answer_that_differs_from_play_to_play_is_told_as_that(seed: int) -> None:
    """
    A random value in an outcome fails each time, and never says the same.
    """
    shorter = last_shorter(events_of("TokenDriver", seed, runs=20))

    assert shorter.doubt == ""
    assert "the system's answer differs from play to play: step 2 clear(" in shorter.text
