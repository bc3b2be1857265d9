"""Who takes part in the scenarios of the session manager, and by which names."""

from __future__ import annotations

from typing import NamedTuple

from threadline import Handle, Pool, pool

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
