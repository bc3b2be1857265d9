"""Each scenario of the session manager, on the system as it is: no alarm."""

from __future__ import annotations

from itertools import islice

import pytest

from harness.explore import Explorer
from harness.run import Runs
from harness.scenario import Scenario
from harness.target import load_target
from harness.trace import Header, Recorder
from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.everything import Everything
from scenarios.expiry import Expiry
from scenarios.keys import Keys
from scenarios.limits import Limits
from scenarios.refusals import Refusals

DRIVER = "drivers.sessions:SessionsDriver"


@pytest.mark.parametrize(
    "scenario", [Conversation, Connections, Expiry, Keys, Limits, Refusals, Everything]
)
def test_agrees_with_the_model(scenario: type[Scenario]) -> None:
    """
    A hundred runs of fifty steps end without a failure.
    """
    target = load_target(DRIVER)
    header = Header(target.contract.name, target.name, seed=0, steps_max=50)
    explorer = Explorer(scenario, Runs(target, Recorder(None)), header)

    assert [batch.failure for batch in islice(explorer.batches(), 100) if batch.failure] == []
