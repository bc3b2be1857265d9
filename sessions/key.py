"""The name of one conversation: whose it is, and which."""

from __future__ import annotations

from typing import NamedTuple


class IsolationKey(NamedTuple):
    """A user and a thread, as a value, so that no two different pairs can ever meet.

    Sessions and managers both live under it (the contract, Registry and Isolation key).
    """

    user_id: str
    thread_id: str
