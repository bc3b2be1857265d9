"""Tests of a campaign of many entries: what is played when, and what is made of what it tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from threadline.campaign.campaign import Interrupted, WorkerFailed
from threadline.campaign.corpus import Corpus
from threadline.campaign.entry import Entry, Slice
from threadline.campaign.events import Began, Ended, Event, Found, Progress, Reached, Shorter
from threadline.campaign.hands import Done, Told
from threadline.campaign.job import REPLAY, Job
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.campaign.shares import learn, next_entry, slice_s
from threadline.loading import Target, load_target
from threadline.report.keeper import verdict_of
from threadline.search.behaviour import packed

from tests.project import GUARD_S
from tests.test_corpus import lines

DRIVER = "drivers.memory_store:MemoryStoreDriver"
TARGET = load_target(DRIVER)


def entry(name: str = "store", **more: Any) -> Entry:
    job = Job(f"mine:{name.title()}", "mine:Driver", "explore", seed=0, steps=9)
    return Entry(name, replace(job, **more), TARGET)


def found(signature: str = "keys-pop", trace: str = "", runs: int = 3) -> Found:
    return Found(signature, "text", trace, lines("open", "pop", signature=signature), runs, 2)


def shorter(signature: str = "keys-pop", doubt: str = "") -> Shorter:
    content = lines("pop", signature=signature)
    return Shorter(signature, "short", content, replays=4, steps=1, doubt=doubt)


class Hands:
    """Plays each job at once, as `play` says, and remembers the jobs in their order."""

    def __init__(self, play: Callable[[Job], Iterator[Event]]) -> None:
        self.workers = 1
        self.jobs: list[Job] = []
        self.is_stopped = self.is_closed = False
        self._play = play

    def begin(self, job: Job, target: Target, told: Told, interrupted: Interrupted) -> None:
        self.jobs.append(job)
        try:
            for event in self._play(job):
                told(event)
        except (WorkerFailed, KeyboardInterrupt, ZeroDivisionError) as error:
            told(Done(error))
        else:
            told(Done())

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        self.is_closed = True


def clean(job: Job) -> Iterator[Event]:
    """Play ten runs without a failure."""
    yield Began(job.scenario)
    yield Progress(5, 40, 5)
    yield Ended(10, 80, {}, unused=["rule open: never drawn"])


def play(
    entries: Sequence[Entry], script: Callable[[Job], Iterator[Event]] = clean, **more: Any
) -> tuple[list[Job], list[tuple[str, Event]], Night]:
    """Play a campaign on hands that follow a script; return its jobs and what it tells."""
    hands, heard = Hands(script), list[tuple[str, Event]]()
    plan = Plan(entries, **{"workers": 2, **more})
    night = Night(plan, lambda of, _part, event: heard.append((of.name, event)))
    night.play(hands)
    return hands.jobs, heard, night


def ends(heard: Sequence[tuple[str, Event]]) -> dict[str, Ended]:
    return {name: event for name, event in heard if isinstance(event, Ended)}


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


def test_a_failure_of_two_slices_is_told_once(tmp_path: Path) -> None:
    """The first is reported; the other is counted, and its file removed."""
    part = tmp_path / "second.jsonl"
    part.write_text("trace")
    store = entry()
    first, second = store.begin(), store.begin()

    told = [
        *store.hear(first, found(trace="first.jsonl")),
        *store.hear(second, found(trace=str(part))),
        *store.hear(second, shorter()),
        *store.hear(first, shorter()),
        *store.hear(first, Ended(9, 90, {"keys-pop": 4})),
        *store.hear(second, Ended(9, 90, {"keys-pop": 2})),
    ]

    assert [type(event) for event in told] == [Found, Shorter, Progress, Progress]
    assert store.failures == {"keys-pop": 6}
    assert not part.exists()
    assert (store.runs, store.steps) == (18, 180)


def test_slices_that_run_together_have_files_of_their_own() -> None:
    """The suffix of one that has ended is free again; what was told is not told again."""
    store = entry()
    first, second = store.begin(), store.begin()
    store.running.remove(first)
    list(store.hear(second, found(trace="a.jsonl")))
    third = store.begin()

    assert [part.job.suffix for part in (first, second, third)] == ["", "-2", ""]
    assert third.job.told == {"keys-pop": "a.jsonl"}
    assert len({part.job.first_run for part in store.slices}) == 3


def test_files_of_an_entry_keep_its_own_suffix() -> None:
    """Two slices of a scenario on the second of two drivers have different files, too."""
    store = entry(suffix="-Mine")

    assert [store.begin().job.suffix for _ in range(3)] == ["-Mine", "-Mine-2", "-Mine-3"]


def test_chance_hides_no_failure_of_another_slice() -> None:
    """One that fails each time takes the place of one that fails by chance, wherever it is found;
    a later slice is told of the doubt, so that it goes on looking.
    """
    store = entry()
    first, second = store.begin(), store.begin()
    told = [
        *store.hear(first, found()),
        *store.hear(second, found()),
        *store.hear(first, shorter(doubt="by chance")),
    ]
    assert store.begin().job.doubted == ["keys-pop"]

    told += store.hear(second, shorter(doubt="by chance"))
    told += store.hear(second, shorter())

    assert [type(event) for event in told] == [Found, Shorter, Shorter]
    assert store.found["keys-pop"] == shorter()
    assert store.begin().job.doubted == []


def test_a_rule_is_unused_that_fired_in_no_slice() -> None:
    """Each slice says which rules it has not used; one that fired anywhere is used."""
    store = entry()
    first, second = store.begin(), store.begin()
    list(store.hear(first, Ended(1, 2, {}, unused=["rule a: in 1 run", "rule b: in 1 run"])))
    list(store.hear(second, Ended(9, 8, {}, unused=["rule b: in 9 runs", "rule c: in 9 runs"])))

    assert store.end().unused == ["rule b: in 9 runs"]


def test_a_slice_that_came_too_late_says_nothing() -> None:
    """That it was still starting is told where nothing else was played."""
    late = Ended(0, 0, {}, note="still starting when the time was over")
    idle, busy = entry(), entry()
    list(idle.hear(idle.begin(), late))
    list(busy.hear(busy.begin(), Ended(9, 90, {}, note="a hunt was cut short")))
    list(busy.hear(busy.begin(), late))

    assert idle.end().note == late.note
    assert busy.end().note == "a hunt was cut short"


def test_what_is_new_is_counted_once() -> None:
    """A state that another slice, or the corpus, has reached is not new."""
    store = entry()
    store.stored_states = {1}
    first, second = store.begin(), store.begin()
    list(store.hear(first, Reached({"pop": {"ok": 2}}, packed([1, 2]), "", {"a.py": [1, 2]})))
    list(store.hear(second, Reached({"pop": {"ok": 1}}, packed([2, 3]), "", {"a.py": [2, 3]})))

    assert (first.new_states, second.new_states) == (1, 1)
    assert (first.new_lines, second.new_lines) == (2, 1)
    assert store.operations == {"pop": {"ok": 3}}
    assert store.states == {1, 2, 3}


def test_what_is_found_is_kept(tmp_path: Path) -> None:
    """A minimised failure and a run that reached something are in the corpus; one that fails by
    chance is not; one that there was no time to minimise is kept as it is.
    """

    def script(job: Job) -> Iterator[Event]:
        yield Began(job.scenario)
        yield found("keys-pop")
        yield shorter("keys-pop")
        yield found("keys-open")
        yield found("keys-close")
        yield shorter("keys-close", doubt="by chance")
        yield Reached({}, packed([4]), "", {"a.py": [1]}, lines("open"))
        yield Ended(1, 2, {"keys-pop": 1, "keys-open": 1, "keys-close": 1})

    corpus = Corpus(tmp_path)
    play([entry(runs=1)], script, corpus=corpus)

    kept = [(each.signature, each.content.count("\n")) for each in corpus.failures()]
    assert kept == [("keys-pop", 2), ("keys-open", 3)]
    assert [each.states for each in corpus.behaviour()] == [{4}]


def test_a_broken_entry_does_not_end_the_others() -> None:
    """Its scenario is wrong, and is played no more; the rest is played to its end."""

    def script(job: Job) -> Iterator[Event]:
        if job.scenario == "mine:One":
            raise WorkerFailed("the model raised")
        yield from clean(job)

    _, heard, night = play([entry("one", runs=1), entry("two", runs=10)], script)

    assert [each.broken for each in night.entries] == ["the model raised", ""]
    assert list(ends(heard)) == ["two"]


def test_an_interrupt_ends_all() -> None:
    """What was not begun is not begun any more, and said nothing about."""

    def script(job: Job) -> Iterator[Event]:
        yield Began(job.scenario)
        yield found()
        raise KeyboardInterrupt

    entries = [entry(name, runs=1) for name in ("one", "two", "three")]
    jobs, heard, night = play(entries, script, workers=1)

    assert night.is_interrupted
    assert [job.scenario for job in jobs] == ["mine:One"]
    assert ends(heard)["one"].failures == {"keys-pop": 1}
    assert list(ends(heard)) == ["one"]


def test_a_bug_of_ours_ends_all_slices() -> None:
    """It is raised, once every slice was told to end, and the hands are given back."""

    def script(job: Job) -> Iterator[Event]:
        yield Began(job.scenario)
        raise ZeroDivisionError

    hands = Hands(script)
    night = Night(Plan([entry("one", runs=1), entry("two", runs=1)], 2), lambda *_: None)
    with pytest.raises(ZeroDivisionError):
        night.play(hands)

    assert night.is_interrupted
    assert hands.is_closed


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


def test_a_slice_that_was_still_starting_had_no_time() -> None:
    """An entry of such slices alone is not reached; one that had time and took no step is."""
    late, idle = entry(), entry()
    list(late.hear(late.begin(), Ended(0, 0, {}, note="still starting", is_unreached=True)))
    list(idle.hear(idle.begin(), Ended(0, 0, {}, note="still starting", is_unreached=True)))
    list(idle.hear(idle.begin(), Ended(5, 0, {})))

    assert late.end().is_unreached
    assert not idle.end().is_unreached


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
    assert slice_s(1800, 2, 20) == 60
    assert slice_s(300, 2, 20) == 15
    assert slice_s(60, 2, 20) == 6
    assert slice_s(60, 1, 1) == 30


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
