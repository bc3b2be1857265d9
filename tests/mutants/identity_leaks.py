"""Systems that keep something for each user who was ever there: the same users show none of it."""

from __future__ import annotations

from functools import partial

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant
from threadline.contracts.conversation_store import Store

from drivers.memory_store import MemoryStoreDriver
from scenarios.connections import Connections
from scenarios.conversation import Conversation
from tests.mutants import line
from tests.mutants.sessions import leak

store_leak = partial(
    line.leak, MemoryStoreDriver, "drivers.memory_store.MemoryStore", scenario=Store
)

KeepsEmptyUsers = leak(
    "KeepsEmptyUsers",
    "Keeps an empty entry in the index by user when the last session of a user has ended.",
    "registry.Registry._end",
    old="if not mine:",
    new="if False:",
    scenario=Connections,
    path="system.registry._by_user",
    steps=1,
)
LocksEachUser = leak(
    "LocksEachUser",
    "Makes a lock for each user who asks for a session, and never takes one out.",
    "registry.Registry.visit",
    old="self._validate(user_id, thread_id, run_id)",
    new="self._validate(user_id, thread_id, run_id)\n"
    'vars(self).setdefault("_locks", {}).setdefault(user_id, RLock())',
    scenario=Conversation,
    path="system.registry._locks",
    steps=1,
)
IndexesByUser = store_leak(
    "IndexesByUser",
    "Lists the threads of each user beside the turns, and keeps the empty list of who has left.",
    "append",
    old="self._save(key)",
    new="self._save(key)\n"
    'vars(self).setdefault("_threads_of", {}).setdefault(key[0], set()).add(key[1])',
    also=(
        Change(
            "drivers.memory_store.MemoryStore.delete",
            old="del self._turns[key], self._saved[key]",
            new="del self._turns[key], self._saved[key]\nself._threads_of[user].discard(thread)",
        ),
    ),
    path="store._threads_of",
    steps=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
