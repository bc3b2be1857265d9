"""A mutant: a system with one known bug, which proves that the harness sees bugs of its kind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, update_wrapper
from itertools import islice
from typing import Any, ClassVar

from ..driver import Driver
from ..failure import Signature
from ..leaks.growth import BRIEF_MAX
from ..leaks.round_trip import RoundTrips
from ..loading import Target
from ..lockstep.run import Batch, Runs
from ..minimise.fixpoint import Minimised, minimise
from ..scenario import Scenario
from ..search.explore import Explorer
from ..trace import Header, Recorder
from .change import Change, applied

LEAK_STEPS = 10  # of a run that is repeated: short ones show as much, and sooner
PROVABLE = 5  # steps, up to which an exhaustive search proves that nothing shorter fails


@dataclass(frozen=True)
class Mutant:
    """One changed line of a system; its name can be given as a driver's.

    function, old, new: the change (see Change), in force while a driver lives that it has made.
    bug: what is wrong then, in a sentence. driver: the class of the drivers that it makes.
    scenario: what it is hunted with. least: for each signature that the bug can show itself by,
      the fewest steps that do; several, where it shows under settings that exclude each other.
    also: further changes, for a bug that takes more than one line.
    leaks: whether it is looked for by a round trip after each run, and by nothing else: an
      invariant that counts tasks would see some leaks sooner, and say less.
    """

    name: str
    bug: str
    function: str
    old: str
    new: str
    driver: type[Driver[Any]]
    scenario: type[Scenario[Any]]
    least: Mapping[str, int | tuple[int, ...]]
    leaks: bool = False
    also: tuple[Change, ...] = ()

    RUNS_MAX: ClassVar[int] = 200

    @property
    def changes(self) -> tuple[Change, ...]:
        return (Change(self.function, self.old, self.new), *self.also)

    def known_least(self, signature: str) -> tuple[int, ...]:
        """Return the fewest steps that show a signature; none where the mutant is not known by it.

        Signatures that differ only in their third part, the place, count as the same.
        """
        least = self.least.get(signature) or self.least.get(signature.partition(".")[0], ())
        return least if isinstance(least, tuple) else (least,)

    def __call__(self, **settings: Any) -> Driver[Any]:
        made: Driver[Any] = self._changed_driver(**settings)
        return made

    @cached_property
    def _changed_driver(self) -> type[Driver[Any]]:
        return _changed(self.driver, self.changes)


def _changed(driver: type[Driver[Any]], changes: tuple[Change, ...]) -> type[Driver[Any]]:
    """Return a class of drivers with changes in force as long as one of them lives."""
    living: set[int] = set()
    undoes = ExitStack()

    def begin(one: object) -> None:
        if not living:
            undoes.enter_context(applied(changes))
        living.add(id(one))

    def end(one: object) -> None:
        living.discard(id(one))
        if not living:
            undoes.close()

    class Changed(driver):  # type: ignore[misc,valid-type]  # a class that only the caller knows
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            begin(self)
            try:
                super().__init__(*arguments, **settings)
            except BaseException:
                end(self)
                raise

        def close(self) -> None:
            try:
                super().close()
            finally:
                end(self)

    return update_wrapper(Changed, driver, updated=())  # type: ignore[return-value]


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
    header = replace(header, overlap=mutant.scenario.overlap)
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
