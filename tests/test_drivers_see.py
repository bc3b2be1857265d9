"""What the drivers look at beside outcomes: for each look, a change that nothing else sees."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from threadline.campaign.change import Change, applied
from threadline.scenario import Scenario

from scenarios.agents import Agents
from scenarios.conversation import Conversation
from scenarios.crowd import Crowd
from scenarios.database import Database
from scenarios.everything import Everything
from scenarios.parts import PartsByHand
from scenarios.quality import Quality
from scenarios.queue import Queue
from scenarios.stored_turns import Turns
from tests.explored import first_failure

SERVICE, SESSIONS = "drivers.service:ServiceDriver", "drivers.sessions:SessionsDriver"
PARTS, TURNS = "drivers.parts:PartsDriver", "drivers.stored_turns:StoredTurnsDriver"
RUNS = 60


class Seen(NamedTuple):
    """A change of a line of a function, and where it is seen."""

    function: str
    old: str
    new: str
    scenario: type[Scenario[Any]]
    driver: str = SERVICE


OBSERVED = "self._registry.times.observe(self._clock.now() - asked_at_s)"
SEEN = {
    "counts in another's place": Seen(
        "wiring.Wiring.metrics",
        "self._system.metrics(),\n        self.queue.counts(),",
        "self.queue.counts(),\n        self._system.metrics(),",
        Queue,
    ),
    "an error noted the wrong way round": Seen(
        "service.ChatService._sweep", 'error, "the sweep"', '"the sweep", error', Database
    ),
    "its own counter handed out": Seen(
        "storage.failures.StorageErrors.counts", "dict(self._counts)", "self._counts", Queue
    ),
    "a client who left kept waiting": Seen(
        "routes.AgentRoute._events", "self._responses.finish(message.asker)", "pass", Crowd
    ),
    "a socket without a database session": Seen(
        "service.ChatService.handle_websocket_connection",
        'setattr(websocket, "db_session", session)',
        "pass",
        Agents,
    ),
    "a field that sockets share": Seen(
        "event.Event.as_json", "copy.deepcopy(dict(self.fields))", "dict(self.fields)", Quality
    ),
    "a get that is not timed": Seen(
        "contexts.Contexts.get_user_execution_context", OBSERVED, "pass", Everything, SESSIONS
    ),
    "seconds added": Seen(
        "contexts.Contexts.get_user_execution_context", "- asked", "+ asked", Everything, SESSIONS
    ),
    "counts that go on": Seen(
        "session_manager.ChatSystem.metrics",
        "dataclasses.replace(self._metrics)",
        "self._metrics",
        Everything,
        SESSIONS,
    ),
    "a field in the place of an id": Seen(
        "event.Event.as_json",
        "dict(self.fields)) | ids",
        "dict(self.fields))",
        PartsByHand,
        PARTS,
    ),
    "characters for bytes": Seen(
        "event.Event.size_bytes",
        '(",", ":")',
        '(",", ":"), ensure_ascii=False',
        PartsByHand,
        PARTS,
    ),
    "an id that tells whose it is": Seen(
        "context.UserExecutionContext.child",
        "(self.user_id, name)",
        "(name, self.user_id)",
        Conversation,
        SESSIONS,
    ),
    "a session that began when its thread was due": Seen(
        "storage.thread_store.ThreadStore._is_due",
        "(since_s is None or since_s >= due_at_s)",
        "since_s is None",
        Turns,
        TURNS,
    ),
    "a stop that waits for no task": Seen(
        "session_manager.ChatSystem.stop",
        "await self.dependencies.tasks.ended()",
        "pass",
        PartsByHand,
        PARTS,
    ),
    "a block that does not begin": Seen(
        "session_manager.ChatSystem.__aenter__", "self.start()", "pass", PartsByHand, PARTS
    ),
    "a name that is not loaded": Seen(
        "__getattr__", "not in _LATE", "in _LATE", PartsByHand, PARTS
    ),
}


@pytest.mark.parametrize("bug", SEEN)
def test_each_look_sees_what_it_is_for(bug: str) -> None:
    """
    Within 60 runs; the same scenarios give no alarm about the systems as they are.
    """
    function, old, new, scenario, driver = SEEN[bug]
    with applied([Change(f"sessions.{function}", old, new)]):
        assert first_failure(driver, scenario, RUNS)
