"""Tests of a plan: which slice is played when, and for how long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from threadline.campaign.corpus import Corpus
from threadline.campaign.entry import Entry, Slice
from threadline.campaign.events import Began, Ended, Event, Reached
from threadline.campaign.job import REPLAY, Job
from threadline.campaign.plan import Plan
from threadline.campaign.shares import learn, next_entry, slice_s
from threadline.report.keeper import verdict_of
from threadline.search.behaviour import packed

from tests.nights import clean, ends, entry, found, play
from tests.project import GUARD_S
from tests.test_corpus import lines


def test_without_a_time_each_entry_is_played_once() -> None:
    """Its runs end it; the numbers of its runs begin with 1, as those of a campaign of one."""
    jobs, heard, _ = play([entry("one", runs=10), entry("two", runs=10)])

    assert [(job.scenario, job.first_run, job.seconds) for job in jobs] == [
        ("mine:One", 1, None),
        ("mine:Two", 1, None),
    ]
    assert {name: end.runs for name, end in ends(heard).items()} == {"one": 10, "two": 10}
    assert ends(heard)["one"].unused == ["rule open: never drawn"]


def test_known_failures_are_played_once_for_each_driver() -> None:
    """The first entry of a driver plays their traces, whatever is played when."""
    jobs, _, _ = play([entry("one", runs=1), entry("two", runs=1), entry("far", driver="mine:B")])
    assert [job.replays_known for job in jobs] == [True, False, True]


def test_failures_of_the_corpus_are_played_first(tmp_path: Path) -> None:
    """They come before every other run, each on its own scenario and driver; then what was reached
    before is given to the search.
    """
    corpus = Corpus(tmp_path)
    corpus.keep_failure(lines("open", signature="keys-open", scenario="mine:Two"))
    corpus.keep_failure(lines("open", signature="keys-open", scenario="mine:Gone"))
    corpus.keep_behaviour(lines("open", scenario="mine:One"), packed([5]))

    jobs, _, night = play([entry("one", runs=1), entry("two", runs=1)], corpus=corpus, workers=1)

    assert [(job.scenario, job.engine) for job in jobs] == [
        ("mine:Two", REPLAY),
        ("mine:One", "explore"),
        ("mine:Two", "explore"),
    ]
    assert [len(job.replays) for job in jobs] == [1, 1, 0]
    assert night.entries[0].stored_states == {5}


def test_stored_failures_take_a_fifth_of_the_time_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that there is no time for are not played, and counted; fresh runs get the rest."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    corpus = Corpus(tmp_path)
    for name in ("One", "Two", "Three"):
        corpus.keep_failure(lines("open", signature="keys-open", scenario=f"mine:{name}"))

    def script(job: Job) -> Iterator[Event]:
        now[0] += min(12.0, job.seconds or 0.0) if job.engine == REPLAY else job.seconds or 0.0
        yield from clean(job)

    entries = [entry(name) for name in ("one", "two", "three")]
    jobs, _, night = play(entries, script, workers=1, ends_at_s=100.0, corpus=corpus)

    replays = [job.seconds for job in jobs if job.engine == REPLAY]
    assert replays == [20.0, 8.0]
    assert night.plan.unplayed == 1
    assert {job.scenario for job in jobs if job.engine != REPLAY} == {
        "mine:One",
        "mine:Two",
        "mine:Three",
    }


def test_each_entry_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets a slice, then those that find more get more; all ends when the time is over."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def script(job: Job) -> Iterator[Event]:
        now[0] += job.seconds or 0.0
        yield Began(job.scenario)
        if job.scenario == "mine:Rich":
            yield Reached({}, packed(range(job.first_run, job.first_run + 500)))
        yield Ended(1, 2, {})

    jobs, _, night = play(
        [entry("poor"), entry("rich"), entry("dull")], script, workers=1, ends_at_s=300.0
    )

    spent = {each.name: each.spent_s for each in night.entries}
    assert [job.scenario for job in jobs[:3]] == ["mine:Poor", "mine:Rich", "mine:Dull"]
    assert spent["rich"] > 2 * spent["poor"]
    assert min(spent.values()) > 20
    assert 299 < now[0] <= 299.8 + 1e-6  # what it takes to end a worker is left


def test_a_slice_may_finish_what_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a tenth of all time, as long as there is any."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def script(job: Job) -> Iterator[Event]:
        now[0] += (job.seconds or 0.0) + 4.0
        yield from clean(job)

    jobs, _, _ = play([entry("one"), entry("two")], script, workers=1, ends_at_s=100.0)

    assert {round(job.finish_s, 6) for job in jobs[:-2]} == {10.0}
    assert jobs[-1].finish_s < jobs[-2].finish_s < 10.0
    last_s = jobs[0].begun().started().last_s()
    assert last_s == now[0] + (jobs[0].seconds or 0.0) + 10.0


def test_each_entry_has_a_run_before_time_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the starts of drivers take most of the time, each is played all the same."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    starts = set[str]()

    def script(job: Job) -> Iterator[Event]:
        start_s = 0.0 if job.driver in starts else 9.0
        assert start_s <= job.patience_s
        starts.add(job.driver)
        now[0] += start_s + (job.seconds or 0.0)
        yield from clean(job)

    entries = [entry(f"{n}", driver=f"mine:{n % 5}") for n in range(19)]
    jobs, heard, _ = play(entries, script, workers=1, ends_at_s=60.0)

    assert len({job.scenario for job in jobs[:19]}) == 19
    assert all(not end.is_unreached and end.steps for end in ends(heard).values())
    assert all(job.patience_s == 0.0 for job in jobs[19:])
    assert now[0] < 60.0


def test_a_driver_that_is_not_played_by_another_comes_first() -> None:
    """Two workers begin with two drivers, so that each goes on with the one that it has loaded."""
    entries = [entry(f"{n}", driver=f"mine:{n // 2}") for n in range(4)]
    plan = Plan(entries, 2, time.monotonic() + GUARD_S)
    begun = [plan.next() for _ in range(2)]

    assert [part.job.driver for _, part in filter(None, begun)] == ["mine:0", "mine:1"]


def test_what_there_was_no_time_for_is_told_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That says nothing of the system; where nothing at all was played, it is no success."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def script(job: Job) -> Iterator[Event]:
        now[0] += 60.0
        yield from clean(job)

    entries = [entry(name) for name in ("one", "two", "three")]
    _, heard, night = play(entries, script, workers=1, ends_at_s=60.0)
    never, _, idle = play([entry("four")], script, ends_at_s=60.0)

    assert {name: end.is_unreached for name, end in ends(heard).items()} == {
        "one": False,
        "two": True,
        "three": True,
    }
    assert "give it more with --for" in ends(heard)["two"].note
    assert verdict_of([], night.entries, "time over") == (
        "passed: no unaccepted failure; no time for two, three"
    )
    assert never == []
    assert verdict_of([], idle.entries, "time over").startswith("failed: nothing was tried")


def test_what_the_last_night_had_no_time_for_comes_first(tmp_path: Path) -> None:
    """So that no night passes over the same scenarios as the one before."""
    corpus = Corpus(tmp_path)
    reached = [
        {"scenario": "mine:One", "driver": "mine:Driver", "steps": 9},
        {"scenario": "mine:Two", "driver": "mine:Driver", "steps": 0},
        "damaged",
    ]
    corpus.keep_night("a", {"began": "2026-11-26T02:00:00Z", "reached": reached})

    jobs, _, _ = play([entry("one", runs=1), entry("two", runs=1)], corpus=corpus)

    assert [job.scenario for job in jobs] == ["mine:Two", "mine:One"]


def test_a_search_of_all_sequences_has_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot go on in another: the time that those before it have left is divided anew."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def script(job: Job) -> Iterator[Event]:
        now[0] += 10.0
        yield from clean(job)

    entries = [entry(name, engine="exhaust") for name in ("one", "two", "three")]
    jobs, _, _ = play(entries, script, workers=1, ends_at_s=100.0)

    assert [round(job.seconds or 0.0, -1) for job in jobs] == [30.0, 40.0, 80.0]


def test_slices_are_not_too_short() -> None:
    """A long budget is divided in rounds, a short one in equal parts."""
    assert slice_s(3600, 2, 20) == 60
    assert slice_s(1800, 2, 20) == 45
    assert slice_s(300, 2, 20) == 7.5
    assert slice_s(60, 2, 20) == 3
    assert slice_s(20, 2, 20) == 2


def test_a_second_failure_counts_less_than_the_first() -> None:
    """It may be the same bug; what is only played again, as it was stored, counts nothing."""
    store = entry()
    replayed, first, second = store.begin(engine=REPLAY), store.begin(), store.begin()
    list(store.hear(first, found("keys-pop")))
    list(store.hear(second, found("keys-open")))
    list(store.hear(second, found("keys-pop")))
    list(store.hear(replayed, found("keys-close")))

    for part in (replayed, first, second):
        learn(store, part, 10.0)
    assert (replayed.new_signatures, first.new_signatures, second.new_signatures) == (0, 1, 0.5)
    assert store.rate == 7.5


def test_who_is_owed_most_is_next() -> None:
    """One that is played waits for those that are not; a broken one is not played at all."""
    one, two = entry("one"), entry("two")
    number = count(1)

    def played(each: Entry, gain: int) -> None:
        learn(each, Slice(next(number), each.job, new_states=gain), 10.0)

    played(one, 0)
    played(two, 1000)
    assert next_entry([one, two]) is two
    two.running.append(Slice(1, two.job))
    assert next_entry([one, two]) is one
    one.broken = "wrong"
    assert next_entry([one, two]) is two
    two.broken = "wrong"
    assert next_entry([one, two]) is None


def test_one_failure_does_not_take_the_time_of_all_others() -> None:
    """Where states are not followed, whoever finds nothing has a rate of 0, and is played too."""
    entries = [entry(name) for name in ("one", "two", "three", "four")]
    broken = entries[0]
    first = broken.begin()
    list(broken.hear(first, found("keys-pop")))
    learn(broken, first, 30.0)
    broken.running.clear()

    for _ in range(40):
        best = next_entry(entries)
        assert best is not None
        learn(best, Slice(1, best.job), 10.0)

    assert broken.spent_s < 0.4 * sum(each.spent_s for each in entries)
