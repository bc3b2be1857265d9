"""The far ends of connections: how they take what is sent, and what each was sent."""

from __future__ import annotations

from models.session_manager.clock import Clock
from models.session_manager.counts import Counts
from models.session_manager.manager import Connection, Tell

WELL, STALLED, BROKEN, BRIEF = "well", "stalled", "broken", "brief"
PEERS = (WELL, STALLED, BROKEN, BRIEF)
"""Takes all; takes nothing yet; raises; takes one event, and raises from then on."""


class Sender:
    """Sends what waits for a connection, as far as its peer takes it."""

    def __init__(self, clock: Clock, counts: Counts, tell: Tell) -> None:
        self._clock = clock
        self._counts = counts
        self._sends = 0
        self._tell = tell

    def send(self, connection: Connection) -> bool:
        """Send what waits, in order; return whether the peer still lives."""
        while connection.line:
            if connection.peer == STALLED:
                self._begin(connection)
                return True
            if connection.peer == BROKEN:
                return False
            if connection.peer == BRIEF:
                connection.peer = BROKEN
            event = connection.line.pop(0).event
            self._tell(connection.handle, event)
            self._counts.events_delivered += 1
        connection.sending = None
        return True

    def _begin(self, connection: Connection) -> None:
        if connection.sending is None:
            self._sends += 1
            connection.sending = self._clock.now_s, self._sends
