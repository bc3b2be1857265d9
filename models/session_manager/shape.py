"""What kind of state a session manager is in, whatever its names."""

from __future__ import annotations

from collections.abc import Hashable

from models.session_manager.ids import Key
from models.session_manager.manager import Connection
from models.session_manager.state import State

MANY = 3  # from which counts are alike


def shape(state: State) -> Hashable:
    """Return one row for each key in use, with ages in classes, sorted."""
    connections = state.connections
    keys = {**state.sessions.live, **connections.managers}
    rows = tuple(sorted(_row(state, key) for key in keys))
    return rows, bool(state.sessions.expired), bool(connections.awaiting_sweep)


def _row(state: State, key: Key) -> tuple[object, ...]:
    now_s, settings = state.clock.now_s, state.settings
    session, manager = state.sessions.live.get(key), state.connections.managers.get(key)
    session_age = _class(now_s - session.active_s, settings.session_ttl_s) if session else ""
    if manager is None:
        return session_age, bool(session and session.is_fleeting), "", 0, ()
    left_s = manager.due_s(settings) - now_s
    peers = tuple(sorted(_peer(connection) for connection in manager.connections))
    return (
        session_age,
        bool(session and session.is_fleeting),
        _class(settings.connection_timeout_s - left_s, settings.connection_timeout_s),
        min(MANY, len(manager.queue)),
        peers[:MANY],
    )


def _peer(connection: Connection) -> str:
    return f"{connection.peer} {min(MANY, len(connection.line))}"


def _class(age_s: float, limit_s: float) -> str:
    """Return how old something is, against the age at which it is due."""
    if age_s <= 0:
        return "new"
    return "nearly due" if age_s >= limit_s - 1 else "aged"
