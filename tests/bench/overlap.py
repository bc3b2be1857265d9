"""What overlap costs: a step of it beside a plain one, and the share of looking for an order."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from statistics import median
from typing import Any

from threadline import Scenario, pool, rule
from threadline.loading import load_target
from threadline.lockstep.overlap import Overlap
from threadline.lockstep.run import Runs
from threadline.search import timings
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.overlap import Overlap as Users
from scenarios.service_overlap import ServiceOverlap
from scenarios.stored_turns import TurnsAtOnce, TurnsCancelled
from tests.toys.racing import AtOnce, Desks

PAIRS = 5


class Clients(Scenario[Desks], bare=True):
    """Four clients who take and leave desks of a whole app, over HTTP."""

    overlap = True

    enter = rule(Desks.enter, user=pool("ana", "ben", "cem", "dua"))
    leave = rule(Desks.leave, user=pool("ana", "ben", "cem", "dua"))


SUBJECTS: tuple[tuple[str, type[Scenario[Any]], int], ...] = (
    ("tests.toys.racing:RightDriver", AtOnce, 300),
    ("tests.toys.api:Api", Clients, 100),
    ("drivers.sessions:SessionsDriver", Users, 100),
    ("drivers.stored_turns:StoredTurnsDriver", TurnsAtOnce, 40),
    ("drivers.stored_turns:StoredTurnsDriver", TurnsCancelled, 40),
    ("drivers.service:ServiceDriver", ServiceOverlap, 40),
)


def taken(
    driver: str, scenario: type[Scenario[Any]], runs: int, *, overlap: bool
) -> tuple[float, int]:
    """Return the seconds that so many runs of the same seed take, and their steps."""
    target = load_target(driver)
    header = Header(target.model.name, driver, seed=0, steps_max=50, overlap=overlap)
    explorer = Explorer(scenario, Runs(target, Recorder(None)), header)
    began = time.perf_counter()
    steps = sum(batch.steps for batch in islice(explorer.batches(), runs))
    return time.perf_counter() - began, steps


class Spent:
    """Counts the seconds spent in a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.seconds = 0.0
        self.depth = 0
        self._function = function

    def __get__(self, owner: object, _: type) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            self.depth += 1
            began = time.perf_counter()
            try:
                return self._function(owner, *arguments, **more)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.seconds += time.perf_counter() - began

        return call


def a_step(found: tuple[float, int]) -> float:
    seconds, steps = found
    return seconds / max(1, steps)


def main() -> None:
    """Print a table: medians of paired runs, and how much of a run the judging takes."""
    print(f"{'':38}{'plain':>8}{'calm':>8}{'drawn':>8}{'ratio':>7}{'judging':>9}")
    for driver, scenario, runs in SUBJECTS:
        plain, calm, drawn, shares = [], [], [], []
        for _ in range(PAIRS):
            plain.append(a_step(taken(driver, scenario, runs, overlap=False)))
            ways = dict(timings.WAYS)
            timings.WAYS.update(dict.fromkeys(ways, 0), calm=1)
            calm.append(a_step(taken(driver, scenario, runs, overlap=True)))
            timings.WAYS.update(ways)
            judged, kept = Spent(Overlap._compare_many), Overlap._compare_many
            Overlap._compare_many = judged  # type: ignore[assignment, method-assign]
            found = taken(driver, scenario, runs, overlap=True)
            drawn.append(a_step(found))
            Overlap._compare_many = kept  # type: ignore[method-assign]
            shares.append(judged.seconds / found[0])
        ratio = median(one / other for one, other in zip(calm, plain, strict=True))
        times = "".join(f"{median(each) * 1e6:>6.0f}us" for each in (plain, calm, drawn))
        print(f"{scenario.__name__:38}{times}{ratio:>7.2f}{median(shares):>9.1%}")


if __name__ == "__main__":
    main()
