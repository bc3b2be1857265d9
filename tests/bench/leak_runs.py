"""Runs that are played again for each rule, so that all judge the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from threadline.failure import Divergence
from threadline.leaks.growth import CYCLES_MAX, Growths
from threadline.leaks.round_trip import RoundTrip
from threadline.loading import Target
from threadline.lockstep.lockstep import Lockstep
from threadline.lockstep.run import Batch, Runs, play
from threadline.scenario import Scenario
from threadline.search.explore import Explorer
from threadline.trace import Header, Numbered, Recorder


class Listening(Runs):
    """Runs of which the last history is kept."""

    last: tuple[Numbered, ...] = ()

    @contextmanager
    def open(
        self, header: bytes, settings: Mapping[str, object], **more: Any
    ) -> Iterator[Lockstep]:
        with super().open(header, settings, **more) as lockstep:
            yield lockstep
            self.last = tuple((step.number, step.operation) for step in lockstep.steps)


@contextmanager
def played(
    target: Target, scenario: type[Scenario[Any]], seed: int, run: int, steps_max: int
) -> Iterator[Lockstep]:
    """Play one run of a seed, and leave it open."""
    runs = Listening(blind(target), Recorder(None))
    header = Header(target.model.name, target.name, seed=seed, steps_max=steps_max)
    batch: Batch = next(islice(Explorer(scenario, runs, header).batches(run), 1))
    with Runs(blind(target), Recorder(None)).open(b"", batch.header.settings) as lockstep:
        for _ in play(lockstep, runs.last):
            pass
        yield lockstep


def blind(target: Target) -> Target:
    """Return a target whose runs no invariant ends, so that what leaks goes on leaking."""
    return replace(target, invariants=())


def is_flagged(lockstep: Lockstep, known: Growths, cycles_max: int = CYCLES_MAX) -> bool:
    """Return whether a round trip finds a leak in a run that was played."""
    try:
        RoundTrip(lockstep, known, cycles_max=cycles_max).make()
    except Divergence:
        return True
    return False
