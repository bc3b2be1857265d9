"""Populations of the store for measuring: one that stays small, one small enough to exhaust."""

from __future__ import annotations

from threadline import Handle, Now, Pool, Scenario, pool, rule
from threadline.contracts.conversation_store import LIMITS, OPEN, TEXTS, ConversationStore, Store

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

    open = rule(
        ConversationStore.open,
        user=TWO_USERS,
        thread="t",
        when=lambda now: len(now.model.handles) < HANDLES_MAX,
    )
    append = rule(ConversationStore.append, conversation=Pool(_not_full), text=TEXTS)


class SmallStore(Scenario[ConversationStore], bare=True):
    """Six rules, two users and two threads, with every text and limit of everyday use."""

    open = rule(ConversationStore.open, user=TWO_USERS, thread=TWO_THREADS)
    append = rule(ConversationStore.append, conversation=OPEN, text=TEXTS)
    history = rule(ConversationStore.history, conversation=OPEN, limit=LIMITS)
    pop = rule(ConversationStore.pop, conversation=OPEN)
    clear = rule(ConversationStore.clear, conversation=OPEN)
    threads = rule(ConversationStore.threads, user=TWO_USERS)
