"""What every keyed memory of conversations offers: one contract, one vocabulary, one model."""

from threadline.contract import Contract

from models.conversation_store.blame import blame
from models.conversation_store.model import StoreModel
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
from models.conversation_store.policy import Policy
from models.conversation_store.teardown import teardown

OPERATIONS = (Open, Append, History, Pop, Clear, Threads, Delete, Reopen)

CONVERSATION_STORE = Contract(
    name="conversation_store",
    operations=OPERATIONS,
    model=StoreModel,
    policy=Policy(),
    blame=blame,
    teardown=teardown,
)

__all__ = ["CONVERSATION_STORE", "OPERATIONS", "Policy", "StoreModel"]
