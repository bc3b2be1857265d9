"""Tests of the timings that are drawn for one run: each way draws what its description says."""

from __future__ import annotations

from collections import Counter
from random import Random
from statistics import mean
from typing import Any

import pytest
from threadline.search.timings import (
    LATE_MAX,
    LINES_MOST,
    POINTS_LEAST,
    POINTS_MOST,
    RANKED_LATE,
    STOPS_MAX,
    STRUCK_LATE,
    Timings,
)
from threadline.timing import ALONE, DURING, WITH, Timing

from tests.toys.racing import Desks

ENTER, WRITE = Desks.enter("ana"), Desks.write("ana", "hi")
SEEN = {WRITE.kind: 5}


def drawing(way: str, most: int = 40, **more: Any) -> list[Timings]:
    """Return the drawers of this way among the first seeds."""
    made = (Timings(Random(seed), SEEN, **{"cancels": False, **more}) for seed in range(most * 30))
    return [timings for timings in made if timings.way == way][:most]


def drawn(way: str, **more: Any) -> list[list[Timing]]:
    """Return the timings of 100 operations in each of several runs of this way."""
    return [[t.draw(WRITE).timing for _ in range(100)] for t in drawing(way, **more)]


def of_length(way: str, seen: int) -> list[list[Timing]]:
    """Return the timings of 50 operations of so many I/Os in each of several runs of this way."""
    runs = []
    for timings in drawing(way):
        timings._points = {WRITE.kind: seen}
        runs.append([timings.draw(WRITE).timing for _ in range(50)])
    return runs


def flat(runs: list[list[Timing]]) -> list[Timing]:
    return [timing for run in runs for timing in run]


def test_each_way_has_its_share_of_runs() -> None:
    ways = Counter(Timings(Random(seed), {}, cancels=False).way for seed in range(4_000))
    shares = {way: round(number / 40) for way, number in ways.items()}
    assert shares == pytest.approx({"few": 40, "many": 30, "ranks": 25, "calm": 5}, abs=3)


def test_calm_draws_nothing() -> None:
    assert {t.draw(WRITE) is WRITE for t in drawing("calm", cancels=True)} == {True}


@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_a_calm_kind_overlaps_nothing(way: str) -> None:
    for timings in drawing(way, cancels=True, calm={ENTER.kind}):
        for _ in range(20):
            assert timings.draw(ENTER) is ENTER
            assert timings.draw(WRITE).timing.begins == ALONE  # it would overlap the one before
    begins = {t.draw(WRITE).timing.begins for t in drawing(way, calm={ENTER.kind})}
    assert begins == {ALONE, DURING, WITH}


def test_few_draws_few_entries() -> None:
    timings = flat(drawn("few"))
    assert mean(len(timing.delays) for timing in timings) == pytest.approx(0.23, abs=0.05)
    begins = Counter(timing.begins for timing in timings)
    assert begins[ALONE] / len(timings) == pytest.approx(0.5, abs=0.05)
    assert begins[WITH] / begins[DURING] == pytest.approx(3 / 7, abs=0.1)


def test_many_draws_as_many_as_its_run_says() -> None:
    runs = drawn("many")
    late = sorted(mean(len(timing.delays) for timing in run) for run in runs)
    assert late[0] < 0.4
    assert late[-1] > 1
    crowded = [run for run in runs if mean(len(timing.delays) for timing in run) > 0.8]
    alone = mean(timing.begins == ALONE for timing in flat(crowded))
    assert alone == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("way", ["few", "many"])
def test_io_is_late_by_a_little_or_its_answer(way: str) -> None:
    late = {ticks for timing in flat(drawn(way)) for _, ticks in timing.delays}
    assert late == {*range(1, LATE_MAX + 1), *range(-LATE_MAX, 0)}


def test_a_line_has_no_answer_that_could_be_late() -> None:
    late = {ticks for timing in flat(drawn("many", lines=True)) for _, ticks in timing.delays}
    assert late == set(range(1, LATE_MAX + 1))


@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_what_was_seen_bounds_the_points(way: str) -> None:
    points = {point for timing in flat(drawn(way)) for point, _ in timing.delays}
    assert points == set(range(1, SEEN[WRITE.kind] + 1))


@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_what_was_never_seen_has_a_few_points(way: str) -> None:
    points = {point for timing in flat(of_length(way, 0)) for point, _ in timing.delays}
    assert points == set(range(1, POINTS_LEAST + 1))


@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_the_end_of_a_long_operation_is_late_too(way: str) -> None:
    """
    But most is late at its beginning, and not more than so many I/Os of one operation are.
    """
    found = [timing.delays for timing in flat(of_length(way, 100))]
    points = [point for delays in found for point, _ in delays]
    assert set(points) > set(range(1, POINTS_MOST + 1))
    assert 90 < max(points) <= 100
    assert mean(point <= 2 * POINTS_MOST for point in points) > 0.6
    assert max(map(len, found)) <= POINTS_MOST


def test_a_low_rank_waits_at_each_io() -> None:
    for run in drawn("ranks"):
        low = [timing.delays for timing in run if timing.delays]
        whole = tuple((point, RANKED_LATE) for point in range(1, 6))
        fallen = [delays for delays in low if delays != whole]
        assert 0.3 < len(low) / len(run) < 0.7
        assert len(fallen) <= 3  # a rank changes in the middle so often at most
        assert all(delays == whole[-len(delays) :] for delays in fallen)


def test_ranks_change_in_the_middle() -> None:
    lengths = {len(timing.delays) for timing in flat(drawn("ranks"))}
    assert lengths == set(range(6))
    assert mean(t.begins == ALONE for t in flat(drawn("ranks"))) == pytest.approx(0.2, abs=0.05)


def test_a_low_thread_stops_at_few_lines() -> None:
    timings = drawing("ranks", lines=True)
    for each in timings:
        each._points = {WRITE.kind: 1_000}
    delays = [t.draw(WRITE).timing.delays for t in timings for _ in range(50)]
    assert {len(each) for each in delays} == set(range(STOPS_MAX + 1))
    assert {ticks for each in delays for _, ticks in each} == {RANKED_LATE}
    assert 100 < max(line for each in delays for line, _ in each) <= LINES_MOST


@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_some_callers_leave_in_half_of_the_runs(way: str) -> None:
    runs = [[t.cancelled_at for t in run] for run in drawn(way, cancels=True)]
    leaving = [run for run in runs if any(run)]
    assert 0.25 < len(leaving) / len(runs) < 0.75
    left = [at for run in leaving for at in run]
    assert mean(at != 0 for at in left) == pytest.approx(0.25, abs=0.05)
    assert set(left) == {*range(-LATE_MAX, 0), 0, *range(1, 6)}


@pytest.mark.parametrize("more", [{"cancels": False}, {"cancels": True, "lines": True}])
@pytest.mark.parametrize("way", ["few", "many", "ranks"])
def test_nobody_leaves_unasked_nor_from_a_thread(way: str, more: dict[str, bool]) -> None:
    assert {timing.cancelled_at for timing in flat(drawn(way, **more))} == {0}


def struck(**more: Any) -> list[Timings]:
    """Return drawers that have seen what ends the process, and how long others take."""
    more = {"crashes": {ENTER.kind}, "counts": {WRITE.kind: [4, 0, 4]}, **more}
    return [timings for way in ("few", "many", "ranks") for timings in drawing(way, **more)]


def test_a_crash_comes_in_the_middle_of_an_operation() -> None:
    """
    In half of the runs: at any of its I/Os, which has been done by then, or has not.
    """
    shares, late = [], set()
    for timings in struck():
        drawn = [(timings.draw(WRITE).timing, timings.takes_strike()) for _ in range(50)]
        strikes = [timing for timing, is_struck in drawn if is_struck]
        shares.append(len(strikes) / len(drawn))
        assert all(len(timing.delays) == 1 for timing in strikes)
        late |= {delay for timing in strikes for delay in timing.delays}
        assert not timings.takes_strike()
    assert mean(share > 0 for share in shares) == pytest.approx(0.5, abs=0.15)
    assert max(shares) < 0.5
    assert late == {(point, ticks) for point in range(1, 5) for ticks in STRUCK_LATE}


def test_a_crash_begins_while_others_go_on() -> None:
    begins = {timings.draw(ENTER).timing.begins for timings in struck() if timings._crashes}
    assert begins == {DURING, WITH}


def test_nothing_is_struck_that_makes_no_io() -> None:
    for timings in struck(counts={WRITE.kind: [0]}):
        timings.draw(WRITE)
        assert not timings.takes_strike()
