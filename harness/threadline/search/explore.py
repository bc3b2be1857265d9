"""The explorer: a seeded loop over runs, each with a search policy of its own; no Hypothesis."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any

from ..failure import Divergence, Failure
from ..lockstep.fairness import OVERTAKEN_MAX
from ..lockstep.lockstep import Lockstep
from ..lockstep.outcomes import UNPLAYED
from ..lockstep.overlap import Overlap
from ..lockstep.run import Batch, Runs
from ..model import Model
from ..operation import Operation
from ..pool import Now
from ..scenario import Scenario
from ..trace import Header, Numbered, Trace
from .detour import CURIOUS, Detour
from .policy import SHARES, Drawer, choices
from .timings import Timings
from .unused import unused

STATES_MAX = 50_000
RIVALS = 8
COUNTS_MAX = 32  # of I/Os that operations of one kind have made, the last that were seen


@dataclass(frozen=True, slots=True)
class Way:
    """One step of a way through one run, linked to the steps before it."""

    before: Way | None
    operation: Operation
    depth: int


@dataclass(slots=True)
class State:
    """A shape of the model's state: the shortest way to it, and how often it was seen."""

    settings: dict[str, object]
    way: Way | None
    visits: int = 0

    @property
    def depth(self) -> int:
        return self.way.depth if self.way else 0

    def operations(self) -> list[Operation]:
        """Return the operations that lead here, from the start of a run."""
        found: list[Operation] = []
        way = self.way
        while way is not None:
            found.append(way.operation)
            way = way.before
        return found[::-1]


class Explorer:
    """Plays runs of a scenario on a target; the same seed plays the same runs."""

    def __init__(self, scenario: type[Scenario[Any]], runs: Runs, header: Header) -> None:
        self._runs = runs
        self._header = replace(header, identities=scenario.identities())
        self._settings = runs.target.settings(scenario)
        self._drawers = [Drawer(rule) for rule in scenario.rules(runs.target.lacks)]
        self._states: dict[tuple[Hashable, ...], State] = {}
        self._in_order: list[State] = []
        self._detours: list[Detour] = []
        self._played = 0
        self._cancels = scenario.cancels
        self._points: dict[str, int] = {}  # I/Os that operations of each kind were seen to make
        self._resumptions: dict[str, int] = {}  # and how often their tasks were ready
        self._counts: dict[str, deque[int]] = {}  # and some of those that were seen last
        self._crashes: set[str] = set()  # kinds of operations that were seen to end the process
        self._races: list[tuple[str, ...]] = []  # kinds of operations that fail beside each other
        self._timings: Timings | None = None  # of the run that is going on, where it overlaps

    def go_round(self, signature: str, operations: Sequence[Numbered]) -> None:
        """Leave out one ingredient of this failing trace in each run from now on, chosen anew each
        time.

        Of one whose operations overlap, that is the overlap of one kind of them. Raises ValueError
        for a trace without operations, of which nothing can be left out.
        """
        if not operations:
            raise ValueError(f"a run that takes no step fails so: {signature}")
        if any(operation.timing.entries for _, operation in operations):
            self._races.append(tuple(dict.fromkeys(each.kind for _, each in operations)))
            return
        made = Detour(signature, operations)
        for other in self._detours:
            if made.beginning and other.beginning == made.beginning:
                made.danger = other.danger  # one bug with two faces: what is learnt holds for both
        self._detours.append(made)

    def warm(self, trace: Trace) -> Batch:
        """Play a run of an earlier search, so that the states it reaches are known, and return it.

        It is no run of this search: it keeps its header, but for the hunt for leaks at its end.
        """
        header, way = replace(trace.header, round_trip=False), None
        settings = dict(header.settings)
        try:
            with self._runs.begin(header) as lockstep:
                for number, operation in trace.operations:
                    with suppress(*UNPLAYED):
                        lockstep.step(number, operation)
                        way = Way(way, operation, number)
                        self._keep(settings, lockstep, way)
                return Batch(1, len(lockstep.steps), header)
        except Divergence as divergence:
            return Batch(1, len(divergence.failure.steps), header, divergence.failure)

    def batches(self, first_run: int = 1) -> Iterator[Batch]:
        """Yield each run as it ends, without limit."""
        for run in count(first_run):
            random = Random(f"{self._header.seed}/{run}")  # text: the same under any hash seed
            self._played += 1
            search_policy = random.choices(list(SHARES), list(SHARES.values()))[0]
            for detour in self._detours:
                detour.begin(random)
            batch = self._run(run, search_policy, random)
            for detour in self._detours:
                if batch.failure and str(batch.failure.signature) == detour.signature:
                    detour.ended()
            yield batch

    def drawn(self) -> dict[str, int]:
        """Return how often the rules of each kind of operation have been drawn."""
        counts: dict[str, int] = {}
        for drawer in self._drawers:
            kind = drawer.rule.operation.kind
            counts[kind] = counts.get(kind, 0) + drawer.drawn
        return counts

    def unused(self) -> list[str]:
        """Return a line for each rule that has never fired, which says why not."""
        tried = {each.rule.name: replace(each.missed, fired=each.drawn) for each in self._drawers}
        return unused(tried, self._played)

    def _run(self, run: int, search_policy: str, random: Random) -> Batch:
        goal = self._goal(random) if search_policy == "novelty" else None
        settings = goal.settings if goal else self._draw_settings(random)
        header = replace(self._header, settings=settings, tactic=search_policy, run=run)
        if header.overlap:
            self._timings = self._drawn_timings(random)
            header = replace(header, tactic=f"{search_policy}, {self._timings.way}")
        else:
            header = replace(header, round_trip=self._runs.is_due(header))
        for detour in self._detours:
            detour.under(settings)
        try:
            with self._runs.open(header.line(), settings, mode=header.mode) as lockstep:
                steps, failure = self._outcome(lockstep, random, goal, header)
        except Divergence as divergence:  # of the system's start or its end
            failure = divergence.failure
            steps = len(failure.steps)
        if failure:
            header = replace(header, round_trip=failure.is_after_run)
        return Batch(1, steps, header, failure)

    def _outcome(
        self, lockstep: Lockstep, random: Random, goal: State | None, header: Header
    ) -> tuple[int, Failure | None]:
        """Play one run, and return its number of steps, and its failure, if it has one."""
        try:
            if goal:
                self._play_novelty(lockstep, random, goal)
            else:
                self._play(lockstep, random, header.tactic.partition(",")[0])
            lockstep.finish()
            if isinstance(lockstep, Overlap):
                self._learn(lockstep)
            steps = len(lockstep.steps)  # without those that tear it down
            if header.round_trip:
                self._runs.look(lockstep, header)
        except Divergence as divergence:
            return len(divergence.failure.steps), divergence.failure
        return steps, None

    def _drawn_timings(self, random: Random) -> Timings:
        return Timings(
            random,
            self._points,
            cancels=self._cancels,
            calm={random.choice(kinds) for kinds in self._races if random.random() > CURIOUS},
            lines=bool(self._runs.target.driver.threaded),
            is_long=self._header.steps_max > OVERTAKEN_MAX,
            resumptions=self._resumptions if self._header.adversarial else None,
            crashes=self._crashes,
            counts=self._counts,
        )

    def _learn(self, lockstep: Overlap) -> None:
        """Note how many I/Os operations have made, at which later runs can have delays.

        And which of them end the process: those come in the middle of others.
        """
        self._crashes |= lockstep.crashes
        for kind, made in lockstep.counts.items():
            self._counts.setdefault(kind, deque(maxlen=COUNTS_MAX)).extend(made)
        for known, seen in (
            (self._points, lockstep.points),
            (self._resumptions, lockstep.resumptions),
        ):
            for kind, points in seen.items():
                known[kind] = max(known.get(kind, 0), points)

    def _allows(self, operation: Operation, model: Model) -> bool:
        return all(detour.allows(operation, model) for detour in self._detours)

    def _step_played(self, number: int, operation: Operation) -> None:
        for detour in self._detours:
            detour.played(number, operation)

    def _struck(self, random: Random) -> list[Drawer]:
        """Return what draws a crash, where one is to come now; else nothing."""
        if self._timings is None or not self._timings.takes_strike():
            return []
        return [random.choice([d for d in self._drawers if d.rule.operation.kind in self._crashes])]

    def _play(self, lockstep: Lockstep, random: Random, search_policy: str) -> None:
        choose = choices(search_policy, self._drawers, random)
        now, draw, step = lockstep.now, random.random, lockstep.step
        uses, detours = int(search_policy == "least-used"), self._detours
        for _ in range(self._header.steps_max):
            for drawer in self._struck(random) or choose():
                drawn = drawer.draw(now, draw)
                if drawn is None or (detours and not self._allows(drawn, lockstep.model)):
                    continue  # the draw has cost this turn, and no step
                if self._timings is not None:
                    drawn = self._timings.draw(drawn)
                drawer.used += uses
                try:
                    step(now.step, drawn)
                except UNPLAYED:
                    break
                if detours:
                    self._step_played(now.step, drawn)
                now.step += 1
                break

    def _play_novelty(self, lockstep: Lockstep, random: Random, goal: State) -> None:
        """Go to a state that was seldom seen, and on from there, keeping the ways to new ones."""
        choose = choices("uniform", self._drawers, random)
        now = lockstep.now
        way = None
        for operation in goal.operations():
            if not self._allows(operation, lockstep.model):
                break  # what comes behind it on the way may not be possible without it
            with suppress(*UNPLAYED):
                lockstep.step(now.step, operation)
                self._step_played(now.step, operation)
            way = Way(way, operation, now.step)
            now.step += 1
        goal.visits += 1
        for _ in range(now.step, self._header.steps_max + 1):
            (drawer,) = self._struck(random) or choose()
            drawn = drawer.draw(now, random.random)
            if drawn is not None and self._allows(drawn, lockstep.model):
                if self._timings is not None:
                    drawn = self._timings.draw(drawn)
                try:
                    lockstep.step(now.step, drawn)
                except UNPLAYED:
                    continue
                self._step_played(now.step, drawn)
                way = Way(way, drawn, now.step)
                now.step += 1
                self._keep(goal.settings, lockstep, way)

    def _keep(self, settings: dict[str, object], lockstep: Lockstep, way: Way) -> None:
        """Count the state that a run is in, and remember the shorter of two ways to it."""
        key = (tuple(settings.values()), lockstep.model.shape())
        known = self._states.get(key)
        if known is not None:
            known.visits += 1
            if way.depth < known.depth:
                known.way = way
        elif len(self._states) < STATES_MAX:
            self._states[key] = known = State(settings, way)
            self._in_order.append(known)

    def _goal(self, random: Random) -> State:
        """Return the least visited of a few known states, or the start of a run."""
        known = [state for state in self._sample(random) if state.depth < self._header.steps_max]
        if not known:
            return State(self._draw_settings(random), None)
        return min(known, key=lambda state: (state.visits, state.depth))

    def _sample(self, random: Random) -> list[State]:
        return random.choices(self._in_order, k=RIVALS) if self._in_order else []

    def _draw_settings(self, random: Random) -> dict[str, object]:
        now = Now(None)
        return {name: random.choice(pool.values(now)) for name, pool in self._settings.items()}
