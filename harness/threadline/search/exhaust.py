"""The exhaustive search: every sequence of operations up to a depth, over a small population."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from random import Random
from typing import Any

from ..failure import Divergence
from ..lockstep.lockstep import Lockstep
from ..lockstep.outcomes import UNPLAYED
from ..lockstep.overlap import Overlap
from ..lockstep.run import Batch, Runs, play, replay
from ..pool import Now
from ..scenario import Scenario
from ..trace import Header, Numbered
from .enabled import Option, options
from .schedules import schedules
from .unused import Tries, unused

PROBES = 40


@dataclass(slots=True)
class Level:
    """What can come at one step, after those before it, and which of these is being tried."""

    options: Sequence[Option]
    index: int = 0

    @property
    def option(self) -> Option:
        return self.options[self.index]


class Exhaust:
    """Plays every sequence of `header.steps_max` operations, or fewer where no rule can fire.

    Users are collapsed only where their pool says that they are symmetric: of those that no
    operation before has named, only the first is tried. Nothing is pruned by equal states of the
    model, because the system's may differ. A failing sequence is not made longer.

    Where operations overlap, each whole sequence is played one after another, and then under every
    schedule with up to two delays; an estimate counts sequences alone.
    """

    def __init__(self, scenario: type[Scenario[Any]], runs: Runs, header: Header) -> None:
        self._runs = runs
        self._header = header
        self._rules = scenario.rules(runs.target.lacks)
        self._settings = runs.target.settings(scenario)
        self._tried = {rule.name: Tries() for rule in self._rules}
        self._played = 0
        self._cancels = scenario.cancels

    def batches(self) -> Iterator[Batch]:
        """Yield each sequence as it ends; ends when all have been played."""
        for values in product(*[pool.values(Now(None)) for pool in self._settings.values()]):
            settings = dict(zip(self._settings, values, strict=True))
            for batch in self._under(replace(self._header, settings=settings)):
                self._played += batch.runs
                yield batch

    def unused(self) -> list[str]:
        """Return a line for each rule that could never fire, which says why not."""
        return unused(self._tried, self._played)

    def estimate(self, seed: int = 0) -> int:
        """Return about how many sequences there are: the mean product of branches (Knuth 1975).

        Plays PROBES random sequences, under the simplest settings of each drawn at random.
        """
        random = Random(f"estimate/{seed}")
        total = 0
        for _ in range(PROBES):
            settings = {n: random.choice(p.values(Now(None))) for n, p in self._settings.items()}
            total += self._probe(replace(self._header, settings=settings), random)
        ways = prod(len(pool.values(Now(None))) for pool in self._settings.values())
        return max(1, ways * total // PROBES)

    def _under(self, header: Header) -> Iterator[Batch]:
        levels: list[Level] = []
        plain = replace(header, overlap=False, adversarial=False)
        line = plain.line()
        while True:
            try:
                with self._runs.open(line, header.settings) as lockstep:
                    steps = self._play(lockstep, levels, header)
                yield Batch(1, steps, plain)
                if header.overlap:
                    yield from self._at_once(header, levels)
            except Divergence as divergence:
                failure = divergence.failure
                yield Batch(1, len(failure.steps), plain, failure)
                del levels[len(failure.steps) :]
            while levels and levels[-1].index + 1 >= len(levels[-1].options):
                levels.pop()
            if not levels:
                return
            levels[-1].index += 1

    def _at_once(self, header: Header, levels: Sequence[Level]) -> Iterator[Batch]:
        """Play one sequence under every schedule, up to the first that fails."""
        operations = [(n, level.option.operation) for n, level in enumerate(levels, 1)]
        points, lines = self._points(header, operations), bool(self._runs.target.driver.threaded)
        for timed in schedules(operations, points, cancels=self._cancels, lines=lines):
            failure = replay(self._runs, header, timed)
            yield Batch(1, len(timed), header, failure)
            if failure is not None:
                return

    def _points(self, header: Header, operations: Sequence[Numbered]) -> dict[str, int]:
        """Return how many I/Os each kind of operation makes, one after another."""
        with suppress(Divergence), self._runs.begin(header) as lockstep:
            deque(play(lockstep, operations), maxlen=0)
            lockstep.finish()
            if isinstance(lockstep, Overlap):
                return lockstep.points
        return {}

    def _play(self, lockstep: Lockstep, levels: list[Level], header: Header) -> int:
        """Play one sequence, and return of how many steps it was."""
        now = lockstep.now
        for number in range(1, header.steps_max + 1):
            now.step = number
            if number > len(levels):
                options = self._options(now, levels)
                if not options:
                    break
                levels.append(Level(options))
            try:
                lockstep.step(number, levels[number - 1].option.operation)
            except UNPLAYED:
                del levels[number:]  # nothing that begins so can be judged
                break
        return len(lockstep.steps)

    def _probe(self, header: Header, random: Random) -> int:
        """Play one random sequence, and return the product of its branches."""
        ways = 1
        levels: list[Level] = []
        with (
            suppress(Divergence),  # of a system that cannot even be made or closed
            self._runs.open(header.line(), header.settings) as lockstep,
        ):
            now = lockstep.now
            for number in range(1, header.steps_max + 1):
                now.step = number
                options = self._options(now, levels)
                if not options:
                    break
                ways *= len(options)
                levels.append(Level(options, random.randrange(len(options))))
                try:
                    lockstep.step(number, levels[-1].option.operation)
                except (Divergence, *UNPLAYED):
                    break
        return ways

    def _options(self, now: Now, levels: list[Level]) -> list[Option]:
        for rule in self._rules:
            tries = self._tried[rule.name]
            if not tries.fired:  # asked until it may fire, which costs nothing in most scenarios
                tries.fired += tries.ask(rule, now)
        named = {value for level in levels for value in level.option.values}
        return options(self._rules, now, named)
