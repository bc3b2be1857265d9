"""What takes a conversation store back to empty, from wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

from threadline.operation import Operation

from models.conversation_store.model import StoreModel
from models.conversation_store.operations import Clear, Delete, Open, Reopen


def teardown(model: StoreModel) -> Iterator[Operation]:
    """Delete what is stored, or clear it where that deletes too, and close every handle."""
    if model.policy.clear_deletes:
        # What no key leads to (policy.shared is false), only its own handle can clear.
        for key in list(model.conversations) if model.policy.shared else ():
            yield Open(*key)
        for conversation in list(model.handles):
            yield Clear(conversation)
    else:
        for key in list(model.conversations):
            yield Delete(*key)
    yield Reopen()
