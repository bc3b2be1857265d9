"""Each scenario of the session manager, on the system as it is: no alarm."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from threadline.failure import failure_text
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.scenario import Scenario
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.by_hand import ByHand
from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.everything import Everything
from scenarios.expiry import Expiry
from scenarios.keys import Keys
from scenarios.limits import Limits
from scenarios.refusals import Refusals
from scenarios.small import ExpiryAlike, ExpiryApart, KeysAlike, KeysApart

DRIVER = "drivers.sessions:SessionsDriver"


every_scenario = pytest.mark.parametrize(
    "scenario", [Conversation, Connections, Expiry, Keys, Limits, Refusals, Everything, ByHand]
)


def runs_and_header(steps_max: int) -> tuple[Runs, Header]:
    target = load_target(DRIVER)
    header = Header(target.model.name, target.name, seed=0, steps_max=steps_max)
    return Runs(target, Recorder(None)), header


def failures(scenario: type[Scenario[Any]], runs: int) -> list[str]:
    batches = islice(Explorer(scenario, *runs_and_header(50)).batches(), runs)
    return [failure_text(batch.failure) for batch in batches if batch.failure]


@every_scenario
def test_agrees_with_the_model(scenario: type[Scenario[Any]]) -> None:
    """
    A hundred runs of fifty steps end without a failure.
    """
    assert failures(scenario, runs=40) == []


@pytest.mark.slow
@every_scenario
def test_agrees_with_the_model_for_long(scenario: type[Scenario[Any]]) -> None:
    """
    20,000 runs of fifty steps end without a failure.
    """
    assert failures(scenario, runs=20_000) == []


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [KeysApart, KeysAlike, ExpiryApart, ExpiryAlike])
def test_agrees_with_the_model_in_every_short_sequence(scenario: type[Scenario[Any]]) -> None:
    """
    No sequence of up to four operations fails, whether or not the ids of its users collide.
    """
    batches = Exhaust(scenario, *runs_and_header(4)).batches()

    assert [failure_text(batch.failure) for batch in batches if batch.failure] == []
