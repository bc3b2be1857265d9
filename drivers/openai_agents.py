"""Reaches SQLiteSession of openai-agents, in memory and on a file."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents import SQLiteSession
from threadline import Census, Driver
from threadline.contracts.conversation_store import ConversationStore, Policy

# Files in memory, where the library does all it does on a disk, but for surviving a power cut.
SHARED_MEMORY = Path("/dev/shm")
# Rows of turns whose row of a session is gone count too: nothing may be left of what was cleared.
SIZES = """SELECT session_id, sum(turns) FROM (
    SELECT session_id, 0 AS turns FROM agent_sessions
    UNION ALL SELECT session_id, 1 FROM agent_messages) GROUP BY session_id"""


class SQLiteSessions(Driver[ConversationStore]):
    """Opens each session on a database in memory, which is its own, "lost when the process ends".

    Clearing removes the row of the session too. A session cannot list others or delete itself.
    """

    policy = Policy(shared=False, durable=False, clear_deletes=True)

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._path = ":memory:"

    def open(self, user: str, thread: str) -> SQLiteSession:
        session = SQLiteSession(f"{len(user)}:{user}{thread}", self._path)
        return self._opened.enter_context(closing(session))

    async def append(self, conversation: SQLiteSession, text: str) -> None:
        await conversation.add_items([{"role": "user", "content": text}])

    async def history(self, conversation: SQLiteSession, limit: int | None) -> list[str]:
        items: list[Any] = await conversation.get_items(limit)
        texts = [item.pop("content") for item in items]
        items.clear()  # a caller may do as it likes with what it was given
        return texts

    async def pop(self, conversation: SQLiteSession) -> Any:
        item: Any = await conversation.pop_item()
        return item and item["content"]

    async def clear(self, conversation: SQLiteSession) -> None:
        await conversation.clear_session()

    def reopen(self) -> None:
        self._opened.close()

    def close(self) -> None:
        self._opened.close()


class SQLiteSessionsOnFile(SQLiteSessions):
    """Opens all sessions of a run on one file, removed with its folder when the run is over."""

    policy = Policy(clear_deletes=True)

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None)
        self._path = f"{self._folder.name}/sessions.db"
        self._reader: sqlite3.Connection | None = None

    def reopen(self) -> None:
        self._stop_reading()
        super().reopen()

    def census(self) -> Census:
        """Return the rows of each session, on a connection that only reads."""
        if self._reader is None:
            if not Path(self._path).exists():
                return {"conversations": {}}
            self._reader = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        return {"conversations": {_key(name): turns for name, turns in self._reader.execute(SIZES)}}

    def close(self) -> None:
        self._stop_reading()
        super().close()
        self._folder.cleanup()

    def _stop_reading(self) -> None:
        """Close our reader: the library closes the last connection, and tidies the file up."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _key(session_id: str) -> tuple[str, str]:
    """Return the user and the thread that an id was made of."""
    length, _, joined = session_id.partition(":")
    return joined[: int(length)], joined[int(length) :]


sqlite_session = SQLiteSessions
sqlite_session_file = SQLiteSessionsOnFile
