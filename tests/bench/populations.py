"""Populations of the store for measuring: one that stays small, one small enough to exhaust."""

from __future__ import annotations

from threadline.handle import Handle
from threadline.pool import Now, Pool, pool
from threadline.rule import rule
from threadline.scenario import Scenario

from models.conversation_store import CONVERSATION_STORE
from models.conversation_store.operations import Append, Clear, History, Open, Pop, Threads
from scenarios.store import LIMITS, OPEN, TEXTS, Store

HANDLES_MAX = 2
TURNS_MAX = 2

# They meet when joined, so that neither can stand for the other: nothing is collapsed.
TWO_USERS = pool("ana", "ana:b")
TWO_THREADS = pool("t", "b:t")


def _not_full(now: Now) -> list[Handle]:
    turns = now.model.conversations
    return [h for h, key in now.model.handles.items() if len(turns.get(key, ())) < TURNS_MAX]


class BoundedStore(Store):
    """Everyday use, so bounded in what is open and kept that a short run holds as much as a long.

    A census takes longer the more is live: a population that grows for hundreds of steps would
    show in the costs of long runs.
    """

    @rule(
        user=TWO_USERS,
        thread=pool("t"),
        precondition=lambda now: len(now.model.handles) < HANDLES_MAX,
    )
    def open(self, user: str, thread: str) -> Open:
        return Open(user, thread)

    @rule(conversation=Pool(_not_full), text=TEXTS)
    def append(self, conversation: Handle, text: str) -> Append:
        return Append(conversation, text)


class SmallStore(Scenario):
    """Six rules, two users and two threads, with every text and limit of everyday use."""

    contract = CONVERSATION_STORE

    @rule(user=TWO_USERS, thread=TWO_THREADS)
    def open(self, user: str, thread: str) -> Open:
        return Open(user, thread)

    @rule(conversation=OPEN, text=TEXTS)
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

    @rule(user=TWO_USERS)
    def threads(self, user: str) -> Threads:
        return Threads(user)
