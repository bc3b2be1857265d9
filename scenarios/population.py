"""Who takes part in the scenarios of the session manager, and by which names."""

from __future__ import annotations

from typing import NamedTuple

from threadline import Handle, Now, Pool, pool

from models.session_manager.socket_faults import BRIEF, BROKEN, STALLED, WELL

Key = tuple[str, str | Handle]

# Two who have nothing in common; and some whom a careless key confuses with the first.
USERS = pool("ana", "ben", identity=True)
LIKE_USERS = pool("ana", "ana:b", "Ana", identity=True)
NOTHING = pool(None)
THREADS = pool("t", "u", identity=True)
# ("ana", "b:t") and ("ana:b", "t") meet when joined; "t" is a prefix of "t1".
LIKE_THREADS = pool("t", "b:t", "t1", " t", "default", identity=True)
RUNS = pool(None, "r", "s")
NAMES = pool(None, "tab")
PEERS = pool(WELL, WELL, WELL, STALLED, BROKEN, BRIEF)
CODES = pool(1000, 1006)
# Unique to its step, and so to user and thread: a text tells where it came from.
TEXTS = Pool(lambda now: [f"m{now.step}"])

# What the system made, echoed by whoever: a user's own is found, another's is a new name.
MADE: Pool[Handle] = Pool(
    lambda now: [
        thread for _, thread in now.model.state.sessions.live if isinstance(thread, Handle)
    ]
)
KEYS: Pool[Key] = Pool(lambda now: list(now.model.state.sessions.live))
MANAGER_KEYS: Pool[Key] = Pool(lambda now: list(now.model.state.connections.managers))
OPEN: Pool[Handle] = Pool(lambda now: list(now.model.state.connections.live))
ENDED: Pool[Handle] = Pool(lambda now: list(now.model.state.connections.ended))
CONTEXTS: Pool[Handle] = Pool(lambda now: list(now.model.state.contexts.kept))
MADE_IDS: Pool[Handle] = Pool(lambda now: list(now.model.state.generated_ids.made_s))


class Own(NamedTuple):
    """A connection, and whose it is."""

    user: str
    connection: Handle


OWN: Pool[Own] = Pool(
    lambda now: [
        Own(connection.key[0], handle)
        for handle, connection in now.model.state.connections.live.items()
    ]
)


# What goals of several scenarios ask.


def has_all_his_sessions(now: Now) -> bool:
    """Return whether a user has as many sessions as allowed."""
    state = now.model.state
    most = state.settings.max_sessions_per_user
    return any(len(state.sessions.of(user)) >= most for user, _ in state.sessions.live)


def shares_a_thread(now: Now) -> bool:
    """Return whether two users have sessions on threads of the same name."""
    live = now.model.state.sessions.live
    return len({thread for _, thread in live}) < len(live)


def joins_alike(now: Now) -> bool:
    """Return whether the keys of two sessions are the same when joined by a colon."""
    live = now.model.state.sessions.live
    return len({f"{user}:{thread}" for user, thread in live}) < len(live)


def outlived_its_session(now: Now) -> bool:
    """Return whether a manager lives whose session came due."""
    state = now.model.state
    return any(key in state.connections.managers for key in state.sessions.expired)


def awaits_a_sweep(now: Now) -> bool:
    """Return whether a manager came due whose sockets await a sweep."""
    return bool(now.model.state.connections.awaiting_sweep)


def has_tabs(now: Now) -> bool:
    """Return whether a thread has two connections."""
    managers = now.model.state.connections.managers.values()
    return any(len(manager.connections) > 1 for manager in managers)


def waits_for_a_tab(now: Now) -> bool:
    """Return whether an event waits for a connection of its thread."""
    return any(manager.queue for manager in now.model.state.connections.managers.values())


def is_stuck_alone(now: Now) -> bool:
    """Return whether one connection of a thread takes nothing of what it is sent, and one does."""
    managers = now.model.state.connections.managers.values()
    return any(
        any(each.peer == STALLED and each.sending for each in manager.connections)
        and any(each.peer == WELL for each in manager.connections)
        for manager in managers
    )
