"""Drivers of systems that are ill: one hangs, one ends its process, one cannot be minimised."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from threadline import Census, Driver
from threadline.contracts.conversation_store import ConversationStore

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


class CountsAll(MemoryStoreDriver):
    """A driver whose author has called a part of the census as the model does not."""

    def census(self) -> Census:
        return {"threads": self.store.sizes()}


class Misnamed(Driver[ConversationStore]):
    """A driver whose author has misspelt an operation."""

    def appends(self, conversation: Conversation, text: str) -> None:
        """Append nothing, anywhere."""


class DiesOnce(MemoryStore):
    """Ends its process when a conversation is cleared, where none has ended so in this folder."""

    def clear(self, conversation: Conversation) -> None:
        if not (mark := Path("died")).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().clear(conversation)


def dies_once() -> MemoryStoreDriver:
    return MemoryStoreDriver(DiesOnce)


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


class Unclosable(MemoryStoreDriver):
    """A driver that raises when it is closed, even where no run was played on it."""

    def close(self) -> None:
        raise OSError("it is in use")


def unclosable() -> MemoryStoreDriver:
    return Unclosable()


class WaitsByAPipe(MemoryStore):
    """Waits for ever when a conversation is opened, once it has told its process id to a pipe."""

    def open(self, user: str, thread: str) -> Conversation:
        Path(os.environ["PIPE"]).write_text(str(os.getpid()), "ascii")
        threading.Event().wait()
        return super().open(user, thread)


def waits_by_a_pipe() -> MemoryStoreDriver:
    return MemoryStoreDriver(WaitsByAPipe)
