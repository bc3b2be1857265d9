"""A mutant: a system with one known bug, which proves that the harness sees bugs of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, ClassVar

from ..driver import Driver
from ..failure import Signature
from ..leaks.doubling import BRIEF_MAX
from ..leaks.round_trip import RoundTrips
from ..loading import Target
from ..lockstep.run import Batch, Runs
from ..minimise.fixpoint import Minimised, minimise
from ..scenario import Scenario
from ..search.explore import Explorer
from ..trace import Header, Recorder

LEAK_STEPS = 10  # of a run that is repeated: short ones show as much, and sooner
PROVABLE = 5  # steps, up to which an exhaustive search proves that nothing shorter fails


@dataclass(frozen=True, slots=True)
class Mutant:
    """Makes drivers of one system with one bug, so that its name can be given as a driver's.

    `least` has, for each signature that the bug can show itself by, the fewest steps that do;
    several, where it shows under settings that exclude each other.
    One that `leaks` is looked for by a round trip after each run, and by nothing else: an
    invariant that counts tasks would see some of them sooner, and say less.
    """

    name: str
    bug: str
    make: Callable[..., Driver[Any]]
    scenario: type[Scenario[Any]]
    least: Mapping[str, int | tuple[int, ...]]
    leaks: bool = False

    RUNS_MAX: ClassVar[int] = 200

    def known_least(self, signature: str) -> tuple[int, ...]:
        """Return the fewest steps that show a signature; none where it is not known by that.

        Known is what two failures have in common that differ only in where it shows.
        """
        least = self.least.get(signature) or self.least.get(signature.partition(".")[0], ())
        return least if isinstance(least, tuple) else (least,)

    @property
    def driver(self) -> type[Driver[Any]] | None:
        """The class of the drivers that it makes, where that can be told without making one."""
        found: object = self.make
        while isinstance(found, partial):
            found = found.func
        return found if isinstance(found, type) else None

    def __call__(self, **settings: Any) -> Driver[Any]:
        return self.make(**settings)


@dataclass(frozen=True, slots=True)
class Kill:
    """How a mutant died: after how many runs and seconds, and in how many steps at least."""

    mutant: Mutant
    runs: int
    seconds: float
    signature: Signature | None = None
    minimised: Minimised | None = None

    @property
    def steps(self) -> int:
        """How many operations the minimised trace has; 0 where the mutant lives."""
        return len(self.minimised.trace.operations) if self.minimised else 0

    @property
    def is_minimal(self) -> bool:
        """Return whether it died in the fewest steps that its signature needs.

        Up to PROVABLE steps that is the known least; above, that no single operation can go,
        which is what minimising ends with.
        """
        known = self.known_least
        return self.steps in known or (bool(known) and self.steps > max(known) > PROVABLE)

    @property
    def known_least(self) -> tuple[int, ...]:
        """The fewest steps that show the signature; none where the mutant is not known by it."""
        return self.mutant.known_least(str(self.signature))


def kill(
    mutant: Mutant,
    target: Target,
    *,
    engine: str,
    seed: int,
    runs_max: int = Mutant.RUNS_MAX,
    cycles_max: int = BRIEF_MAX,
) -> Kill:
    """Run a mutant's scenario until it fails, and minimise that; nothing is kept on disk.

    What leaks is watched for `cycles_max` cycles, which a cache of 1,000 would outlast.
    """
    if mutant.leaks:
        target = replace(target, invariants=())
    trips = RoundTrips(int(mutant.leaks), cycles_max=cycles_max)
    runs = Runs(target, Recorder(None), after_run=trips)
    steps_max = LEAK_STEPS if mutant.leaks else 50
    header = Header(target.model.name, target.name, engine=engine, seed=seed, steps_max=steps_max)
    began = time.perf_counter()
    played = 0
    for batch in _batches(mutant.scenario, runs, header, runs_max):
        played += batch.runs
        if batch.failure and (batch.failure.is_after_run or not mutant.leaks):
            seconds = time.perf_counter() - began
            signature = batch.failure.signature
            least = minimise(batch.trace(), signature, runs, mutant.scenario)
            return Kill(mutant, played, seconds, signature, least)
    return Kill(mutant, played, time.perf_counter() - began)


def _batches(scenario: type[Scenario[Any]], runs: Runs, header: Header, runs_max: int) -> Any:
    if header.engine == "hypothesis":
        from ..search.machine import Chunks  # loads Hypothesis, which no other engine needs

        return Chunks(scenario, runs, header).batches(runs_max=runs_max)
    return islice(Explorer(scenario, runs, header).batches(), runs_max)


__all__ = ["Batch", "Kill", "Mutant", "kill"]
