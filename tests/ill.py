"""Drivers of systems that are ill: one hangs, one ends its process, one cannot be minimised."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from threadline.outcome import Outcome

from drivers.memory_store import Conversation, MemoryStore, MemoryStoreDriver


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


class Stubborn(MemoryStore):
    """Pops the first turn; after it has done so once, it waits for ever when something is popped.

    The second time is the first replay of minimising. Before it waits, it writes a line to the
    pipe that STUBBORN_PIPE names.
    """

    done = False

    def _take(self, turns: list[str]) -> str:
        if Stubborn.done:
            Path(os.environ["STUBBORN_PIPE"]).write_text("minimising\n", "utf-8")
            threading.Event().wait()
        if len(turns) > 1:
            Stubborn.done = True
        return turns.pop(0)


def stubborn() -> MemoryStoreDriver:
    return MemoryStoreDriver(Stubborn)
