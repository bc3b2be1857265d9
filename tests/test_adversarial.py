"""Tests of adversarial runs: tasks go on late where a trace says so; it is told who does so."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from threadline import Driver, Scenario
from threadline.campaign import by_timing as campaign_by_timing
from threadline.campaign.by_timing import NOT_TRIED, REACHABLE, by_timing
from threadline.campaign.chance import Least, least_of
from threadline.failure import Divergence, Failure, Property, Signature
from threadline.history import digest
from threadline.json_lines import BadTrace
from threadline.loading import load_target
from threadline.lockstep.run import Batch, Runs, replay
from threadline.operation import Operation
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.search.timings import RESUMES_MOST, Timings
from threadline.timing import CALM, DURING, WITH, Timing, timing_from_json
from threadline.trace import Header, Recorder, Trace, parse, read

from tests.project import run
from tests.toys import racing
from tests.toys.racing import AtOnce, Desks, Leaving, RightDriver

WRITE, AGAIN = Desks.write("ana", "yo"), Desks.write("ana", "hi")
LATE = Timing(resumes=((2, 2),))
RACE = (WRITE.timed(LATE), AGAIN.timed(Timing(DURING)))


def runs(driver: type[Driver[Any]]) -> Runs:
    return Runs(load_target(f"{driver.__module__}:{driver.__name__}"), Recorder(None))


def header(driver: type[Driver[Any]], **more: Any) -> Header:
    name = f"{driver.__module__}:{driver.__name__}"
    return Header("desks", name, **{"overlap": True, "adversarial": True, "steps_max": 30, **more})


def play(driver: type[Driver[Any]], *operations: Operation, **more: Any) -> Failure | None:
    return replay(runs(driver), header(driver, **more), list(enumerate(operations, 1)))


def explored(
    driver: type[Driver[Any]], scenario: type[Scenario[Any]], most: int, **more: Any
) -> list[Batch]:
    explorer = Explorer(scenario, runs(driver), header(driver, **more))
    return list(islice(explorer.batches(), most))


def told(batch: Batch, driver: type[Driver[Any]]) -> Least:
    """Return a failure as a campaign tells it."""
    assert batch.failure is not None
    least = least_of(batch.trace(), batch.failure, runs(driver), AtOnce)
    return by_timing(batch.trace(), least, runs(driver), AtOnce)


def first(driver: type[Driver[Any]]) -> Batch:
    return next(batch for batch in explored(driver, AtOnce, 300) if batch.failure)


@pytest.mark.parametrize("scenario", [AtOnce, Leaving])
def test_what_is_right_in_any_order_gives_no_alarm(scenario: type[Scenario[Any]]) -> None:
    """However late its tasks go on, each operation takes effect at one moment."""
    assert [b for b in explored(RightDriver, scenario, 300) if b.failure] == []


def test_asyncio_never_shows_what_needs_another_scheduler() -> None:
    """Neither in runs that are drawn, nor in any schedule of two operations with two delays."""
    sound: dict[str, Any] = {"adversarial": False}
    exhaust = Exhaust(AtOnce, runs(racing.Giving), header(racing.Giving, **sound, steps_max=2))

    assert [b for b in explored(racing.Giving, AtOnce, 300, **sound) if b.failure] == []
    assert [b for b in exhaust.batches() if b.failure] == []


def test_what_needs_another_scheduler_is_found_and_told_so() -> None:
    """It is made short like any other: two operations, of which a task of one goes on late."""
    least = told(first(racing.Giving), racing.Giving)
    operations = [operation for _, operation in least.trace.operations]

    assert least.notes[-1].startswith("needs another scheduler: 1,")
    assert least.trace.header.adversarial
    assert [operation.kind for operation in operations] == ["write", "write"]
    assert sum(operation.timing.entries for operation in operations) <= 3
    assert sum(len(operation.timing.resumes) for operation in operations) == 1


def test_hypothesis_finds_it_too() -> None:
    chunks = Chunks(AtOnce, runs(racing.Giving), header(racing.Giving))
    found = next(batch for batch in chunks.batches(1, 1_000) if batch.failure)
    assert found.failure is not None
    assert any(operation.timing.resumes for _, operation in found.failure.operations)


@pytest.mark.parametrize("driver", [racing.Yielding, racing.Checking, racing.WritingBack])
def test_a_race_is_told_as_reachable_by_timing(driver: type[Driver[Any]]) -> None:
    """What is told is a trace that any run can play, without a task that goes on late."""
    least = told(first(driver), driver)

    assert least.notes[-1] == REACHABLE
    assert not least.trace.header.adversarial
    assert [each for _, each in least.trace.operations if each.timing.resumes] == []
    again = replay(runs(driver), least.trace.header, least.trace.operations)
    assert again is not None
    assert again.signature == least.failure.signature


def test_a_race_that_is_made_short_with_a_late_task_is_timed_anew() -> None:
    """Where leaving out what is late does not help, other timings are tried."""
    late = Desks.enter("ana").timed(LATE)
    trace = Trace(
        header(racing.Yielding), ((1, late), (2, Desks.enter("ana").timed(Timing(DURING))))
    )
    failure = replay(runs(racing.Yielding), trace.header, trace.operations)
    least = Least(trace, failure, 1)  # type: ignore[arg-type]  # it fails

    assert play(racing.Yielding, *[each for _, each in trace.operations], adversarial=False) is None
    found = by_timing(trace, least, runs(racing.Yielding), AtOnce)
    assert found.notes == (REACHABLE,)
    assert found.replays > 1


def test_operations_that_fail_otherwise_by_timing_are_told_so() -> None:
    """The bug may show under another name: nobody is sent to another scheduler then."""
    trace = Trace(header(racing.Yielding), tuple(enumerate(RACE, 1)))
    trace = replace(
        trace, operations=((1, Desks.enter("ana").timed(LATE)), (2, Desks.enter("ana")))
    )
    failure = play(racing.Giving, *RACE)
    assert failure is not None
    other = replace(failure, signature=Signature(Property.MEMORY, "enter"))
    found = by_timing(trace, Least(trace, other, 1), runs(racing.Yielding), AtOnce)

    assert found.trace is trace
    assert found.notes[0].startswith("reachable by timing, as continuity-enter: ")


def test_nothing_is_said_where_the_time_is_over() -> None:
    trace = Trace(header(racing.Giving), tuple(enumerate(RACE, 1)))
    failure = play(racing.Giving, *RACE)
    least = Least(trace, failure, 1)  # type: ignore[arg-type]  # it fails

    assert by_timing(trace, least, runs(racing.Giving), AtOnce, lambda: True).notes == (NOT_TRIED,)


def test_what_fails_by_chance_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_by_timing, "replay", None)
    trace = Trace(header(racing.Giving), tuple(enumerate(RACE, 1)))
    failure = play(racing.Giving, *RACE)
    least = Least(trace, failure, 1, "by chance")  # type: ignore[arg-type]  # it fails

    assert by_timing(trace, least, runs(racing.Giving), AtOnce) is least


def test_a_trace_is_played_alike_each_time() -> None:
    failures = [play(racing.Giving, *RACE) for _ in range(20)]
    assert len({digest(each.steps) for each in failures if each}) == 1
    assert None not in failures


def test_only_an_adversarial_run_looks_at_late_tasks() -> None:
    """The header says which run it is: without it, tasks go on in asyncio's order."""
    assert play(racing.Giving, *RACE, adversarial=False) is None


def test_the_first_time_is_not_the_second() -> None:
    """A task is ready when it begins, and again after each wait."""
    early = WRITE.timed(Timing(resumes=((1, 2),)))
    assert play(racing.Giving, early, AGAIN.timed(Timing(DURING))) is None


def test_a_trace_keeps_late_tasks() -> None:
    said = Timing(WITH, ((1, 2),), 2, ((1, 3), (4, 1)))
    trace = Trace(header(RightDriver), ((1, WRITE.timed(said)), (2, AGAIN)))
    read_again, _ = parse("a trace", trace.encoded().split(b"\n"), Desks.kinds())

    assert read_again.header.adversarial
    assert [operation.timing for _, operation in read_again.operations] == [said, CALM]
    assert b"adversarial" not in replace(trace.header, adversarial=False).line()
    assert b"resumes" not in Trace(trace.header, ((1, AGAIN.timed(Timing(DURING))),)).encoded()


@pytest.mark.parametrize(
    ("said", "why"),
    [('{"resumes": {"1": -1}}', "has no answer"), ('{"resumes": 3}', "the resumes are 3")],
)
def test_a_late_task_that_is_none_is_told(said: str, why: str) -> None:
    line = f'{{"step": 1, "operation": "enter", "user": "ana", "@timing": {said}}}'
    with pytest.raises(BadTrace, match=why):
        parse("a trace", [header(RightDriver).line(), line.encode(), b""], Desks.kinds())


def test_simpler_timings_leave_late_tasks_out_first() -> None:
    said = Timing(WITH, ((1, 1),), 0, ((1, 3), (2, 1)))
    simpler = list(said.simpler())

    assert simpler[:2] == [CALM, Timing(WITH, ((1, 1),))]
    assert Timing(WITH, ((1, 1),), 0, ((2, 1),)) in simpler
    assert Timing(WITH, ((1, 1),), 0, ((1, 1), (2, 1))) in simpler
    assert all(timing_from_json(each.as_json()) == each for each in simpler)


def drawn(**more: Any) -> list[Timing]:
    made = (Timings(Random(seed), {}, cancels=False, **more) for seed in range(200))
    return [timings.draw(WRITE).timing for timings in made for _ in range(20)]


def test_late_tasks_are_drawn_in_adversarial_runs_alone() -> None:
    """Whatever else is drawn is the same."""
    assert [each for each in drawn() if each.resumes] == []
    times = [time for each in drawn(resumptions={"write": 90}) for time, _ in each.resumes]
    assert (min(times), max(times)) == (1, RESUMES_MOST)
    unseen = [time for each in drawn(resumptions={}) for time, _ in each.resumes]
    assert max(unseen) == 2


class Looking(racing.RightDesks):
    """Takes a desk in a task of its own, which looks at a list that the operation then changes."""

    async def enter(self, user: str) -> str:
        taking = asyncio.ensure_future(self._take(user))
        await self.io()
        return await taking

    async def _take(self, user: str) -> str:
        is_free = user not in self.desks
        await asyncio.sleep(0)
        if is_free:
            self.count += 1
            self.desks[user] = f"desk {self.count}"
        return self.desks[user]


class Tasks(RightDriver):
    """Reaches Looking."""

    kind = Looking


def test_a_task_belongs_to_the_operation_that_has_begun_it() -> None:
    """Its begin is the second time that one of the operation is ready; it goes on the third."""
    enters = [Desks.enter("ana").timed(Timing(resumes=((n, 2),))) for n in range(1, 5)]
    other = Desks.enter("ana").timed(Timing(DURING))

    assert [play(Tasks, enter, other) is not None for enter in enters] == [False] * 2 + [
        True,
        False,
    ]


def test_a_run_that_is_cut_leaves_no_task_behind() -> None:
    """Those that were to go on later go on when the system is closed, and are cancelled."""
    late = Desks.enter("ben").timed(Timing(resumes=((2, 900),)))
    with runs(Tasks).begin(header(Tasks)) as lockstep:
        pump = lockstep.driver.pump
        lockstep.step(1, late)
        with suppress(Divergence):
            lockstep.step(2, WRITE.timed(Timing(DURING)))
        left = pump.tasks()
        lockstep.has_diverged = True
        lockstep.finish = lambda: None  # type: ignore[method-assign]  # as where a step has raised

    assert len(left) > 1
    assert [task for task in left if not task.done()] == []


def test_the_command_tells_who_needs_another_scheduler(project: Path) -> None:
    """The note is below the failure; its trace is played again as it is."""
    words = ("--adversarial", "--runs", "100", "--seed", "1", "--workers", "1")
    result = run("fuzz", "tests.toys.racing:AtOnce", "--driver", "tests.toys.racing:Giving", *words)
    (path,) = project.glob("reports/runs/*/*.jsonl")

    assert result.exit_code == 1
    assert "note:    needs another scheduler: " in result.output
    assert "resumption 2 comes " in result.output
    assert read(path, Desks.kinds()).header.adversarial
    again = run("replay", str(path.relative_to(project)), "--driver", "tests.toys.racing:Giving")
    assert again.exit_code == 1
    assert ", adversarial), seed 1" in again.output


def test_the_exhaustive_search_is_not_adversarial(project: Path) -> None:
    words = ("--driver", "tests.toys.racing:Giving", "--adversarial", "--engine", "exhaust")
    result = run("fuzz", "tests.toys.racing:AtOnce", *words)

    assert result.exit_code == 2
    assert "use the engine explore or hypothesis" in result.output
    assert not (project / "reports").exists()
