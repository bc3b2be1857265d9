"""Chance is told apart from what fails each time, and hides none of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from threadline.campaign.events import Event, Message, Shorter
from threadline.campaign.worker import Job, work

from tests import chancy
from tests.project import flat, project, run

__all__ = ["project"]

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
    heard: list[Message] = []
    work(job, heard.append)
    return [event for event in heard if isinstance(event, Event)]


def last_shorter(events: list[Event]) -> Shorter:
    return [event for event in events if isinstance(event, Shorter)][-1]


@every_seed
def test_what_fails_at_random_is_told_as_that(seed: int) -> None:
    """
    A store that fails in one of 32 appends has no failure that stands for its signature.
    """
    shorter = last_shorter(events_of("AtRandomDriver", seed))

    assert shorter.doubt == "by chance"
    assert "not deterministic: it fails in " in flat(shorter.text)
    assert "what differs first between two plays: step " in flat(shorter.text)


@every_seed
def test_what_fails_each_time_is_found_behind_it(seed: int) -> None:
    """
    A bug behind the same signature takes its place, minimised.
    """
    events = events_of("WithABugBehindDriver", seed)

    shorter = last_shorter(events)
    assert (shorter.doubt, shorter.steps) == ("", 5)
    assert "not deterministic" not in flat(shorter.text)


@every_seed
def test_an_answer_that_differs_from_play_to_play_is_told_as_that(seed: int) -> None:
    """
    A random value in an outcome fails each time, and never says the same.
    """
    shorter = last_shorter(events_of("TokenDriver", seed, runs=20))

    assert shorter.doubt == ""
    assert "the system's answer differs from play to play: step 2 clear(" in flat(shorter.text)


TRACE = """\
{"threadline": 1, "contract": "conversation_store", "driver": "tests.chancy:AlternatingDriver", \
"scenario": "threadline.contracts.conversation_store:Store", "signature": "continuity-append"}
{"step": 1, "operation": "reopen"}
{"step": 2, "operation": "open", "user": "ana", "thread": "t"}
{"step": 3, "operation": "append", "conversation": {"handle": "c_2"}, "text": "m3"}
"""
DRIVER = ("--driver", "tests.chancy:AlternatingDriver")
FIRST = (
    "what differs first between two plays: step 3 append(conversation=c_2, text='m3'): "
    "crashed (Full)"
)


@pytest.fixture
def trace(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Store a trace that fails in every second play of it, the first included."""
    monkeypatch.setattr(chancy.Alternating, "appends", 0)
    path = project / "trace.jsonl"
    path.write_text(TRACE, "ascii")
    return path


def test_replay_says_that_a_failure_comes_by_chance(trace: Path) -> None:
    """
    What is played again ten times fails in five of them: status 1, the rate, what differs.
    """
    result = run("replay", str(trace), *DRIVER)

    assert result.exit_code == 1
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)
    assert FIRST in flat(result.output)


def test_replay_does_not_take_one_play_for_a_proof(trace: Path) -> None:
    """
    A trace that was a failure and agrees in its first play is played again: it fails by chance.
    """
    chancy.Alternating.appends = 1

    result = run("replay", str(trace), *DRIVER)

    assert result.exit_code == 1
    assert "agrees on all 3 operations" in flat(result.output)
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)


def test_minimise_says_how_often_the_least_fails(trace: Path) -> None:
    """
    It is made short by votes, and told with its rate.
    """
    result = run("minimise", str(trace), *DRIVER)

    assert result.exit_code == 0
    assert "from 3 to 2 steps" in flat(result.output)
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)


def test_check_says_that_an_operation_fails_by_chance(project: Path) -> None:
    """
    An operation that is kept in some plays alone is not kept, and it is said why.
    """
    chancy.CHANCE.seed(0)

    result = run("check", "tests.chancy:AtRandomDriver")

    assert result.exit_code == 1
    assert "append no breaks continuity, by chance, as below" in flat(result.output)
    assert "not deterministic: it fails in " in flat(result.output)


def test_fuzz_marks_what_fails_by_chance_in_its_table(project: Path) -> None:
    """
    It is a failure, and exits with 1, and nobody takes it for one that fails each time.
    """
    result = run("fuzz", "--runs", "60", "--seed", "0", "--driver", "tests.chancy:AtRandomDriver")

    assert result.exit_code == 1
    assert re.search(r"continuity-append.Full \(\d+ runs, by chance\)", result.output)
