"""What every keyed memory of conversations does, and its everyday use by users who look alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..failure import Property
from ..goal import sometimes
from ..handle import Handle
from ..model import Census, Model, operation
from ..operation import Operation
from ..outcome import Refuse
from ..pool import Now, Pool, pool
from ..rule import rule
from ..scenario import Scenario

Key: TypeAlias = tuple[str, str]

# Each differs from the first by what a careless key loses: a separator, case.
USERS = pool("ana", "ana:b", "Ana", identity=True)
# ("ana", "b:t") and ("ana:b", "t") meet when joined; "t" is a prefix of "t1".
THREADS = pool("t", "t1", "b:t", " t", identity=True)
# A fresh text tells whose it is; the same text twice tells whether turns are counted or matched.
TEXTS = Pool(lambda now: [f"m{now.step}"]) | pool("again", "")
LIMITS = pool(None, 1, 2, 0, 100)
# What is stored already, or else most conversations would be met once and never again.
STORED: Pool[Key] = Pool(lambda now: list(now.model.conversations))
OPEN: Pool[Handle] = Pool(lambda now: list(now.model.handles))


@dataclass(frozen=True, slots=True)
class Policy:
    """Where stores legitimately differ; the defaults are those of our own.

    shared: two handles on one conversation see each other's turns.
    durable: turns outlive reopening.
    clear_deletes: clearing removes the conversation with its turns; otherwise it stays, empty.
    """

    shared: bool = True
    durable: bool = True
    clear_deletes: bool = False


class ConversationStore(Model):
    """Turns under the key (user, thread), through a handle on an open conversation.

    Ids are any text: no two different pairs ever meet, none is trimmed, folded or normalised. A
    handle that is not on the store's own conversation (policy.shared is false) has turns of its
    own, under the handle's name.
    """

    policy = Policy()

    def __init__(self) -> None:
        self.conversations: dict[Key, list[str]] = {}
        self.handles: dict[Handle, Key] = {}
        self.written: dict[Key, set[str]] = {}  # every text ever, for telling whose a stray one is

    @operation(breaks=Property.KEYS)
    def open(self, user: str, thread: str) -> Handle:
        """A user opens one of their threads; opening alone creates nothing."""
        handle = self.new("c")
        self.handles[handle] = (user, thread) if self.policy.shared else (str(handle), thread)
        return handle

    @operation
    def append(self, conversation: Handle, text: str) -> None:
        """A turn is added at the end; the first one creates the conversation."""
        key = self.handles[conversation]
        self.conversations.setdefault(key, []).append(text)
        self.written.setdefault(key, set()).add(text)

    @operation
    def history(self, conversation: Handle, limit: int | None) -> list[str]:
        """The turns are read in order: all of them, or the latest `limit`, 0 or more."""
        turns = self.conversations.get(self.handles[conversation], [])
        return turns[:] if limit is None else turns[max(0, len(turns) - limit) :]

    @operation
    def pop(self, conversation: Handle) -> str | None:
        """The latest turn is removed and returned; None where there is none."""
        turns = self.conversations.get(self.handles[conversation], [])
        return turns.pop() if turns else None

    @operation
    def clear(self, conversation: Handle) -> None:
        """All turns are removed."""
        key = self.handles[conversation]
        if key in self.conversations:
            self.conversations[key] = []
            if self.policy.clear_deletes:
                del self.conversations[key]

    @operation(breaks=Property.KEYS)
    def threads(self, user: str) -> list[str]:
        """A user lists their threads, sorted."""
        return sorted(thread for owner, thread in self.conversations if owner == user)

    @operation(breaks=Property.KEYS)
    def delete(self, user: str, thread: str) -> None:
        """A conversation is removed; refused where there is none."""
        if (user, thread) not in self.conversations:
            raise Refuse("unknown thread", because=f"{user!r} has no turn on thread {thread!r}")
        del self.conversations[user, thread]

    @operation(breaks=Property.KEYS)
    def reopen(self) -> None:
        """The store is closed with all its handles, and opened again on what was kept."""
        self.handles.clear()
        if not self.policy.durable:
            self.conversations.clear()

    def census(self) -> Census:
        """Return how many turns each conversation has."""
        return {"conversations": {key: len(turns) for key, turns in self.conversations.items()}}

    def shape(self) -> Hashable:
        """Return the sizes of all conversations, and how many handles are on each: up to 3."""
        keys = {**self.conversations, **dict.fromkeys(self.handles.values())}
        on = list(self.handles.values())
        return tuple(
            sorted(
                (min(3, len(self.conversations.get(key, ()))), min(3, on.count(key)))
                for key in keys
            )
        )

    def belongs_to(self, value: object) -> object:
        """Return the conversation of a handle, those of a text, and the users who have a thread."""
        if isinstance(value, Handle):
            return self.handles.get(value)
        wrote = {key for key, texts in self.written.items() if value in texts}
        return wrote | {user for user, thread in self.conversations if thread == value}

    def teardown(self) -> Iterator[Operation]:
        """Delete what is stored, or clear it where that deletes too, and close every handle."""
        if self.policy.clear_deletes:
            # What no key leads to (policy.shared is false), only its own handle can clear.
            for key in list(self.conversations) if self.policy.shared else ():
                yield ConversationStore.open(*key)
            for conversation in list(self.handles):
                yield ConversationStore.clear(conversation)
        else:
            for key in list(self.conversations):
                yield ConversationStore.delete(*key)
        yield ConversationStore.reopen()


def _shares_a_thread(now: Now) -> bool:
    """Return whether two conversations are on threads of the same name."""
    stored = now.model.conversations
    return len({thread for _, thread in stored}) < len(stored)


def _says_it_again(now: Now) -> bool:
    """Return whether a conversation has the same text twice."""
    return any(len(set(turns)) < len(turns) for turns in now.model.conversations.values())


class Store(Scenario[ConversationStore], bare=True):
    """What every conversation store must get right when nobody is attacking it."""

    open = rule(ConversationStore.open, user=USERS, thread=THREADS, weight=4)
    open_again = rule(ConversationStore.open, STORED, weight=3)
    append = rule(ConversationStore.append, conversation=OPEN, text=TEXTS, weight=6)
    history = rule(ConversationStore.history, conversation=OPEN, limit=LIMITS)
    pop = rule(ConversationStore.pop, conversation=OPEN)
    clear = rule(ConversationStore.clear, conversation=OPEN)
    threads = rule(ConversationStore.threads, user=USERS)
    delete = rule(ConversationStore.delete, user=USERS, thread=THREADS)
    delete_stored = rule(ConversationStore.delete, STORED)
    reopen = rule(ConversationStore.reopen)

    shared = sometimes("two users have a thread of the same name", _shares_a_thread)
    repeated = sometimes("a conversation has the same text twice", _says_it_again)
