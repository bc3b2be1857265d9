"""Connectors and managers with one bug each in how connections come and go."""

from __future__ import annotations

from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.expiry import Expiry
from sessions.close_codes import GOING_AWAY
from sessions.connection import Connection
from sessions.connector import Connector
from sessions.event import WebSocket
from sessions.manager import IsolatedWebSocketManager
from tests.mutants.sessions import mutant


@mutant(
    "make_connector",
    Connections,
    continuity_connect=2,
    continuity_deliver=3,
    continuity_disconnect=3,
    continuity_message=3,
    continuity_ping=3,
    continuity_connect__managers=3,
    continuity_disconnect__managers=4,
)
class LastTabClosesAll(Connector):
    """Ends all of a user's managers when one of them has lost its last tab."""

    def _remove(self, connection: Connection, close_code: int | None) -> bool:
        left_alone = super()._remove(connection, close_code)
        if left_alone:
            for manager in self._factory.live_of(connection.context.user_id):
                if manager.connections:
                    self._factory.end(manager, GOING_AWAY)
        return left_alone


@mutant(
    "make_manager",
    Connections,
    continuity_connect=2,
    continuity_deliver=3,
    continuity_disconnect=3,
    continuity_message=3,
    continuity_ping=3,
    continuity_wait=3,
    memory_connect=3,
    memory_deliver=3,
    memory_message=3,
    memory_disconnect=4,
)
class ClosesOtherTabs(IsolatedWebSocketManager):
    """Closes every tab of a thread when one of them is closed."""

    def detach(self, connection: Connection) -> None:
        super().detach(connection)
        for other in list(self.connections.values()):
            super().detach(other)
            other.end(GOING_AWAY)


@mutant("make_connector", Connections, continuity_disconnect=2, continuity_disconnect__managers=3)
class DroppedIsClosed(Connector):
    """Takes a connection that dropped for one that was closed, and waits for no reconnect."""

    def _is_clean(self, code: int) -> bool:
        return True


@mutant(
    "make_manager",
    Expiry,
    memory_wait=2,
    continuity_clean_up_sessions=4,
    memory_wait__managers=(2, 3, 4),
)
class GraceNeverEnds(IsolatedWebSocketManager):
    """Waits for a reconnect for ever: the abandoned manager that leaks (seed 003)."""

    def _grace_ends_at_s(self) -> float:
        return float("inf")


@mutant("make_connector", Connections, isolation_connect=2, keys_connect=2)
class ReusesConnectionId(Connector):
    """Puts a new connection in the place of a live one of the same id, without a word."""

    def _check_connection_id(self, websocket: WebSocket, connection_id: str | None) -> None:
        for taken in self._holders(websocket, connection_id):
            self._remove(taken, close_code=GOING_AWAY)


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (LastTabClosesAll, ClosesOtherTabs, DroppedIsClosed, GraceNeverEnds, ReusesConnectionId),
)
