"""The check of what users' contexts have in common sees a service that lets them share a list."""

from __future__ import annotations

from itertools import islice

from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.agents import Agents
from tests.mutants.services import line

NOTES: list[str] = []
SharesNotes = line(
    "SharesNotes",
    "Hangs one list, of all users, on the context of each message.",
    "messages.intake.Intake.accept",
    old="self._worker.put(message)",
    new="from types import MappingProxyType\n"
    "from tests.test_service_shared import NOTES\n"
    'shared = MappingProxyType({"notes": NOTES})\n'
    'object.__setattr__(message.context, "additional_context", shared)\n'
    "self._worker.put(message)",
    scenario=Agents,
)


def test_a_list_of_all_users_is_a_failure_of_isolation() -> None:
    """
    It is seen within a few runs, by identity: the list is empty all the time.
    """
    target = load_target("tests.test_service_shared:SharesNotes")
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    batches = islice(Explorer(Agents, Runs(target, Recorder(None)), header).batches(), 20)
    failures = [batch.failure for batch in batches if batch.failure]

    assert {str(each.signature).partition("-")[0] for each in failures} == {"isolation"}
    assert all("reached from two users' contexts" in str(each.disagreement) for each in failures)
