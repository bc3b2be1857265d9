"""Connectors and managers with one bug each in how connections come and go."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.expiry import Expiry
from tests.mutants.sessions import line

LastTabClosesAll = line(
    "LastTabClosesAll",
    "Ends all of a user's managers when one of them has lost its last tab.",
    "manager.Connector._remove",
    old="return manager is not None and not manager.connections",
    new="left_alone = manager is not None and not manager.connections\n"
    "others = self._factory.live_of(connection.context.user_id) if left_alone else []\n"
    "for other in [each for each in others if each.connections]:\n"
    "    self._factory.end(other, 1001)\n"
    "return left_alone",
    scenario=Connections,
    continuity_connect=2,
    continuity_deliver=3,
    continuity_disconnect=3,
    continuity_message=3,
    continuity_ping=3,
    continuity_connect__managers=3,
    continuity_disconnect__managers=4,
)
ClosesOtherTabs = line(
    "ClosesOtherTabs",
    "Closes every tab of a thread when one of them is closed.",
    "manager.IsolatedWebSocketManager.detach",
    old="self.connections.pop(connection.connection_id, None)",
    new="self.connections.pop(connection.connection_id, None)\n"
    "while self.connections:\n"
    "    connection = self.connections.pop(next(iter(self.connections)))\n"
    "    connection.end(1001)",
    scenario=Connections,
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
DroppedIsClosed = line(
    "DroppedIsClosed",
    "Takes a connection that dropped for one that was closed, and waits for no reconnect.",
    "manager.Connector.handle_websocket_disconnect",
    old="code == CLEAN",
    new="True",
    scenario=Connections,
    continuity_disconnect=2,
    continuity_disconnect__managers=3,
)
GraceNeverEnds = line(
    "GraceNeverEnds",
    "Waits for a reconnect for ever: the abandoned manager that leaks (seed 003).",
    "manager.IsolatedWebSocketManager.due_at_s",
    old="self._alone_since_s + self._settings.reconnect_grace_s",
    new="float('inf')",
    scenario=Expiry,
    memory_wait=2,
    continuity_clean_up_sessions=4,
    memory_wait__managers=(2, 3, 4),
)
ReusesConnectionId = line(
    "ReusesConnectionId",
    "Puts a new connection in the place of a live one of the same id, without a word.",
    "manager.Connector._check_connection_id",
    old="if self._manager_of(taken):",
    new="self._remove(taken, close_code=1001)\nif False:",
    scenario=Connections,
    isolation_connect=2,
    keys_connect=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
