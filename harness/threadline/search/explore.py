"""The explorer: a seeded loop over runs, each with a tactic of its own; no Hypothesis."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any

from ..failure import Divergence, Failure
from ..lockstep.lockstep import Lockstep
from ..lockstep.run import UNPLAYED, Batch, Runs
from ..operation import Operation
from ..pool import Now
from ..scenario import Scenario
from ..trace import Header
from .tactic import SHARES, Drawer, choices

STATES_MAX = 50_000
RIVALS = 8


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a way through one run; the links before it tell the rest."""

    before: Link | None
    operation: Operation
    depth: int


@dataclass(slots=True)
class Known:
    """A shape of the model's state: the shortest way to it, and how often it was seen."""

    settings: dict[str, object]
    way: Link | None
    visits: int = 0

    @property
    def depth(self) -> int:
        return self.way.depth if self.way else 0

    def operations(self) -> list[Operation]:
        """Return the operations that lead here, from the start of a run."""
        found: list[Operation] = []
        link = self.way
        while link is not None:
            found.append(link.operation)
            link = link.before
        return found[::-1]


class Explorer:
    """Plays runs of a scenario on a target; the same seed plays the same runs."""

    def __init__(self, scenario: type[Scenario[Any]], runs: Runs, header: Header) -> None:
        self._runs = runs
        self._header = header
        self._settings = runs.target.settings(scenario)
        self._drawers = [Drawer(rule) for rule in scenario.rules(runs.target.lacks)]
        self._known: dict[tuple[Hashable, ...], Known] = {}
        self._in_order: list[Known] = []

    def batches(self, first_run: int = 1) -> Iterator[Batch]:
        """Yield each run as it ends, without an end of its own."""
        for run in count(first_run):
            random = Random(f"{self._header.seed}/{run}")  # text: the same under any hash seed
            tactic = random.choices(list(SHARES), list(SHARES.values()))[0]
            yield self._run(run, tactic, random)

    def drawn(self) -> dict[str, int]:
        """Return how often the rules of each kind of operation have been drawn."""
        counts: dict[str, int] = {}
        for drawer in self._drawers:
            kind = drawer.rule.operation.kind
            counts[kind] = counts.get(kind, 0) + drawer.drawn
        return counts

    def _run(self, run: int, tactic: str, random: Random) -> Batch:
        goal = self._goal(random) if tactic == "novelty" else None
        settings = goal.settings if goal else self._draw_settings(random)
        header = replace(self._header, settings=settings, tactic=tactic, run=run)
        header = replace(header, round_trip=self._runs.is_due(header))
        try:
            with self._runs.open(header.line(), settings) as lockstep:
                steps, failure = self._outcome(lockstep, random, goal, header)
        except Divergence as divergence:  # of the system's start or its end
            failure = divergence.failure
            steps = len(failure.steps)
        if failure:
            header = replace(header, round_trip=failure.is_after_run)
        return Batch(1, steps, header, failure)

    def _outcome(
        self, lockstep: Lockstep, random: Random, goal: Known | None, header: Header
    ) -> tuple[int, Failure | None]:
        """Play one run, and return of how many steps it was, and its failure, if it has one."""
        try:
            if goal:
                self._play_novelty(lockstep, random, goal)
            else:
                self._play(lockstep, random, header.tactic)
            steps = len(lockstep.steps)  # without those that tear it down
            if header.round_trip:
                self._runs.look(lockstep, header)
        except Divergence as divergence:
            return len(divergence.failure.steps), divergence.failure
        return steps, None

    def _play(self, lockstep: Lockstep, random: Random, tactic: str) -> None:
        choose = choices(tactic, self._drawers, random)
        now, draw, step = Now(lockstep.model), random.random, lockstep.step
        uses = int(tactic == "least-used")
        for _ in range(self._header.steps_max):
            for drawer in choose():
                drawn = drawer.draw(now, draw)
                if drawn is not None:  # else the draw has cost this turn, and no step
                    drawer.used += uses
                    try:
                        step(now.step, drawn)
                    except UNPLAYED:
                        break
                    now.step += 1
                    break

    def _play_novelty(self, lockstep: Lockstep, random: Random, goal: Known) -> None:
        """Go to a state that was seldom seen, and on from there, keeping the ways to new ones."""
        choose = choices("uniform", self._drawers, random)
        now = Now(lockstep.model)
        for operation in goal.operations():
            with suppress(*UNPLAYED):
                lockstep.step(now.step, operation)
            now.step += 1
        goal.visits += 1
        way = goal.way
        for _ in range(now.step, self._header.steps_max + 1):
            (drawer,) = choose()
            drawn = drawer.draw(now, random.random)
            if drawn is not None:
                try:
                    lockstep.step(now.step, drawn)
                except UNPLAYED:
                    continue
                way = Link(way, drawn, now.step)
                now.step += 1
                self._keep(goal.settings, lockstep, way)

    def _keep(self, settings: dict[str, object], lockstep: Lockstep, way: Link) -> None:
        """Count the state that a run is in, and remember the shorter of two ways to it."""
        key = (tuple(settings.values()), lockstep.model.shape())
        known = self._known.get(key)
        if known is not None:
            known.visits += 1
            if way.depth < known.depth:
                known.way = way
        elif len(self._known) < STATES_MAX:
            self._known[key] = known = Known(settings, way)
            self._in_order.append(known)

    def _goal(self, random: Random) -> Known:
        """Return the least visited of a few known states, or the start of a run."""
        known = [state for state in self._sample(random) if state.depth < self._header.steps_max]
        if not known:
            return Known(self._draw_settings(random), None)
        return min(known, key=lambda state: (state.visits, state.depth))

    def _sample(self, random: Random) -> list[Known]:
        return random.choices(self._in_order, k=RIVALS) if self._in_order else []

    def _draw_settings(self, random: Random) -> dict[str, object]:
        now = Now(None)
        return {name: random.choice(pool.values(now)) for name, pool in self._settings.items()}
