"""Tests of the changes of timings that minimising tries."""

from __future__ import annotations

from itertools import pairwise

from threadline.minimise.passes import anew, calm, calmer, entries
from threadline.timing import ALONE, CALM, DURING, WITH, Timing

from tests.toys.racing import Desks

ENTER, WRITE = Desks.enter("ana"), Desks.write("ana", "hi")
FULL = Timing(WITH, ((1, 3), (2, -2)), 4)
BEST = ((1, ENTER.timed(FULL)), (3, WRITE.timed(Timing(DURING))))


def timings(operations: tuple[tuple[int, object], ...]) -> tuple[Timing, ...]:
    return tuple(operation.timing for _, operation in operations)  # type: ignore[attr-defined]


def test_calmer_leaves_all_out_first() -> None:
    assert next(calmer(BEST)) == calm(BEST)
    assert timings(calm(BEST)) == (CALM, CALM)


def test_calmer_says_less_of_one_operation_at_a_time() -> None:
    found = [timings(each) for each in list(calmer(BEST))[1:]]
    second = Timing(DURING)
    assert found == [
        (CALM, second),
        (Timing(ALONE, FULL.delays, 4), second),
        (Timing(WITH, FULL.delays, 0), second),
        (Timing(WITH, ((2, -2),), 4), second),
        (Timing(WITH, ((1, 3),), 4), second),
        (Timing(DURING, FULL.delays, 4), second),
        (Timing(WITH, ((1, 1), (2, -2)), 4), second),
        (Timing(WITH, ((1, 2), (2, -2)), 4), second),
        (Timing(WITH, ((1, 3), (2, 1)), 4), second),
        (FULL, CALM),
        (FULL, CALM),
    ]
    assert {tuple(number for number, _ in each) for each in calmer(BEST)} == {(1, 3)}


def test_nothing_is_calmer_than_calm() -> None:
    assert list(calmer(calm(BEST))) == []


def test_anew_says_one_thing_then_two_then_three() -> None:
    said = [entries(each) for each in anew(BEST)]
    assert set(said) == {1, 2, 3, 4}
    singles = 2 * 29
    assert all(any(t == CALM for t in timings(each)) for each in list(anew(BEST))[:singles])
    pairs = said[singles:]
    assert len(pairs) == 29 * 29
    assert all(one <= other for one, other in pairwise(pairs))


def test_anew_forgets_what_was_said() -> None:
    found = [timings(each) for each in anew(BEST)]
    assert (FULL, Timing(DURING)) not in found
    assert (CALM, CALM) not in found
    assert len(set(found)) == len(found)


def test_anew_reaches_the_usual_forms_of_a_race() -> None:
    found = [timings(each) for each in anew(BEST)]
    for point in (1, 2, 3, 4):
        for late in (2, -2, 6):
            assert (Timing(delays=((point, late),)), Timing(DURING)) in found
            assert (Timing(delays=((point, late),)), Timing(WITH)) in found
    assert (Timing(cancelled_at=3), Timing(DURING)) in found
    assert (CALM, Timing(WITH, (), -2)) in found


def test_anew_keeps_the_operations() -> None:
    for each in anew(BEST):
        assert calm(each) == calm(BEST)
