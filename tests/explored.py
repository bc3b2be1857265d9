"""The runs that a search plays of a scenario on a driver, as a test looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from threadline.loading import load_target
from threadline.lockstep.run import Batch, Runs
from threadline.scenario import Scenario
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder


def batches(driver: str, scenario: type[Scenario[Any]]) -> Iterator[Batch]:
    """Yield the runs of up to 50 steps that seed 0 draws, without end."""
    target = load_target(driver)
    header = Header(target.model.name, driver, seed=0, steps_max=50, overlap=scenario.overlap)
    return Explorer(scenario, Runs(target, Recorder(None)), header).batches()


def first_failure(driver: str, scenario: type[Scenario[Any]], most: int) -> str:
    """Return how the first of so many runs fails that does; "" where none does."""
    failed = (batch.failure for batch in islice(batches(driver, scenario), most) if batch.failure)
    return next((str(failure.signature) for failure in failed), "")
