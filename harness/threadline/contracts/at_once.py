"""The everyday use of a conversation store by users at the same time."""

from __future__ import annotations

from .conversation_store import Store


class StoreAtOnce(Store):
    """What users at once do; nobody closes the store while others are at it."""

    overlap = True
    reopen = None
