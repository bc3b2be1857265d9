"""Ids made to collide: what is stored under a key is found under it, and under no other."""

from __future__ import annotations

from threadline import Now, Pool, Scenario, pool, rule, sometimes

from models.session_manager import SessionManagerModel as Sessions
from models.session_manager.socket_faults import WELL
from scenarios.population import (
    CODES,
    CONTEXTS,
    LIKE_THREADS,
    LIKE_USERS,
    MADE,
    MADE_IDS,
    MANAGER_KEYS,
    NAMES,
    NOTHING,
    OPEN,
    TEXTS,
    Key,
    joins_alike,
)

USERS, THREADS = LIKE_USERS, LIKE_THREADS
# They differ at the ninth character, in form, in case and by white space, at the 256th.
LOOK_ALIKE: tuple[tuple[Key, Key], ...] = (
    (("anastasia", "t"), ("anastasio", "t")),
    (("ana", "\u00e9"), ("ana", "e\u0301")),
    (("ana", "T"), ("ana", "t ")),
    (("ana", "x" * 256), ("ana", "x" * 255 + "y")),
)
ALIKE_KEYS: Pool[Key] = pool(*(key for pair in LOOK_ALIKE for key in pair))
PREFIXES = pool("id", "a_1700000000000_1")
# Odd, even, none, and more digits than a counter has bytes.
RANDOM_LENGTHS = pool(8, 7, 1, 0, 33)
PURPOSES = pool("context", "a_b", "p" * 64, "p" * 65)
FOREIGN = pool("", "t", "id_170000000000_1_ab", "id_1700000000000", "id_1700000000000_1_xy")
# Not ours, and yet of our form; the last is of the future.
ALIKE = pool("x_1700000000000_1", "1_2_1699999999000_3_abc", "x_9999999999000_1_00000000")


def _looks_alike(now: Now) -> bool:
    """Return whether two sessions have keys that look alike."""
    live = now.model.state.sessions.live
    return any(one in live and other in live for one, other in LOOK_ALIKE)


class Keys(Scenario[Sessions], bare=True):
    """What users do whose ids look alike, and who echo ids that they were given."""

    get = rule(Sessions.get, user=USERS, thread=NOTHING | THREADS | MADE, run=None, weight=4)
    get_alike = rule(Sessions.get, ALIKE_KEYS, run=None, weight=2)
    connect_alike = rule(Sessions.connect, ALIKE_KEYS, name=None, peer=WELL, weight=2)
    find_alike = rule(Sessions.get_manager, key=ALIKE_KEYS, context=None)
    existing = rule(Sessions.existing, user=USERS, thread=NOTHING | THREADS | MADE)
    from_websocket = rule(Sessions.from_websocket, user=USERS, name=None, additional=())
    connect = rule(
        Sessions.connect,
        user=USERS,
        thread=NOTHING | THREADS | MADE,
        name=NAMES,
        peer=WELL,
        weight=4,
    )
    message = rule(
        Sessions.message,
        user=USERS,
        thread=NOTHING | THREADS,
        run=None,
        connection=NOTHING | OPEN,
        text=TEXTS,
        weight=2,
    )
    deliver = rule(Sessions.deliver, user=USERS, thread=THREADS | MADE, text=TEXTS)
    disconnect = rule(Sessions.disconnect, connection=OPEN, code=CODES)
    create_manager = rule(Sessions.create_manager, context=NOTHING | CONTEXTS, user=USERS, weight=2)
    get_manager = rule(Sessions.get_manager, key=(USERS, THREADS), context=None)
    clean_up_by_key = rule(Sessions.cleanup_manager, key=MANAGER_KEYS, context=None)
    clean_up_by_context = rule(Sessions.cleanup_manager, key=None, context=CONTEXTS)
    manager_count = rule(Sessions.manager_count, user=USERS)
    invalidate = rule(Sessions.invalidate, user=USERS)
    base_id = rule(Sessions.base_id, prefix=PREFIXES, random_length=RANDOM_LENGTHS)
    context_ids = rule(Sessions.context_ids, user=USERS, purpose=PURPOSES)
    websocket_ids = rule(Sessions.websocket_ids, user=USERS | pool("anastasia"))
    read_id = rule(Sessions.read_id, text=MADE_IDS | FOREIGN | ALIKE)

    joined_alike = sometimes("two sessions have keys that are one when joined", joins_alike)
    looking_alike = sometimes("two sessions have keys that look alike", _looks_alike)
