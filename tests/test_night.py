"""Tests of a campaign of many entries: what is made of what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from threadline.campaign.campaign import WorkerFailed
from threadline.campaign.corpus import Corpus
from threadline.campaign.entry import Entry, Slice
from threadline.campaign.events import Began, Ended, Event, Found, Progress, Reached, Shorter
from threadline.campaign.job import Job
from threadline.campaign.night import Night
from threadline.campaign.plan import Plan
from threadline.search.behaviour import packed

from tests.nights import Hands, clean, ends, entry, found, play, shorter
from tests.test_corpus import lines


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


def test_what_slices_could_not_judge_is_summed_up() -> None:
    """Of two that say the same, each counts; so does each turn that held the loop."""
    store = entry()
    for _ in range(2):
        ended = Ended(9, 90, {}, undecided=2, held={"Gate.hold line 3": 1})
        list(store.hear(store.begin(), ended))

    judged, held = store.end().note.split("; ")
    assert judged.startswith("4 runs not judged to the end: ")
    assert held.startswith("2 turns of the loop took over 100 ms of real time, in Gate.hold line 3")


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


def test_a_failure_is_in_the_corpus_when_it_is_told(tmp_path: Path) -> None:
    """Before it is minimised, so that a night that is killed then loses nothing; then its short
    form alone, and none of one that fails by chance.
    """

    def script(job: Job) -> Iterator[Event]:
        yield found("keys-pop")
        yield shorter("keys-pop")
        yield found("keys-open")
        yield replace(shorter("keys-open"), lines=found("keys-open").lines, replays=0)
        yield found("keys-close")
        yield shorter("keys-close", doubt="by chance")

    corpus, kept = Corpus(tmp_path), list[list[tuple[str, int]]]()

    def hear(_entry: Entry, _part: Slice | None, event: Event) -> None:
        if isinstance(event, Found | Shorter):
            kept.append([(e.signature, e.content.count("\n")) for e in corpus.failures()])

    Night(Plan([entry(runs=1)], 1, corpus=corpus), hear).play(Hands(script))

    pop, opened, closed = ("keys-pop", 2), ("keys-open", 3), ("keys-close", 3)
    assert kept[:2] == [[("keys-pop", 3)], [pop]]
    assert kept[2:4] == [[pop, opened], [pop, opened]]
    assert [set(each) for each in kept[4:]] == [{pop, opened, closed}, {pop, opened}]
    assert corpus.added == 2


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


def test_a_slice_that_was_still_starting_had_no_time() -> None:
    """An entry of such slices alone is not reached; one that had time and took no step is."""
    late, idle = entry(), entry()
    list(late.hear(late.begin(), Ended(0, 0, {}, note="still starting", is_unreached=True)))
    list(idle.hear(idle.begin(), Ended(0, 0, {}, note="still starting", is_unreached=True)))
    list(idle.hear(idle.begin(), Ended(5, 0, {})))

    assert late.end().is_unreached
    assert not idle.end().is_unreached
