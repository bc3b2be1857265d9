"""Tests of operations that overlap: what is found, shrunk and replayed, and no false alarm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import pytest
from threadline import Driver, Scenario, pool, rule
from threadline.failure import Failure, Property
from threadline.history import digest
from threadline.json_lines import BadTrace
from threadline.loading import load_target
from threadline.lockstep.order import Tried
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Batch, Runs, replay
from threadline.minimise.alone import alone
from threadline.minimise.fixpoint import minimise
from threadline.operation import Operation
from threadline.overlapping import OverlapFailure
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.timing import ALONE, CALM, DURING, WITH, Timing, timing_from_json
from threadline.trace import Header, Recorder, Trace, parse

from tests.toys import racing
from tests.toys.racing import AtOnce, Desks, Leaving, RightDriver

ENTER, WRITE = Desks.enter("ana"), Desks.write("ana", "hi")
LATE = Timing(delays=((1, 2),))


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(load_target(f"{driver.__module__}:{driver.__name__}"), Recorder(None))


def header(driver: type[Driver[Any]], **more: Any) -> Header:
    return Header("desks", f"{driver.__module__}:{driver.__name__}", overlap=True, **more)


def play(driver: type[Driver[Any]], *operations: Operation) -> Failure | None:
    return replay(runs(driver), header(driver), list(enumerate(operations, 1)))


def explored(
    driver: type[Driver[Any]], scenario: type[Scenario[Any]], most: int, seed: int = 0
) -> list[Batch]:
    explorer = Explorer(scenario, runs(driver), header(driver, steps_max=30, seed=seed))
    return list(islice(explorer.batches(), most))


def first(driver: type[Driver[Any]], scenario: type[Scenario[Any]], most: int = 300) -> Batch:
    explorer = Explorer(scenario, runs(driver), header(driver, steps_max=30))
    return next(batch for batch in islice(explorer.batches(), most) if batch.failure)


def test_a_clean_system_gives_no_alarm() -> None:
    assert [b for b in explored(RightDriver, AtOnce, 300) if b.failure] == []


def test_a_clean_system_gives_no_alarm_where_callers_leave() -> None:
    assert [b for b in explored(RightDriver, Leaving, 300) if b.failure] == []


@pytest.mark.parametrize(
    ("driver", "scenario"),
    [
        (racing.Checking, AtOnce),
        (racing.WritingBack, AtOnce),
        (racing.TellingEarly, AtOnce),
        (racing.Yielding, AtOnce),
        (racing.Halving, Leaving),
        (racing.Locking, AtOnce),
    ],
)
def test_a_race_is_found_and_made_short(
    driver: type[Driver[Any]], scenario: type[Scenario[Any]]
) -> None:
    found = first(driver, scenario)
    assert found.failure is not None
    least = minimise(found.trace(), found.failure.signature, runs(driver), scenario)
    operations = [operation for _, operation in least.trace.operations]
    assert len(operations) <= 4
    assert sum(operation.timing.entries for operation in operations) <= 3


@pytest.mark.parametrize(
    ("driver", "scenario"),
    [(racing.Checking, AtOnce), (racing.Yielding, AtOnce), (racing.Halving, Leaving)],
)
def test_hypothesis_finds_it_too(driver: type[Driver[Any]], scenario: type[Scenario[Any]]) -> None:
    chunks = Chunks(scenario, runs(driver), header(driver, steps_max=30))
    found = next(batch for batch in chunks.batches(1, 1_000) if batch.failure)
    assert isinstance(found.failure, OverlapFailure)
    again = replay(runs(driver), found.header, found.failure.operations)
    assert again is not None
    assert again.signature == found.failure.signature


@pytest.mark.slow
def test_hypothesis_gives_no_false_alarm() -> None:
    for scenario in (AtOnce, Leaving):
        chunks = Chunks(scenario, runs(RightDriver), header(RightDriver, steps_max=30))
        assert [b for b in chunks.batches(1, 200) if b.failure] == []


def exhausted(driver: type[Driver[Any]], depth: int) -> list[Batch]:
    class Entering(Scenario[Desks], bare=True):
        """Two users who come and go."""

        overlap = True
        enter = rule(Desks.enter, user=racing.USERS)
        leave = rule(Desks.leave, user=pool("ana"))

    return list(Exhaust(Entering, runs(driver), header(driver, steps_max=depth)).batches())


def test_an_exhaustive_search_plays_every_schedule() -> None:
    """All sequences of two, each alone and under every schedule with up to two delays."""
    batches = exhausted(RightDriver, 2)
    assert [b for b in batches if b.failure] == []
    # Two begins beside ALONE; of 4 ticks by which an I/O can be late, none, one, or two.
    late = {"enter": 2 * 4, "leave": 1 * 4}
    total = 0
    for one in ("enter", "enter", "leave"):
        for other in ("enter", "enter", "leave"):
            entries = late[one] + late[other]
            same = sum({"enter": 2, "leave": 1}[each] * 6 for each in (one, other))
            total += 1 + 2 * (1 + entries + entries * (entries - 1) // 2 - same)
    assert len(batches) == total


def test_an_exhaustive_search_finds_a_race() -> None:
    failed = [b for b in exhausted(racing.Checking, 2) if b.failure]
    assert failed
    assert all(isinstance(b.failure, OverlapFailure) for b in failed)


def test_nothing_is_found_of_a_race_where_operations_do_not_overlap() -> None:
    explorer = Explorer(AtOnce, runs(racing.Checking), Header("desks", "racing", steps_max=30))
    assert [b for b in islice(explorer.batches(), 100) if b.failure] == []


def test_the_second_of_two_gets_another_desk() -> None:
    failure = play(racing.Checking, ENTER.timed(LATE), ENTER.timed(Timing(DURING)))
    assert failure is not None
    assert str(failure.signature) == "continuity-enter"
    text = "\n".join(failure.lines())
    assert "of the 2 operations at once, no order explains this" in text
    assert "1  ..#  enter(user='ana')" in text


def test_one_that_is_done_before_the_next_begins_overlaps_nothing() -> None:
    assert play(racing.Checking, ENTER.timed(LATE), ENTER) is None


def test_two_that_begin_with_each_other_are_both_under_way() -> None:
    assert play(racing.Yielding, ENTER, Desks.leave("ana"), ENTER, ENTER) is None
    failure = play(racing.Yielding, ENTER.timed(CALM), ENTER.timed(Timing(WITH)))
    assert failure is not None


def test_what_is_told_is_compared_as_a_stream() -> None:
    """Each line is told in the order in which it was stored, whatever overtakes what."""
    early = Desks.write("ana", "hi").timed(LATE)
    failure = play(racing.TellingEarly, early, Desks.write("ana", "yo").timed(Timing(DURING)))
    assert failure is not None
    assert failure.signature.where == "told"
    assert play(RightDriver, early, Desks.write("ana", "yo").timed(Timing(DURING))) is None


def test_a_cancelled_call_may_have_happened_or_not() -> None:
    for point in (1, 2):  # before the desk is taken, and after
        left = ENTER.timed(Timing(cancelled_at=point))
        assert play(RightDriver, left, Desks.leave("ana")) is None
        assert play(RightDriver, left, ENTER, Desks.leave("ana")) is None


def test_a_call_that_is_cut_in_two_is_a_failure() -> None:
    failure = play(racing.Halving, ENTER.timed(Timing(cancelled_at=1)))
    assert failure is not None
    assert failure.signature.where == "logs"
    assert "x gets no answer" in "\n".join(failure.lines())


def test_a_caller_can_leave_while_he_waits_for_no_io() -> None:
    """The second waits for the lock that the first has, and leaves; the third gets it."""
    first = Desks.enter("ana").timed(Timing(delays=((1, 4),)))
    second = Desks.enter("ben").timed(Timing(DURING, cancelled_at=-1))
    third = Desks.enter("ben").timed(Timing(DURING))
    failure = play(racing.Locking, first, second, third, Desks.leave("ben"))
    assert failure is None


def test_a_deadlock_is_a_failure_of_liveness_and_tells_where_each_waits() -> None:
    leave = Desks.leave("ana").timed(Timing(DURING, ((1, 1),)))
    failure = play(racing.Locking, ENTER.timed(LATE), leave)
    assert failure is not None
    assert failure.signature.property is Property.LIVENESS
    text = "\n".join(failure.lines())
    assert "Locks.enter line" in text
    assert "Locks.leave line" in text


def test_the_answer_alone_can_be_late() -> None:
    """The write itself is done at once, so that who comes meanwhile finds it."""
    late = WRITE.timed(Timing(delays=((2, -2),)))
    assert play(RightDriver, late, Desks.write("ana", "yo").timed(Timing(DURING))) is None


def test_an_operation_waits_for_the_ids_it_needs() -> None:
    """Of an operation that is under way, no id is known: who needs it begins when it is over."""
    failure = play(RightDriver, ENTER.timed(LATE), *[WRITE.timed(Timing(DURING))] * 12)
    assert failure is None  # more than are judged together: one of them waits


def test_whether_anything_takes_time_is_known() -> None:
    for driver, takes in ((RightDriver, True), (racing.Hasty, False)):
        played = runs(driver)
        explorer = Explorer(AtOnce, played, header(driver, steps_max=5))
        list(islice(explorer.batches(), 5))
        assert played.has_io is takes


@pytest.mark.parametrize("first_is_late", [True, False])
def test_an_order_can_show_later(*, first_is_late: bool) -> None:
    """Which of two lines came first is seen by who reads them; until then both orders are right."""
    first = racing.Diary.note("a").timed(LATE if first_is_late else CALM)
    second = racing.Diary.note("b").timed(Timing(DURING))
    steps = [first, second, racing.Diary.note("c"), racing.Diary.read()]
    target = Runs(load_target("tests.toys.racing:Diaries"), Recorder(None))
    said = Header("diary", "tests.toys.racing:Diaries", overlap=True)
    assert replay(target, said, list(enumerate(steps, 1))) is None


def test_an_order_can_show_after_more_operations_than_python_has_frames() -> None:
    late = [racing.Diary.note("a").timed(LATE), racing.Diary.note("b").timed(Timing(DURING))]
    steps = [*late, *[racing.Diary.note("c")] * 600, racing.Diary.read()]
    target = Runs(load_target("tests.toys.racing:Diaries"), Recorder(None))
    said = Header("diary", "tests.toys.racing:Diaries", overlap=True)
    assert replay(target, said, list(enumerate(steps, 1))) is None


def in_reverse() -> list[Operation]:
    """Return five lines that come in reverse order, which a reader sees."""
    timings = [Timing(DURING if i else ALONE, delays=((1, 40 - 8 * i),)) for i in range(5)]
    return [racing.Diary.note(f"line {i}").timed(each) for i, each in enumerate(timings)]


def test_what_led_nowhere_is_not_tried_again_when_another_order_shows() -> None:
    """The five lines that came in reverse order are put in order once, not for each reader."""
    note, lines = racing.Diary.note, in_reverse()
    later = [note("a").timed(LATE), note("b").timed(Timing(DURING))]
    target = Runs(load_target("tests.toys.racing:Diaries"), Recorder(None))
    tried = []
    with target.begin(Header("diary", "tests.toys.racing:Diaries", overlap=True)) as run:
        assert isinstance(run, Overlap)
        steps = [*lines, racing.Diary.read(), *later, racing.Diary.read()]
        for number, operation in enumerate(steps, 1):
            run.step(number, operation)
            if operation.kind == "read":
                run.finish()
                tried.append(run.replayed)
        assert run.undecided == 0
    first, second = tried
    assert second - first < first / 2


def test_what_led_nowhere_is_tried_again_where_less_is_compared() -> None:
    tried = Tried().compared((False, 0))
    tried.failed[1] = {2}
    assert tried.compared((False, 0)).failed == {1: {2}}
    assert tried.compared((True, 0)).failed == {}


def test_a_search_after_a_caller_has_left_forgets_what_led_nowhere_before() -> None:
    """From then on the system may hold what nobody was told of, so that less is compared."""
    steps = [*in_reverse(), racing.Diary.read()]
    target = Runs(load_target("tests.toys.racing:Diaries"), Recorder(None))
    with target.begin(Header("diary", "tests.toys.racing:Diaries", overlap=True)) as run:
        assert isinstance(run, Overlap)
        for number, operation in enumerate(steps, 1):
            run.step(number, operation)
        run.finish()
        before = set(run._tried.failed)
        run.step(7, racing.Diary.note("c").timed(Timing(cancelled_at=1)))
        run.finish()
        assert before
        assert before.isdisjoint(run._tried.failed)


def test_an_order_that_shows_later_can_be_wrong() -> None:
    """Where no order of what came before explains a later answer, it is a failure."""
    first = racing.Diary.note("a").timed(LATE)
    steps = [first, racing.Diary.note("b").timed(Timing(DURING)), racing.Diary.read()]
    target = Runs(load_target("tests.toys.racing:LosingDiaries"), Recorder(None))
    said = Header("diary", "tests.toys.racing:LosingDiaries", overlap=True)
    failure = replay(target, said, list(enumerate(steps, 1)))
    assert failure is not None
    assert failure.step.number == 3


def test_a_race_that_is_known_does_not_hide_another() -> None:
    """Once two who enter at once are avoided, lines that are lost at once are found."""
    explorer = Explorer(AtOnce, runs(racing.Both), header(racing.Both, steps_max=30))
    explorer.go_round("continuity-enter", [(1, ENTER.timed(LATE)), (2, ENTER)])
    met = [b.failure.signature for b in islice(explorer.batches(), 60) if b.failure]
    assert [each.kind for each in met].count("enter") < len(met) / 3
    assert "write" in [each.kind for each in met]


def test_an_order_that_shows_later_and_is_not_found_in_time_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be decided is told as no failure, though the first order does not fit."""
    first, second = racing.Diary.note("a").timed(LATE), racing.Diary.note("b").timed(Timing(DURING))
    target = Runs(load_target("tests.toys.racing:Diaries"), Recorder(None))
    said = Header("diary", "tests.toys.racing:Diaries", overlap=True)
    with target.begin(said) as run:
        run.step(1, first)
        run.step(2, second)
        run.finish()
        monkeypatch.setattr("threadline.lockstep.order.VISITS_MAX", 1)
        run.step(3, racing.Diary.read())
        run.finish()
        assert run.undecided == 1


def test_every_run_of_a_seed_is_the_same() -> None:
    def texts(seed: int) -> list[str]:
        batches = explored(racing.Checking, AtOnce, 40, seed)
        return [b.header.tactic + digest(b.failure.steps if b.failure else ()) for b in batches]

    assert texts(3) == texts(3)
    assert texts(3) != texts(4)


def test_a_failure_is_the_same_each_time() -> None:
    found = first(racing.WritingBack, AtOnce)
    assert found.failure is not None
    again = [
        replay(runs(racing.WritingBack), found.header, found.failure.operations) for _ in range(20)
    ]
    assert {digest(each.steps) for each in again if each} == {digest(found.failure.steps)}
    assert all(again)


def test_a_trace_keeps_timings() -> None:
    said = Timing(WITH, ((1, 2), (3, -1)), 2)
    trace = Trace(header(RightDriver), ((1, ENTER.timed(said)), (2, WRITE)))
    read, _ = parse("a trace", trace.encoded().split(b"\n"), Desks.kinds())
    assert read.header.overlap
    assert [operation.timing for _, operation in read.operations] == [said, CALM]


def test_a_trace_without_overlap_is_as_it_was() -> None:
    trace = Trace(Header("desks", "racing"), ((1, ENTER),))
    assert b"overlap" not in trace.encoded()
    assert trace.encoded().endswith(b'{"step": 1, "operation": "enter", "user": "ana"}\n')


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('"soon"', "is no timing"),
        ('{"later": 1}', "is no timing"),
        ('{"begins": "soon"}', "write alone, during, with"),
        ('{"delays": 3}', "the delays are 3"),
        ('{"delays": {"x": 1}}', "no I/O has the number"),
        ('{"delays": {"0": 1}}', "no I/O has the number"),
        ('{"delays": {"1": 0}}', "write a whole number from 1"),
        ('{"delays": {"1": 10000}}', "write a whole number from 1"),
        ('{"delays": {"1": true}}', "write a whole number from 1"),
        ('{"cancelled_at": -1001}', "write the number of an I/O"),
        ('{"cancelled_at": true}', "write the number of an I/O"),
    ],
)
def test_a_timing_that_is_none_is_told(said: str, why: str) -> None:
    line = f'{{"step": 1, "operation": "enter", "user": "ana", "@timing": {said}}}'
    lines = [header(RightDriver).line(), line.encode(), b""]
    with pytest.raises(BadTrace, match=why):
        parse("a trace", lines, Desks.kinds())


def test_simpler_timings_say_less_and_are_not_the_same() -> None:
    said = Timing(WITH, ((1, 3), (2, -2)), 1)
    simpler = list(said.simpler())
    assert simpler[0] == CALM
    assert said not in simpler
    assert all(timing_from_json(each.as_json()) == each for each in simpler)
    assert list(CALM.simpler()) == []


def test_a_late_answer_becomes_a_late_statement() -> None:
    assert Timing(delays=((1, 1),)) in list(Timing(delays=((1, -1),)).simpler())


def test_the_minimiser_takes_what_no_failure_needs() -> None:
    busy = Timing(DURING, ((1, 3), (2, 2)))
    noise: Sequence[Operation] = [
        Desks.write("ben", "yo").timed(Timing(WITH, ((1, 1),))),
        ENTER.timed(busy),
        Desks.write("ben", "hi").timed(Timing(DURING, ((2, -3),))),
        ENTER.timed(Timing(DURING, ((1, 1),))),
    ]
    trace = Trace(header(racing.Checking), tuple(enumerate(noise, 1)))
    failure = replay(runs(racing.Checking), trace.header, trace.operations)
    assert failure is not None
    least = minimise(trace, failure.signature, runs(racing.Checking), AtOnce)
    assert [each for _, each in least.trace.operations] == [ENTER, ENTER]
    assert sum(each.timing.entries for _, each in least.trace.operations) <= 2


def test_a_failure_that_needs_no_overlap_is_told_without_it() -> None:
    found = first(racing.Forgetting, AtOnce)
    assert found.failure is not None
    told = alone(runs(racing.Forgetting), found)
    assert told.failure is not None
    assert not told.header.overlap
    assert all(operation.timing is CALM for _, operation in told.failure.operations)
    assert not isinstance(told.failure, OverlapFailure)


def test_a_failure_that_needs_overlap_is_left_as_it_is() -> None:
    found = first(racing.Checking, AtOnce)
    assert alone(runs(racing.Checking), found) is found


def test_too_many_orders_are_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be decided is no failure, and the run says so."""
    monkeypatch.setattr("threadline.lockstep.order.VISITS_MAX", 1)
    target = runs(racing.Checking)
    with target.begin(header(racing.Checking)) as run:
        assert isinstance(run, Overlap)
        run.step(1, ENTER.timed(LATE))
        run.step(2, ENTER.timed(Timing(DURING)))
        run.finish()
        assert run.undecided == 1
