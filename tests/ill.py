"""Drivers of systems that are ill: one hangs, one ends its process, one breaks its driver."""

from __future__ import annotations

import os
import signal
import threading

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver
from harness.outcome import Outcome


class Hangs(MemoryStore):
    """Waits for ever when a conversation is cleared that has two turns or more."""

    def clear(self, conversation: Conversation) -> None:
        if len(self._turns_of(conversation)) > 1:
            threading.Event().wait()
        super().clear(conversation)


class Dies(MemoryStore):
    """Ends its process when a conversation is cleared that has two turns or more."""

    def clear(self, conversation: Conversation) -> None:
        if len(self._turns_of(conversation)) > 1:
            os.kill(os.getpid(), signal.SIGKILL)
        super().clear(conversation)


class ReturnsNothing(MemoryStoreDriver):
    """A driver whose author forgot to return an outcome."""

    def clear(self, conversation: Conversation) -> Outcome:
        super().clear(conversation)
        return None  # type: ignore[return-value]  # the mistake that this driver makes


def hangs() -> MemoryStoreDriver:
    return MemoryStoreDriver(Hangs)


def dies() -> MemoryStoreDriver:
    return MemoryStoreDriver(Dies)
