"""Managers and routers with one bug each in which event reaches whom."""

from __future__ import annotations

from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.conversation import Conversation
from scenarios.limits import Limits
from sessions.connection import Connection
from sessions.event import Event
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from sessions.router import Router
from tests.mutants.sessions import mutant


@mutant(
    "make_router",
    Connections,
    isolation_deliver=2,
    isolation_message=2,
    memory_deliver=2,
    memory_message=2,
    continuity_message=3,
    continuity_deliver=4,
    memory_metrics=5,
)
class DeliversToAllThreads(Router):
    """Sends an event to every thread that its user has open."""

    def _managers_for(self, event: Event) -> list[IsolatedWebSocketManager]:
        return self._factory.live_of(event.key.user_id)


@mutant(
    "make_router",
    Connections,
    continuity_message=2,
    memory_message=2,
    continuity_resume=3,
    memory_ping=4,
    continuity_message__managers=4,
)
class AskerUnanswered(Router):
    """Answers the thread that was asked about, and not the tab that asked."""

    def _is_elsewhere(self, asker: Connection, event: Event) -> bool:
        return False


@mutant("make_router", Conversation, continuity_message=2, continuity_ping=3, isolation_message=3)
class RunUnseen(Router):
    """Shows the run that a manager was made with, after the thread has gone on to another."""

    def _current_run(self, key: IsolationKey) -> str | None:
        manager = self._factory.find(key)
        return manager.context.run_id if manager else super()._current_run(key)


@mutant("make_manager", Limits, memory_deliver=4, memory_message=4)
class QueuesUnbounded(IsolatedWebSocketManager):
    """Keeps every event for those who may come back."""

    def _drop_oldest(self) -> None:
        return


@mutant("make_manager", Connections, continuity_connect=3, memory_connect=3, memory_disconnect=4)
class ReplaysTwice(IsolatedWebSocketManager):
    """Replays what waited, and once more, as when a retry cannot tell what was sent."""

    def _replay(self, connection: Connection) -> None:
        waited = list(self._recovery)
        super()._replay(connection)
        for event in waited:
            connection.hand_over(event, recoverable=True)


@mutant("make_manager", Connections, continuity_connect=4, continuity_resume=5)
class ReplaysBackwards(IsolatedWebSocketManager):
    """Replays the latest event first, because it takes from the wrong end of the queue."""

    def _replay(self, connection: Connection) -> None:
        self._recovery.reverse()
        super()._replay(connection)


@mutant(
    "make_manager",
    Connections,
    continuity_deliver=2,
    continuity_message=2,
    continuity_cut=3,
    continuity_disconnect=3,
    continuity_wait=3,
)
class LosesUndelivered(IsolatedWebSocketManager):
    """Forgets what was on its way to the last socket when that was lost."""

    def _requeue_undelivered(self, events: list[Event]) -> None:
        return


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        DeliversToAllThreads,
        AskerUnanswered,
        RunUnseen,
        QueuesUnbounded,
        ReplaysTwice,
        ReplaysBackwards,
        LosesUndelivered,
    ),
)
