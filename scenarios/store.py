"""Everyday use of a conversation store, by users whose ids are made to collide."""

from __future__ import annotations

from threadline.handle import Handle
from threadline.pool import Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.conversation_store import CONVERSATION_STORE
from models.conversation_store.operations import (
    Append,
    Clear,
    Delete,
    History,
    Open,
    Pop,
    Reopen,
    Threads,
)

# Each differs from the first by what a careless key loses: a separator, case.
USERS = pool("ana", "ana:b", "Ana")
# ("ana", "b:t") and ("ana:b", "t") meet when joined; "t" is a prefix of "t1".
THREADS = pool("t", "t1", "b:t", " t")
# A fresh text tells whose it is; the same text twice tells whether turns are counted or matched.
TEXTS = Pool(lambda now: [f"m{now.step}"]) | pool("again", "")
LIMITS = pool(None, 1, 2, 0, 100)
# What is stored already, or else most conversations would be met once and never again.
STORED: Pool[tuple[str, str]] = Pool(lambda now: list(now.model.conversations))
OPEN: Pool[Handle] = Pool(lambda now: list(now.model.handles))


class Store(Scenario):
    """What every conversation store must get right when nobody is attacking it."""

    contract = CONVERSATION_STORE

    @rule(user=USERS, thread=THREADS, weight=4)
    def open(self, user: str, thread: str) -> Open:
        return Open(user, thread)

    @rule(stored=STORED, weight=3)
    def open_again(self, stored: tuple[str, str]) -> Open:
        return Open(*stored)

    @rule(conversation=OPEN, text=TEXTS, weight=6)
    def append(self, conversation: Handle, text: str) -> Append:
        return Append(conversation, text)

    @rule(conversation=OPEN, limit=LIMITS)
    def history(self, conversation: Handle, limit: int | None) -> History:
        return History(conversation, limit)

    @rule(conversation=OPEN)
    def pop(self, conversation: Handle) -> Pop:
        return Pop(conversation)

    @rule(conversation=OPEN)
    def clear(self, conversation: Handle) -> Clear:
        return Clear(conversation)

    @rule(user=USERS)
    def threads(self, user: str) -> Threads:
        return Threads(user)

    @rule(user=USERS, thread=THREADS)
    def delete(self, user: str, thread: str) -> Delete:
        return Delete(user, thread)

    @rule(stored=STORED)
    def delete_stored(self, stored: tuple[str, str]) -> Delete:
        return Delete(*stored)

    @rule()
    def reopen(self) -> Reopen:
        return Reopen()
