"""What a right session manager holds, for comparison after each step."""

from __future__ import annotations

from threadline import Census

from models.session_manager.connections import GOING_AWAY
from models.session_manager.state import State

# What a system also tells, for invariants.
WATCHED = frozenset({"open", "closed", "tasks"})
# Who is named here alone is gone, and may have missed the end of what it was told.
NOTES = frozenset({"close_codes", "may_be_open"})


def census(state: State) -> Census:
    """Return what lives. sessions: the run of each; managers: how many events wait in each;
    connections: the key of the manager of each, by the connection's name.

    The rest is for invariants, as a socket whose manager came due is open or closed until the
    sweep. close_codes: with which code a socket is closed if it is closed in this step.
    """
    connections = state.connections
    return {
        "sessions": {key: session.run for key, session in state.sessions.live.items()},
        "managers": {key: len(manager.queue) for key, manager in connections.managers.items()},
        "connections": {each.name: each.key for each in connections.live.values()},
        "must_be_open": set(connections.live),
        "may_be_open": set(connections.awaiting_sweep),
        "close_codes": {
            **dict.fromkeys(connections.awaiting_sweep, GOING_AWAY),
            **connections.closed,
        },
    }
