"""Each scenario of the chat service, on the service as it is: no alarm."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from threadline.campaign.change import Change, applied
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


# How the service calls its agents; what of it is wrong, by the function.
AGENTS = "sessions.messages.handlers."
BUGS = {
    "an event at the limit": ("AgentHandler._consume", "now() >= deadline_s", "now() > deadline_s"),
    "an event after the end": ("AgentHandler._consume", "self._registry.check(message)", "pass"),
    "a run that is not closed": ("AgentHandler._consume", "await _close(outputs)", "pass"),
    "lost, and tried again": ("AgentHandler._consume", "has_begun = True", "pass"),
    "no reply": (
        "AgentHandler._consume",
        'raise RuntimeError("the agent ended without a reply")',
        'return ""',
    ),
    "no references": ("_request", "isinstance(references, list)", "False"),
    "references read once": ("_request", "tuple(map(str, references))", "map(str, references)"),
}
EVERYDAY = [Quality, Agents, Queue, Database, WholeService]


def failures(scenario: type[Scenario[Any]], runs: int) -> list[str]:
    """Return how the first of so many runs fails that does, if any."""
    target = load_target(DRIVER)
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    batches = Explorer(scenario, Runs(target, Recorder(None)), header).batches()
    failed = (failure_text(batch.failure) for batch in islice(batches, runs) if batch.failure)
    return list(islice(failed, 1))


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


@pytest.mark.parametrize(
    ("function", "old", "new", "scenario"),
    [
        (
            "service.ChatService._sweep",
            'self.storage_errors.note(error, "the sweep")',
            "pass",
            Database,
        ),
        (
            "messages.handlers.AgentRequestHandler.give_up",
            "self._errors.note(",
            "print(",
            WholeService,
        ),
        ("storage.failures.Readiness._ask", "write in WRITES", "write in None", Crowd),
    ],
)
def test_sees_what_is_not_noted(
    function: str, old: str, new: str, scenario: type[Scenario[Any]]
) -> None:
    """
    A storage error that is in no count, and a question whether it is ready that fails.
    """
    with applied([Change(f"sessions.{function}", old, new)]):
        assert failures(scenario, runs=100) != []


@pytest.mark.parametrize("bug", BUGS)
def test_sees_how_agents_are_called(bug: str) -> None:
    """
    One that comes too late, goes on after its end, or is told too little is seen within 100 runs.
    """
    function, old, new = BUGS[bug]
    with applied([Change(f"{AGENTS}{function}", old, new)]):
        assert failures(Crowd, runs=100) != []
