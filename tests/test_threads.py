"""Tests of operations in threads: races are found, shrunk and replayed, and no false alarm."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading
from itertools import islice
from typing import Any

import pytest
from threadline import Driver, Scenario, rule
from threadline.driver import DriverError
from threadline.failure import Failure, Property
from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep import locks
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Batch, Runs, replay
from threadline.minimise.fixpoint import minimise
from threadline.operation import Operation
from threadline.overlapping import OverlapFailure
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.timing import DURING, WITH, Timing
from threadline.trace import Header, Recorder

from tests.doc_pages import page
from tests.project import ROOT
from tests.toys import unlocked, waiting
from tests.toys.unlocked import AtOnce, Counts

ADD, TOTAL, DESK = Counts.add("a"), Counts.total(), Counts.desk("a")
RACES = [
    (unlocked.Losing, "continuity-add"),
    (unlocked.Inserting, "continuity-desk"),
    (unlocked.Iterating, "continuity-total.RuntimeError"),
    (unlocked.Crossing, "liveness-total.hung"),
    (unlocked.Publishing, "continuity-desk"),
]
QUICK = {unlocked.Losing, unlocked.Crossing}  # to be made short
RIGHT = [
    unlocked.StoreDriver,
    unlocked.Ordering,
    unlocked.Filling,
    unlocked.Queueing,
    waiting.Resetting,
]


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(load_target(f"{driver.__module__}:{driver.__name__}"), Recorder(None))


def header(driver: type[Driver[Any]], **more: Any) -> Header:
    return Header("counts", f"{driver.__module__}:{driver.__name__}", overlap=True, **more)


def play(driver: type[Driver[Any]], *operations: Operation) -> Failure | None:
    return replay(runs(driver), header(driver), list(enumerate(operations, 1)))


def explored(driver: type[Driver[Any]], most: int, seed: int = 0) -> list[Batch]:
    explorer = Explorer(AtOnce, runs(driver), header(driver, steps_max=30, seed=seed))
    return list(islice(explorer.batches(), most))


def first(driver: type[Driver[Any]]) -> Batch:
    explorer = Explorer(AtOnce, runs(driver), header(driver, steps_max=30))
    return next(batch for batch in islice(explorer.batches(), 300) if batch.failure)


def parked(operation: Operation, line: int, ticks: int = 2) -> Operation:
    return operation.timed(Timing(delays=((line, ticks),)))


def during(operation: Operation) -> Operation:
    return operation.timed(Timing(DURING))


def operations_under_way() -> list[str]:
    """Return the names of threads that were made for operations, and have not ended."""
    return [each.name for each in threading.enumerate() if "operation" in each.name]


@pytest.mark.parametrize(
    ("driver", "signature"),
    [pytest.param(*race, marks=[] if race[0] in QUICK else [pytest.mark.slow]) for race in RACES],
)
def test_a_race_is_found_and_made_short(driver: type[Driver[Any]], signature: str) -> None:
    """
    Each store that is not safe fails within 300 runs of seed 0, in at most 4 operations of which
    at most 3 things are said; and then 50 times alike.
    """
    found = first(driver)
    assert found.failure is not None
    least = minimise(found.trace(), found.failure.signature, runs(driver), AtOnce)
    operations = [operation for _, operation in least.trace.operations]

    assert str(found.failure.signature) == signature
    assert len(operations) <= 4
    assert sum(operation.timing.entries for operation in operations) <= 3

    again = [replay(runs(driver), found.header, least.trace.operations) for _ in range(50)]

    assert least.failure is not None
    assert {digest(each.steps) if each else "" for each in again} == {digest(least.failure.steps)}


@pytest.mark.parametrize("driver", [unlocked.StoreDriver])
def test_a_store_that_is_safe_gives_no_alarm(driver: type[Driver[Any]]) -> None:
    """
    The same stores with locks, and one with a condition, agree for 50 runs.
    """
    assert [batch for batch in explored(driver, 50) if batch.failure] == []


@pytest.mark.slow
@pytest.mark.parametrize("driver", RIGHT)
def test_a_store_that_is_safe_gives_no_alarm_for_long(driver: type[Driver[Any]]) -> None:
    """
    With another seed they agree for 2,000 runs.
    """
    assert [batch for batch in explored(driver, 2_000, seed=1) if batch.failure] == []


def test_hypothesis_finds_it_too() -> None:
    """
    Lines are drawn and shrunk by Hypothesis as well.
    """
    chunks = Chunks(AtOnce, runs(unlocked.Losing), header(unlocked.Losing, steps_max=30))

    assert any(batch.failure for batch in chunks.batches(1, 1_000))


class AddsAlone(Scenario[Counts], bare=True):
    """Threads that add to one number."""

    overlap = True
    add = rule(Counts.add, key="a")


class DesksAlone(Scenario[Counts], bare=True):
    """Threads that ask for one desk."""

    overlap = True
    desk = rule(Counts.desk, key="a")


@pytest.mark.parametrize(
    ("driver", "scenario"),
    [
        (unlocked.Losing, AddsAlone),
        (unlocked.Inserting, DesksAlone),
        (unlocked.Publishing, DesksAlone),
    ],
)
def test_an_exhaustive_search_finds_it_in_two_operations(
    driver: type[Driver[Any]], scenario: type[Scenario[Any]]
) -> None:
    """
    Every line of two operations is tried, alone and with another.
    """
    exhaust = Exhaust(scenario, runs(driver), header(driver, steps_max=2))
    found = next(batch for batch in exhaust.batches() if batch.failure)

    assert isinstance(found.failure, OverlapFailure)


@pytest.mark.slow
def test_an_exhaustive_search_of_a_safe_store_finds_nothing() -> None:
    """
    No schedule of two operations with up to two delays is wrong where there is a lock.
    """
    exhaust = Exhaust(
        AddsAlone, runs(unlocked.StoreDriver), header(unlocked.StoreDriver, steps_max=2)
    )
    batches = list(exhaust.batches())

    assert [batch for batch in batches if batch.failure] == []
    assert len(batches) == 403  # one after another; two ways to begin, with 201 delays or pairs


def test_nothing_is_found_of_a_race_where_operations_do_not_overlap() -> None:
    """
    Without overlap no thread is made, and our locks are as real ones.
    """
    explorer = Explorer(AtOnce, runs(unlocked.Losing), Header("counts", "", steps_max=30))

    assert [batch for batch in islice(explorer.batches(), 100) if batch.failure] == []


def test_a_failure_tells_the_line_at_which_a_thread_waited() -> None:
    """
    Its lane has the line of the source, and when the other one ran, as its page shows it.
    """
    failure = play(unlocked.Losing, parked(ADD, 2), during(ADD))
    shown = page("docs/overlap.md").block("continuity: add(")

    assert failure is not None
    assert re.sub(r"line \d+", "line", shown) in re.sub(
        r"line \d+", "line", "\n".join(failure.lines())
    )


def test_a_deadlock_is_a_failure_of_liveness_and_tells_where_each_waits() -> None:
    """
    Both threads are named, each with its line, and the run after it is as good as any.
    """
    target = runs(unlocked.Crossing)
    trace = list(enumerate((parked(ADD, 2), during(TOTAL)), 1))
    failure = replay(target, header(unlocked.Crossing), trace)

    assert failure is not None
    assert failure.signature.property is Property.LIVENESS
    text = "\n".join(failure.lines())
    assert "LocksCrosswise.add line" in text
    assert "LocksCrosswise.total line" in text
    assert operations_under_way() == []
    assert replay(target, header(unlocked.Crossing), [(1, ADD), (2, TOTAL)]) is None


def test_who_waits_for_a_lock_has_it_when_it_is_free() -> None:
    """
    An operation that is parked with the lock keeps out another, which begins with it.
    """
    assert play(unlocked.StoreDriver, parked(ADD, 3), ADD.timed(Timing(WITH)), TOTAL) is None


def test_a_timeout_is_over_when_nothing_else_goes_on() -> None:
    """
    Who waits for a condition with a timeout goes on without it, in no time.
    """
    assert play(waiting.Waiting, TOTAL) is None


def test_what_a_system_does_in_threads_of_its_own_is_switched_too() -> None:
    """
    A race between two threads that one operation has started is found at one of its lines.
    """
    failures = [play(waiting.Spreading, ADD, parked(ADD, line, 1)) for line in range(1, 30)]

    assert {str(each.signature) for each in failures if each} == {"memory-add.numbers"}


def test_threads_of_an_executor_take_turns() -> None:
    """
    A pool of threads that the system has made is one of the run, and goes on to its end.
    """
    assert [play(waiting.Pooling, parked(ADD, line), during(ADD)) for line in range(1, 30)] == (
        [None] * 29
    )


def test_what_ends_a_thread_of_the_system_is_a_failure() -> None:
    """
    An exception that nobody would see is what the operation comes to.
    """
    failure = play(waiting.Dying, ADD)

    assert failure is not None
    assert "error in a thread: ValueError: gone" in "\n".join(failure.lines())


def test_a_loop_without_an_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It is ended by the number of its lines, and told with the one it is in.
    """
    monkeypatch.setattr("threadline.lockstep.threads.LINES_MAX", 5_000)
    failure = play(waiting.Spinning, TOTAL)

    assert failure is not None
    text = "\n".join(failure.lines())
    assert "did not come back within 5,000 lines, waiting in Spins.total" in text


def test_a_loop_that_waits_for_another_thread_has_an_end() -> None:
    """
    After a thousand lines others go on, so that what it waits for can happen.
    """
    assert play(waiting.Spinning, parked(ADD, 2), during(TOTAL)) is None


def test_a_lock_that_is_no_lock_of_ours_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A thread that does not come back is a failure that says what to do, and the run ends.
    """
    monkeypatch.setattr(locks, "HANG_S", 0.2)
    failure = play(waiting.Holding, parked(ADD, 4), during(ADD))

    assert failure is not None
    assert failure.signature.property is Property.LIVENESS
    text = " ".join("\n".join(failure.lines()).split())
    assert "make locks when the driver is made: nobody gives back one that was made" in text


def test_locks_of_a_module_a_class_and_a_dataclass_are_ours() -> None:
    """
    Wherever a system's modules have a lock, or what makes one, others go on while it is held.
    """
    assert play(waiting.Standing, parked(ADD, 3), during(ADD)) is None
    assert play(waiting.Standing, parked(DESK, 2), during(DESK)) is None
    assert play(waiting.Standing, parked(TOTAL, 2), during(TOTAL)) is None


def points(driver: type[Driver[Any]], operation: Operation) -> int:
    """Return how many lines of an operation count."""
    with runs(driver).begin(header(driver)) as run:
        run.step(1, operation)
        run.finish()
        assert isinstance(run, Overlap)
        return run.points[operation.kind]


def test_lines_of_the_driver_do_not_count() -> None:
    """
    A driver decides nothing, and is no part of the system.
    """
    assert points(unlocked.StoreDriver, ADD) == 5
    assert points(waiting.Resetting, ADD) == 5


def test_no_thread_is_switched_while_it_logs() -> None:
    """
    What is printed for a log does not count, as `logging` holds a lock of its own meanwhile.
    """
    assert points(waiting.Logged, ADD) == 7
    assert [play(waiting.Logged, parked(ADD, line), during(ADD)) for line in range(1, 8)] == (
        [None] * 7
    )


def test_no_thread_is_switched_while_it_imports() -> None:
    """
    Lines of a module that is loaded do not count, as they run once, and hold a lock.
    """
    assert points(waiting.Logged, TOTAL) == 9


def test_the_collector_switches_nothing() -> None:
    """
    Whatever is freed, by the collector too, an operation has as many lines as ever.
    """
    usual, kept = points(waiting.Logged, DESK), gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert {points(waiting.Logged, DESK) for _ in range(10)} == {usual}
    finally:
        gc.set_threshold(*kept)


def test_a_deadlock_is_shown_in_the_lanes() -> None:
    """
    Who waits for ever for a lock is shown to wait.
    """
    failure = play(unlocked.Crossing, parked(ADD, 2), during(TOTAL))

    assert failure is not None
    text = "\n".join(failure.lines())
    assert "1  ..#  add(key='a')" in text
    assert "2   .#  total()" in text


def test_nothing_of_ours_stays_in_the_process() -> None:
    """
    After a run the names of `threading` and of the system's modules are as they were.
    """
    play(waiting.Standing, parked(ADD, 3), during(ADD))

    assert vars(waiting)["Lock"] is locks.REAL_LOCK
    assert isinstance(waiting.MODULE_LOCK, type(locks.REAL_LOCK()))
    assert threading.Lock is locks.REAL_LOCK
    assert threading.Thread.start is locks.REAL_START
    assert operations_under_way() == []


@pytest.mark.parametrize(
    ("driver", "why"),
    [
        (waiting.Misnaming, r"threaded is 'unlocked'; write True, or the packages"),
        (waiting.Awaiting, "Awaiting.add is async, and threads call what is not"),
        (waiting.Starting, "has started sweeper when it was made"),
    ],
)
def test_a_driver_that_cannot_be_threaded_is_told(driver: type[Driver[Any]], why: str) -> None:
    """
    What is declared wrong, async or started too early is an error of the driver.
    """
    with pytest.raises(DriverError, match=why):
        play(driver, ADD)


def test_packages_can_be_named() -> None:
    """
    Only lines of what is named count: of another package, none does.
    """
    assert play(waiting.Named, parked(ADD, 2), during(ADD)) is not None
    assert play(waiting.NamedElse, parked(ADD, 2), during(ADD)) is None


@pytest.mark.slow
def test_a_run_is_the_same_under_any_hash_seed() -> None:
    """
    What is drawn and found does not depend on where Python puts what.
    """
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.test_threads import digest, explored, unlocked\n"
        "batches = explored(unlocked.Inserting, 40)\n"
        "print([b.header.tactic + digest(b.failure.steps if b.failure else ()) for b in batches])"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(texts) == 1
