"""Chance is told apart from what fails each time, and hides none of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from threadline.campaign.chance import Votes, first_difference, least_of, play_again
from threadline.campaign.events import Event, Found, Message, Shorter
from threadline.campaign.job import Job
from threadline.campaign.worker import work
from threadline.failure import Failure
from threadline.lockstep.run import replay
from threadline.trace import Trace

from tests.project import flat, run
from tests.toys import stores
from tests.toys.desk import Desk, Desks, header

later = [pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3, 4)]
every_seed = pytest.mark.parametrize("seed", [0, *later])


def events_of(driver: str, seed: int, *, runs: int = 300, **more: Any) -> list[Event]:
    """Return what a worker tells of a driver of tests.toys.stores, played in this process."""
    stores.CHANCE.seed(seed)
    job = Job(
        scenario="threadline.contracts.conversation_store:Store",
        driver=f"tests.toys.stores:{driver}",
        engine="explore",
        seed=seed,
        steps=50,
        runs=runs,
        **more,
    )
    heard: list[Message] = []
    work(job, heard.append)
    return [event for event in heard if isinstance(event, Event)]


def last_shorter(events: list[Event]) -> Shorter:
    return [event for event in events if isinstance(event, Shorter)][-1]


@every_seed
def test_what_fails_at_random_is_told_as_that(seed: int) -> None:
    """A store that fails in one of 32 appends has no failure that stands for its signature."""
    shorter = last_shorter(events_of("AtRandomDriver", seed))

    assert shorter.doubt == "by chance"
    assert "not deterministic: it fails in " in flat(shorter.text)
    assert "what differs first between two plays: step " in flat(shorter.text)


@every_seed
def test_what_fails_each_time_is_found_behind_it(seed: int) -> None:
    """A bug behind the same signature takes its place, minimised."""
    events = events_of("WithABugBehindDriver", seed, runs=120)

    shorter = last_shorter(events)
    assert (shorter.doubt, shorter.steps) == ("", 8)
    assert "not deterministic" not in flat(shorter.text)


@pytest.mark.slow
def test_what_fails_each_time_is_found_by_a_later_worker() -> None:
    """A worker that is told of the doubt looks on; one that is not takes the failure for told."""
    name, driver = "continuity-append.Full", "WithABugBehindDriver"
    doubting = events_of(driver, 0, runs=120, told={name: ""}, doubted=[name])
    sure = events_of(driver, 0, runs=120, told={name: ""})

    found = next(event for event in doubting if isinstance(event, Found))
    assert (found.signature, found.instead) == (name, True)
    assert not any(isinstance(event, Found) for event in sure)


@every_seed
def test_an_answer_that_differs_from_play_to_play_is_told_as_that(seed: int) -> None:
    """A random value in an outcome fails each time, and never says the same."""
    shorter = last_shorter(events_of("TokenDriver", seed, runs=20))

    assert shorter.doubt == ""
    assert "the system's answer differs from play to play: step 2 clear(" in flat(shorter.text)


TRACE = """\
{"threadline": 1, "contract": "conversation_store", \
"driver": "tests.toys.stores:AlternatingDriver", \
"scenario": "threadline.contracts.conversation_store:Store", "signature": "continuity-append"}
{"step": 1, "operation": "reopen"}
{"step": 2, "operation": "open", "user": "ana", "thread": "t"}
{"step": 3, "operation": "append", "conversation": {"handle": "c_2"}, "text": "m3"}
"""
DRIVER = ("--driver", "tests.toys.stores:AlternatingDriver")
FIRST = (
    "what differs first between two plays: step 3 append(conversation=c_2, text='m3'): "
    "crashed (Full)"
)


@pytest.fixture
def trace(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Store a trace that fails in every second play of it, the first included."""
    monkeypatch.setattr(stores.Alternating, "appends", 0)
    path = project / "trace.jsonl"
    path.write_text(TRACE, "ascii")
    return path


def test_replay_says_that_a_failure_comes_by_chance(trace: Path) -> None:
    """What is played again ten times fails in five of them: status 1, the rate, what differs."""
    result = run("replay", str(trace), *DRIVER)

    assert result.exit_code == 1
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)
    assert FIRST in flat(result.output)


def test_replay_does_not_take_one_play_for_a_proof(trace: Path) -> None:
    """
    A trace that was a failure and agrees in its first play is played again: it fails by chance.
    """
    stores.Alternating.appends = 1

    result = run("replay", str(trace), *DRIVER)

    assert result.exit_code == 1
    assert "agrees on all 3 operations" in flat(result.output)
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)


def test_minimise_says_how_often_the_least_fails(trace: Path) -> None:
    """It is made short by votes, and told with its rate."""
    result = run("minimise", str(trace), *DRIVER)

    assert result.exit_code == 0
    assert "from 3 to 2 steps" in flat(result.output)
    assert "not deterministic: it fails in 5 of 10 plays of this trace" in flat(result.output)


def test_check_says_that_an_operation_fails_by_chance(project: Path) -> None:
    """An operation that is kept in some plays alone is not kept, and it is said why."""
    stores.CHANCE.seed(0)

    result = run("check", "tests.toys.stores:AtRandomDriver")

    assert result.exit_code == 1
    assert "append no breaks continuity, by chance, as below" in flat(result.output)
    assert "not deterministic: it fails in " in flat(result.output)


def test_fuzz_marks_what_fails_by_chance_in_its_table(project: Path) -> None:
    """It is a failure, and exits with 1, and nobody takes it for one that fails each time."""
    result = run(
        "fuzz", "--runs", "60", "--seed", "0", "--driver", "tests.toys.stores:AtRandomDriver"
    )

    assert result.exit_code == 1
    assert re.search(r"continuity-append.Full \(\d+ runs, by chance\)", result.output)


def breaks_in_turn(desks: list[int]) -> Callable[[list[str]], bool]:
    """Return what breaks at a ring on those desks, by number, that are listed."""
    seen: list[int] = []

    def is_broken(log: list[str]) -> bool:
        seen.extend([1] if log[-1] == "ring" else [])
        return log[-1] == "ring" and len(seen) in desks

    return is_broken


RING = ((1, Desk.press(1)), (2, Desk.ring()))


def failure_of(desks: Desks) -> Failure:
    failure = replay(desks.runs(), header(), RING)
    assert failure is not None
    return failure


def rings_badly(log: list[str]) -> bool:
    return log[-1] == "ring"


ON_RING = failure_of(Desks(rings_badly)).signature


def voted(desks: Desks, votes: Votes) -> bool:
    return votes(desks.runs(), header(), RING) is not None


def test_a_vote_ends_when_enough_plays_have_failed() -> None:
    """Two of five plays have to fail: the third is the last where the first and the third do."""
    desks = Desks(breaks_in_turn([1, 3, 4, 5]))

    assert voted(desks, Votes(ON_RING, needed=2, plays_max=5))
    assert len(desks.made) == 3


def test_a_vote_ends_when_too_few_plays_are_left() -> None:
    """Four of five plays have to fail: after two that did not, there is no need for more."""
    desks = Desks(breaks_in_turn([2, 4, 5]))

    assert not voted(desks, Votes(ON_RING, needed=4, plays_max=5))
    assert len(desks.made) == 3


def test_votes_have_a_bound_together() -> None:
    """When so many steps have been played, no candidate fails any more, and none is played."""
    desks = Desks(breaks_in_turn(list(range(1, 100))))
    votes = Votes(ON_RING, needed=1, plays_max=1, steps_left=4)

    assert [voted(desks, votes) for _ in range(3)] == [True, True, False]
    assert len(desks.made) == 2


def test_two_plays_that_fail_alike_have_no_difference() -> None:
    """The same step and the same outcome: nothing is told."""
    desks = Desks(breaks_in_turn([1, 2]))

    assert first_difference(failure_of(desks), failure_of(desks)) == ""


def test_a_play_that_agrees_differs_where_the_other_one_failed() -> None:
    """The step, what came of it in one play, and what the model says in the other."""
    failure = failure_of(Desks(breaks_in_turn([1])))

    assert first_difference(failure, None) == "step 2 ring(): refused (broken) and ok"


def test_a_play_that_the_end_of_the_time_cut_short_tells_nothing() -> None:
    """It did not fail, as it had no time to: the failure is not taken for chance."""
    desks = Desks(breaks_in_turn([1, 2]))
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(0)
        return len(asked) > 2

    plays = play_again(Trace(header(), RING), failure_of(desks), desks.runs(), is_over=is_over)

    assert (plays.failed, plays.played) == (1, 1)
    assert plays.is_steady


def test_a_failure_that_comes_back_is_minimised_as_ever() -> None:
    """Five plays of the whole, five of the least, no doubt and no note."""
    desks = Desks(rings_badly)

    least = least_of(Trace(header(), RING), failure_of(desks), desks.runs(), None)

    assert (least.doubt, least.notes) == ("", ())
    assert [str(operation) for _, operation in least.trace.operations] == ["ring()"]
