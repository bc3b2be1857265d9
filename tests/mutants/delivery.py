"""Managers and routers with one bug each in which event reaches whom."""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.limits import Limits
from tests.mutants.sessions import line

DeliversToAllThreads = line(
    "DeliversToAllThreads",
    "Sends an event to every thread that its user has open.",
    "router.Router.publish",
    old="if manager := self._factory.find(event.key):",
    new="for manager in self._factory.live_of(event.key.user_id):\n"
    "    manager.deliver(event)\n"
    "manager = self._factory.find(event.key)\n"
    "if False:",
    also=(
        Change(
            "sessions.router.Router.deliver",
            old="if manager := self._factory.find(key):",
            new="for manager in self._factory.live_of(user_id):",
        ),
    ),
    scenario=Connections,
    isolation_deliver=2,
    isolation_message=2,
    memory_deliver=2,
    memory_message=2,
    continuity_message=3,
    continuity_deliver=4,
    memory_metrics=5,
)
AskerUnanswered = line(
    "AskerUnanswered",
    "Answers the thread that was asked about, and not the tab that asked.",
    "router.Router.publish",
    old="not (manager and asker in manager.connections)",
    new="False",
    scenario=Connections,
    continuity_message=2,
    memory_message=2,
    continuity_resume=3,
    memory_ping=4,
    continuity_message__managers=4,
)
RunUnseen = line(
    "RunUnseen",
    "Shows the run that a manager was made with, after the thread has gone on to another.",
    "router.Router._event",
    old="return Event(",
    new="if manager := self._factory.find(key):\n    context = manager.context\nreturn Event(",
    also=(
        Change(
            "sessions.router.Router._event_of_thread",
            old="event_id =",
            new="if manager := self._factory.find(key):\n    seen = manager.context\nevent_id =",
        ),
    ),
    scenario=Conversation,
    continuity_message=2,
    continuity_ping=3,
    isolation_message=3,
)
QueuesUnbounded = line(
    "QueuesUnbounded",
    "Keeps every event for those who may come back.",
    "manager.IsolatedWebSocketManager._drop_oldest",
    old="len(self._recovery) > self._settings.recovery_max",
    new="False",
    scenario=Limits,
    memory_deliver=4,
    memory_message=4,
)
ReplaysTwice = line(
    "ReplaysTwice",
    "Replays what waited, and once more, as when a retry cannot tell what was sent.",
    "manager.IsolatedWebSocketManager._replay",
    old="while self._recovery:",
    new="self._recovery *= 2\nwhile self._recovery:",
    scenario=Connections,
    continuity_connect=3,
    memory_connect=3,
    memory_disconnect=4,
)
ReplaysBackwards = line(
    "ReplaysBackwards",
    "Replays the latest event first, because it takes from the wrong end of the queue.",
    "manager.IsolatedWebSocketManager._replay",
    old="popleft()",
    new="pop()",
    scenario=Connections,
    continuity_connect=4,
    continuity_resume=5,
)
LosesUndelivered = line(
    "LosesUndelivered",
    "Forgets what was on its way to the last socket when that was lost.",
    "manager.IsolatedWebSocketManager._requeue_undelivered",
    old="self._metrics.events_queued += len(events)",
    new="return",
    scenario=Connections,
    continuity_deliver=2,
    continuity_message=2,
    continuity_cut=3,
    continuity_disconnect=3,
    continuity_wait=3,
)
HoldsAnySize = line(
    "HoldsAnySize",
    "Lets events of any size wait for a socket: a peer that reads nothing takes all memory. So did "
    "the service itself.",
    "event.Connection.offer",
    old="self._outbox_bytes < settings.outbox_bytes_max",
    new="True",
    scenario=Limits,
    continuity_deliver=3,
    continuity_message=3,
    memory_deliver=4,
    memory_message=4,
)
NeverCountsBack = line(
    "NeverCountsBack",
    "Counts the bytes of what was sent as if it still waited.",
    "event.Connection.run",
    old="self._outbox_bytes -= line.popleft().size_bytes",
    new="line.popleft()",
    scenario=Limits,
    continuity_deliver=3,
    continuity_message=3,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
