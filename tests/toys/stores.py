"""Stores that hang, end their process, cannot be minimised, or fail by chance; their drivers."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from random import Random

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

    def pop(self, conversation: Conversation) -> str | None:
        turns = self._turns_of(conversation)
        if turns and Stubborn.done:
            Path(os.environ["STUBBORN_PIPE"]).write_text("minimising\n", "utf-8")
            threading.Event().wait()
        if turns:
            Stubborn.done = len(turns) > 1
            turns.append(turns.pop(0))
        return super().pop(conversation)


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


# One generator serves all runs of a process.
CHANCE = Random(0)  # never set back between two runs: no play has the draws of another
TURNS_MAX = 6


class Full(OSError):
    """There is no room for a turn."""


class AtRandom(MemoryStore):
    """Fails in one of 32 appends, and has done nothing then."""

    def append(self, conversation: Conversation, text: str) -> None:
        if CHANCE.random() * 32 < 1:
            raise Full
        super().append(conversation, text)


class WithABugBehind(AtRandom):
    """Fails at the seventh turn of a conversation each time, beside that."""

    def append(self, conversation: Conversation, text: str) -> None:
        if len(self._turns_of(conversation)) == TURNS_MAX:
            raise Full
        super().append(conversation, text)


class AtRandomDriver(MemoryStoreDriver):
    """Calls a store that fails by chance."""

    def __init__(self) -> None:
        super().__init__(AtRandom)


class WithABugBehindDriver(MemoryStoreDriver):
    """Calls a store that fails by chance, and each time as well."""

    def __init__(self) -> None:
        super().__init__(WithABugBehind)


class TokenDriver(MemoryStoreDriver):
    """Calls a store that answers a clear with a token, another one each time."""

    def clear(self, conversation: Conversation) -> str:
        self.store.clear(conversation)
        return f"token-{CHANCE.getrandbits(64):x}"


class Alternating(MemoryStore):
    """Fails in every second append that the process makes."""

    appends = 0

    def append(self, conversation: Conversation, text: str) -> None:
        Alternating.appends += 1
        if Alternating.appends % 2:
            raise Full
        super().append(conversation, text)


class AlternatingDriver(MemoryStoreDriver):
    """Calls a store that fails in every second append."""

    def __init__(self) -> None:
        super().__init__(Alternating)


class KillsItsWatcher(MemoryStore):
    """Kills the process that watches its own when a conversation is opened.

    Not where one was killed so before, which the file shows that KILLED names.
    """

    def open(self, user: str, thread: str) -> Conversation:
        if not (mark := Path(os.environ["KILLED"])).exists():
            mark.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            threading.Event().wait()
        return super().open(user, thread)


def kills_its_watcher() -> MemoryStoreDriver:
    return MemoryStoreDriver(KillsItsWatcher)


class StartedOnce(MemoryStoreDriver):
    """A driver that writes a line with its process id to a file when it is started."""

    @classmethod
    def start(cls) -> None:
        with Path("started").open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")


class StartRaises(MemoryStoreDriver):
    """A driver whose start raises, in each process."""

    @classmethod
    def start(cls) -> None:
        with Path("started").open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        raise OSError("no server")
