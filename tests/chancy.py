"""Drivers of stores in which chance plays a part; one generator serves all runs of a process."""

from __future__ import annotations

from random import Random

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver

CHANCE = Random(0)  # never set back between two runs: no play has the draws of another
TURNS_MAX = 6


class Full(OSError):
    """There is no room for a turn."""


class AtRandom(MemoryStore):
    """Fails in one of 32 appends, and has done nothing then."""

    def append(self, conversation: Conversation, text: str) -> None:
        if CHANCE.random() * 32 < 1:
            raise Full
        super().append(conversation, text)


class WithABugBehind(AtRandom):
    """Fails at the seventh turn of a conversation each time, beside that."""

    def append(self, conversation: Conversation, text: str) -> None:
        if len(self._turns_of(conversation)) == TURNS_MAX:
            raise Full
        super().append(conversation, text)


class AtRandomDriver(MemoryStoreDriver):
    """Calls a store that fails by chance."""

    def __init__(self) -> None:
        super().__init__(AtRandom)


class WithABugBehindDriver(MemoryStoreDriver):
    """Calls a store that fails by chance, and each time as well."""

    def __init__(self) -> None:
        super().__init__(WithABugBehind)


class TokenDriver(MemoryStoreDriver):
    """Calls a store that answers a clear with a token, another one each time."""

    def clear(self, conversation: Conversation) -> str:
        self.store.clear(conversation)
        return f"token-{CHANCE.getrandbits(64):x}"


class Alternating(MemoryStore):
    """Fails in every second append that the process makes."""

    appends = 0

    def append(self, conversation: Conversation, text: str) -> None:
        Alternating.appends += 1
        if Alternating.appends % 2:
            raise Full
        super().append(conversation, text)


class AlternatingDriver(MemoryStoreDriver):
    """Calls a store that fails in every second append."""

    def __init__(self) -> None:
        super().__init__(Alternating)
