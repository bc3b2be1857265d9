"""The check of what users' contexts have in common sees a service that lets them share a list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from types import MappingProxyType

from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from drivers.service import ServiceDriver
from scenarios.agents import Agents
from sessions.messages.intake import Draft, Intake
from sessions.queue.message import Message
from sessions.service import ChatService
from sessions.service_parts import ServiceMakers

NOTES: list[str] = []


class SharesNotes(Intake):
    """Hangs one list, of all users, on the context of each message."""

    def _message(
        self, user_id: str, draft: Draft, asker: str | None, own_thread_id: str | None
    ) -> Message:
        message = super()._message(user_id, draft, asker, own_thread_id)
        shared = MappingProxyType({"notes": NOTES})
        object.__setattr__(message.context, "additional_context", shared)
        return message


def test_a_list_of_all_users_is_a_failure_of_isolation() -> None:
    """
    It is seen within a few runs, by identity: the list is empty all the time.
    """
    clean = load_target("drivers.service:ServiceDriver")
    target = replace(
        clean,
        make=lambda **settings: ServiceDriver(
            partial(ChatService, makers=ServiceMakers(intake=SharesNotes)), **settings
        ),
    )
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    batches = islice(Explorer(Agents, Runs(target, Recorder(None)), header).batches(), 20)
    failures = [batch.failure for batch in batches if batch.failure]

    assert {str(each.signature).partition("-")[0] for each in failures} == {"isolation"}
    assert all("reached from two users' contexts" in str(each.disagreement) for each in failures)
