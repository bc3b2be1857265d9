"""The reference model of a conversation store: lists in one dictionary."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Self

from threadline.contract import Census
from threadline.handle import Dangling, Handle
from threadline.outcome import Ok, Outcome, Refused

from models.conversation_store.policy import Policy

Key = tuple[str, str]


class StoreModel:
    """Every conversation under its (user, thread), and which one each open handle is on.

    A handle that is not on the store's own conversation (policy.shared is false) has turns of its
    own, under the handle's name.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.conversations: dict[Key, list[str]] = {}
        self.handles: dict[Handle, Key] = {}
        self.written: dict[Key, set[str]] = {}  # every text ever, for telling whose a stray one is
        self._step = 0

    def at(self, step: int) -> Self:
        self._step = step
        return self

    def open(self, user: str, thread: str) -> Outcome:
        handle = Handle("c", self._step)
        self.handles[handle] = (user, thread) if self.policy.shared else (str(handle), thread)
        return Ok(handle)

    def append(self, conversation: Handle, text: str) -> Outcome:
        key = self.key(conversation)
        self.conversations.setdefault(key, []).append(text)
        self.written.setdefault(key, set()).add(text)
        return Ok()

    def history(self, conversation: Handle, limit: int | None) -> Outcome:
        turns = self.conversations.get(self.key(conversation), [])
        return Ok(turns[:] if limit is None else turns[max(0, len(turns) - limit) :])

    def pop(self, conversation: Handle) -> Outcome:
        turns = self.conversations.get(self.key(conversation), [])
        return Ok(turns.pop() if turns else None)

    def clear(self, conversation: Handle) -> Outcome:
        key = self.key(conversation)
        if key in self.conversations:
            self.conversations[key] = []
            if self.policy.clear_deletes:
                del self.conversations[key]
        return Ok()

    def threads(self, user: str) -> Outcome:
        return Ok(sorted(thread for owner, thread in self.conversations if owner == user))

    def delete(self, user: str, thread: str) -> Outcome:
        if (user, thread) not in self.conversations:
            return Refused("unknown thread", because=f"{user!r} has no turn on thread {thread!r}")
        del self.conversations[user, thread]
        return Ok()

    def reopen(self) -> Outcome:
        self.handles.clear()
        if not self.policy.durable:
            self.conversations.clear()
        return Ok()

    def key(self, conversation: Handle) -> Key:
        """Return what a handle is on; raises Dangling for one that has ended."""
        try:
            return self.handles[conversation]
        except KeyError:
            raise Dangling(conversation) from None

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
