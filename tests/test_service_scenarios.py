"""Each scenario of the chat service, on the service as it is: no alarm."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from threadline.failure import failure_text
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.scenario import Scenario
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.agents import Agents
from scenarios.crowd import Crowd
from scenarios.database import Database
from scenarios.long_talk import LongTalk
from scenarios.quality import Quality
from scenarios.queue import Queue
from scenarios.whole_service import WholeService

DRIVER = "drivers.service:ServiceDriver"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: pytest would format each failure of an agent, which costs more than the run."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


EVERYDAY = [Quality, Agents, Queue, Database, WholeService]


def failures(scenario: type[Scenario[Any]], runs: int) -> list[str]:
    target = load_target(DRIVER)
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    batches = Explorer(scenario, Runs(target, Recorder(None)), header).batches()
    return [failure_text(batch.failure) for batch in islice(batches, runs) if batch.failure]


@pytest.mark.parametrize("scenario", EVERYDAY)
def test_agrees_with_the_model(scenario: type[Scenario[Any]]) -> None:
    """
    10 runs of fifty steps end without a failure.
    """
    assert failures(scenario, runs=10) == []


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [*EVERYDAY, LongTalk, Crowd])
def test_agrees_with_the_model_for_long(scenario: type[Scenario[Any]]) -> None:
    """
    20,000 runs of fifty steps end without a failure.
    """
    assert failures(scenario, runs=20_000) == []
