"""Conversation stores with one bug each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from threadline.campaign.mutant import Mutant
from threadline.contracts.conversation_store import Store

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver
from tests.mutants.least import by_signature


def mutant(**least: int | tuple[int, ...]) -> Callable[[type[MemoryStore]], Mutant]:
    """Make a store with a bug a mutant; `least` says in how many steps each signature shows it."""

    def decorate(store: type[MemoryStore]) -> Mutant:
        make = partial(MemoryStoreDriver, store)
        signatures = by_signature(least)
        return Mutant(store.__name__, store.__doc__ or "", make, Store, signatures)

    return decorate


@mutant(isolation_history=4, continuity_history=6, memory_history=6)
class HistoryOfAnotherThread(MemoryStore):
    """Finds the history by the user alone, and so shows whichever thread comes first."""

    def history(self, conversation: Conversation, limit: int | None = None) -> list[str]:
        mine = (turns for (user, _), turns in self._turns.items() if user == conversation.user)
        return self._latest(next(mine, []), limit)


@mutant(continuity_history=4)
class LimitTakesTheOldest(MemoryStore):
    """Cuts the history at the wrong end: the first turns instead of the latest."""

    def _latest(self, turns: list[str], limit: int | None) -> list[str]:
        return turns[:limit]


@mutant(continuity_pop=4, continuity_history=6)
class PopsTheFirst(MemoryStore):
    """Takes back the oldest turn instead of the latest."""

    def _take(self, turns: list[str]) -> str:
        return turns.pop(0)


@mutant(memory_clear=3)
class ClearLeavesOne(MemoryStore):
    """Clears all turns but the first, as when a loop over a list removes from it."""

    def clear(self, conversation: Conversation) -> None:
        del self._turns_of(conversation)[1:]
        self._save(self._key(conversation.user, conversation.thread))


@mutant(continuity_history=6, continuity_pop=6)
class OrderLostOnReopen(MemoryStore):
    """Loads turns in the order of their text, because the query has no ORDER BY of its own."""

    def _load(self, turns: tuple[str, ...]) -> list[str]:
        return sorted(turns)


@mutant(isolation_threads=3, memory_threads=5)
class ListsAnotherUsersThread(MemoryStore):
    """Lists the threads of every user whose id begins alike (LIKE 'ana%')."""

    def threads(self, user: str) -> list[str]:
        return sorted(thread for owner, thread in self._turns if owner.startswith(user))


@mutant(keys_delete=5)
class DeletesByPrefix(MemoryStore):
    """Deletes every thread of the user whose id begins alike (DEL ana:t*)."""

    def delete(self, user: str, thread: str) -> None:
        super().delete(user, thread)
        for key in [(o, t) for o, t in self._turns if o == user and t.startswith(thread)]:
            del self._turns[key], self._saved[key]


@mutant(
    keys_delete=3, continuity_append=4, continuity_clear=4, isolation_history=4, isolation_pop=4
)
class JoinsKeys(MemoryStore):
    """Joins user and thread with ':', so that two pairs can be one key."""

    def _key(self, user: str, thread: str) -> tuple[str, str]:
        joined = {":".join(pair): pair for pair in self._turns}
        return joined.get(f"{user}:{thread}", (user, thread))


@mutant(continuity_history=3)
class HandsOutItsOwnList(MemoryStore):
    """Returns the list that it keeps, which the caller then changes."""

    def _latest(self, turns: list[str], limit: int | None) -> list[str]:
        return turns if limit is None else super()._latest(turns, limit)


@mutant(memory_append=4, continuity_append=4)
class LosesAppendsOfTheOther(MemoryStore):
    """Reads the turns when a conversation is opened, and writes them all back with each append."""

    def __init__(self) -> None:
        super().__init__()
        self._copies: dict[Conversation, list[str]] = {}

    def open(self, user: str, thread: str) -> Conversation:
        conversation = super().open(user, thread)
        self._copies[conversation] = self.history(conversation)
        return conversation

    def append(self, conversation: Conversation, text: str) -> None:
        key = self._key(conversation.user, conversation.thread)
        self._turns[key] = self._copies[conversation]
        super().append(conversation, text)
        self._copies[conversation] = self._turns[key][:]


@mutant(keys_append=2, continuity_append=4)
class TrimsOnWrite(MemoryStore):
    """Trims the thread's id when it writes, and not when it reads."""

    def append(self, conversation: Conversation, text: str) -> None:
        super().append(Conversation(conversation.user, conversation.thread.strip()), text)


@mutant(memory_history=2, memory_pop=2, memory_clear=2)
class ReadingCreates(MemoryStore):
    """Makes a conversation when one that is not there is read (a defaultdict)."""

    def _turns_of(self, conversation: Conversation) -> list[str]:
        return self._turns.setdefault(self._key(conversation.user, conversation.thread), [])


# A cast, because mypy takes a decorated class for the class.
MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        HistoryOfAnotherThread,
        LimitTakesTheOldest,
        PopsTheFirst,
        ClearLeavesOne,
        OrderLostOnReopen,
        ListsAnotherUsersThread,
        DeletesByPrefix,
        JoinsKeys,
        HandsOutItsOwnList,
        LosesAppendsOfTheOther,
        TrimsOnWrite,
        ReadingCreates,
    ),
)
