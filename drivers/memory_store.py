"""A small conversation store in memory, and the driver that reaches it."""

from __future__ import annotations

from collections.abc import Callable

from threadline import Census, Driver
from threadline.contracts.conversation_store import ConversationStore

Key = tuple[str, str]


class UnknownThread(LookupError):
    """A user asked to delete a thread that holds nothing."""


class Conversation:
    """An open conversation: what a caller holds."""

    def __init__(self, user: str, thread: str) -> None:
        self.user = user
        self.thread = thread


class MemoryStore:
    """Keeps conversations under (user, thread).

    What was saved outlives `reopen`; what was only held does not.
    """

    def __init__(self) -> None:
        self._turns: dict[Key, list[str]] = {}
        self._saved: dict[Key, tuple[str, ...]] = {}

    def open(self, user: str, thread: str) -> Conversation:
        return Conversation(user, thread)

    def append(self, conversation: Conversation, text: str) -> None:
        key = self._key(conversation.user, conversation.thread)
        self._turns.setdefault(key, []).append(text)
        self._save(key)

    def history(self, conversation: Conversation, limit: int | None = None) -> list[str]:
        """Return the latest `limit` turns in order, or all; the list is the caller's own."""
        turns = self._turns_of(conversation)
        return turns[:] if limit is None else turns[max(0, len(turns) - limit) :]

    def pop(self, conversation: Conversation) -> str | None:
        turns = self._turns_of(conversation)
        text = turns.pop() if turns else None
        self._save(self._key(conversation.user, conversation.thread))
        return text

    def clear(self, conversation: Conversation) -> None:
        self._turns_of(conversation).clear()
        self._save(self._key(conversation.user, conversation.thread))

    def threads(self, user: str) -> list[str]:
        return sorted(thread for owner, thread in self._turns if owner == user)

    def delete(self, user: str, thread: str) -> None:
        """Remove a conversation; raises UnknownThread where there is none."""
        key = self._key(user, thread)
        if key not in self._turns:
            raise UnknownThread(f"{user!r} has no thread {thread!r}; threads() lists what there is")
        del self._turns[key], self._saved[key]

    def reopen(self) -> None:
        """Forget what is held, and load what was saved."""
        self._turns = {key: list(turns) for key, turns in self._saved.items()}

    def sizes(self) -> dict[Key, int]:
        """Return how many turns each conversation has."""
        return {key: len(turns) for key, turns in self._turns.items()}

    def _key(self, user: str, thread: str) -> Key:
        return user, thread

    def _turns_of(self, conversation: Conversation) -> list[str]:
        return self._turns.get(self._key(conversation.user, conversation.thread), [])

    def _save(self, key: Key) -> None:
        if key in self._turns:
            self._saved[key] = tuple(self._turns[key])


class MemoryStoreDriver(Driver[ConversationStore]):
    """Calls one MemoryStore."""

    refuses = {UnknownThread: "unknown thread"}
    through = "store"

    def __init__(self, make: Callable[[], MemoryStore] = MemoryStore) -> None:
        self.store = make()

    def history(self, conversation: Conversation, limit: int | None) -> list[str]:
        turns = self.store.history(conversation, limit)
        shown = turns[:]
        turns.clear()  # a caller may do as it likes with what it was given
        return shown

    def census(self) -> Census:
        return {"conversations": self.store.sizes()}
