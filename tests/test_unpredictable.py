"""Tests of steps of which nobody can say what is right: no engine plays them, nor goes by them."""

from __future__ import annotations

from itertools import islice
from typing import Any, ClassVar

import pytest
from threadline import Driver, Model, Operation, Scenario, Unpredictable, operation, rule
from threadline.campaign.isolate import last_step_failure
from threadline.failure import Property, Signature
from threadline.loading import Target
from threadline.lockstep.run import Runs, Skipped, play, replay
from threadline.minimise.fixpoint import minimise
from threadline.outcome import Crashed
from threadline.search import explore
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.search.machine import Chunks
from threadline.trace import Header, Numbered, Recorder, Trace


class Race(Model):
    """Runners, of whom nobody can say who is first once two have started."""

    def __init__(self) -> None:
        self.started = 0

    @operation
    def run(self) -> int:
        """Another one starts; how many have."""
        self.started += 1
        return self.started

    @operation
    def first(self) -> int:
        """Who is first?"""
        if self.started > 1:
            raise Unpredictable("two have started")
        return self.started

    @operation
    def end(self) -> None:
        """All are back."""
        self.started = 0


class Runners(Driver[Race]):
    """Says who has started last, where nobody can say what is right, and keeps what was asked."""

    asked: ClassVar[list[list[str]]] = []

    def __init__(self) -> None:
        self.asked.append([])
        self._started = 0

    def run(self) -> int:
        self.asked[-1].append("run")
        self._started += 1
        return self._started

    def first(self) -> int:
        self.asked[-1].append("first" if self._started < 2 else "first of many")
        return self._started

    def end(self) -> None:
        self.asked[-1].append("end")
        self._started = 0


class Tired(Runners):
    """Counts to three only."""

    def run(self) -> int:
        return min(3, super().run())


class Running(Scenario[Race]):
    """All that can be done in a race."""


@pytest.fixture
def asked() -> list[list[str]]:
    """What each system is asked from now on."""
    Runners.asked.clear()
    return Runners.asked


def runs(driver: type[Driver[Any]] = Runners) -> Runs:
    return Runs(Target("race", driver, driver), Recorder(None))


def header(steps: int = 10) -> Header:
    return Header("race", "race", steps_max=steps)


def numbered(*operations: Operation) -> tuple[Numbered, ...]:
    return tuple(enumerate(operations, 1))


def asked_in_vain(asked: list[list[str]]) -> list[list[str]]:
    """Return what was asked of systems that were asked what nobody can judge."""
    return [log for log in asked if "first of many" in log]


@pytest.mark.parametrize("search_policy", ["uniform", "novelty", "least-used"])
def test_explore_plays_what_can_be_judged(
    monkeypatch: pytest.MonkeyPatch, asked: list[list[str]], search_policy: str
) -> None:
    """The system is not asked, the step has no number, and the run goes on."""
    monkeypatch.setattr(explore, "SHARES", {search_policy: 1})
    batches = list(islice(Explorer(Running, runs(), header()).batches(), 100))

    assert [batch.failure for batch in batches if batch.failure] == []
    assert asked_in_vain(asked) == []
    assert max(batch.steps for batch in batches) > 4


def test_hypothesis_plays_what_can_be_judged(asked: list[list[str]]) -> None:
    """The derived machine passes over such a step, as over a rule that is not enabled."""
    batches = list(Chunks(Running, runs(), header()).batches(runs_max=50))

    assert [batch.failure for batch in batches if batch.failure] == []
    assert asked_in_vain(asked) == []


def test_exhaust_plays_what_can_be_judged(asked: list[list[str]]) -> None:
    """A sequence ends before such a step, and nothing that begins so is played."""
    batches = list(Exhaust(Running, runs(), header(steps=3)).batches())

    assert [batch.failure for batch in batches if batch.failure] == []
    assert len(batches) == 27
    assert asked.count(["run", "run"]) == 1


def test_exhaust_estimates_what_can_be_judged() -> None:
    """A probe that comes to such a step ends there."""
    assert 14 <= Exhaust(Running, runs(), header(steps=3)).estimate() <= 54


def test_a_replay_skips_the_step(asked: list[list[str]]) -> None:
    """It says why, and goes on with the next."""
    steps = numbered(Race.run(), Race.run(), Race.first(), Race.end(), Race.first())
    with runs().open(b"", {}) as lockstep:
        skipped = [each for each in play(lockstep, steps) if isinstance(each, Skipped)]

    assert [(each.number, str(each.because)) for each in skipped] == [(3, "two have started")]
    assert asked == [["run", "run", "end", "first"]]


def test_a_minimal_trace_has_no_such_step() -> None:
    """
    What was not played is not needed, and what would not be played is tried in nobody's place.
    """
    steps = numbered(Race.run(), Race.run(), Race.first(), Race.run(), Race.first(), Race.run())
    signature = Signature(Property.CONTINUITY, "run")
    assert replay(runs(Tired), header(), steps) is not None

    least = minimise(Trace(header(), steps), signature, runs(Tired), Running)

    assert [str(asked) for _, asked in least.trace.operations] == ["run()"] * 4


def test_a_step_that_ended_its_process_is_told_without_them() -> None:
    """What a process has left behind holds such steps too, and its history does not."""
    steps = numbered(Race.run(), Race.run(), Race.first(), Race.end())
    failure = last_step_failure(Trace(header(), steps), runs().target, Crashed("it ended"))

    assert [step.number for step in failure.steps] == [1, 2, 4]


class Numbers(Model):
    """A model that breaks where a scenario would never lead it."""

    def __init__(self) -> None:
        self.parts: list[int] = []

    @operation(number=1)
    def add(self, number: int) -> None:
        """A number is added."""
        self.parts.append(number)

    @operation(when=lambda now: now.model.parts)
    def mean(self) -> float:
        """The mean of all numbers."""
        return sum(self.parts) / len(self.parts)


class Half(Driver[Numbers]):
    """Adds, and knows no mean of two numbers or more."""

    def __init__(self) -> None:
        self._added = 0

    def add(self, number: int) -> None:
        self._added += 1

    def mean(self) -> float:
        return 1.0 if self._added < 2 else 0.5


class Counting(Scenario[Numbers]):
    """Numbers are added, and their mean is asked for."""

    add = rule(Numbers.add)


def test_no_trace_at_which_the_model_breaks_is_shorter() -> None:
    """A candidate that no rule would have drawn is none, though the model raises at it."""
    steps = numbered(Numbers.add(1), Numbers.add(1), Numbers.mean())
    signature = Signature(Property.CONTINUITY, "mean")

    least = minimise(Trace(header(), steps), signature, runs(Half), Counting)

    assert [str(asked) for _, asked in least.trace.operations] == [
        "add(number=1)",
        "add(number=1)",
        "mean()",
    ]
