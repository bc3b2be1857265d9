"""A conversation store whose one file is read and written whole, and the driver that reaches it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from threadline import Census, Driver
from threadline.contracts.conversation_store import ConversationStore

Key = tuple[str, str]
Kept = dict[Key, list[str]]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Conversation:
    """An open conversation: what a caller holds."""

    key: Key


class FileStore:
    """Keeps conversations under (user, thread), in one file; one writer at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes = asyncio.Lock()

    async def open(self, user: str, thread: str) -> Conversation:
        return Conversation((user, thread))

    async def append(self, conversation: Conversation, text: str) -> None:
        await self._change(lambda kept: kept.setdefault(conversation.key, []).append(text))

    async def history(self, conversation: Conversation, limit: int | None) -> list[str]:
        turns = (await self.read()).get(conversation.key, [])
        return turns if limit is None else turns[max(0, len(turns) - limit) :]

    async def pop(self, conversation: Conversation) -> str | None:
        def latest(kept: Kept) -> str | None:
            turns = kept.get(conversation.key)
            return turns.pop() if turns else None

        return await self._change(latest)

    async def clear(self, conversation: Conversation) -> None:
        await self._change(lambda kept: kept.get(conversation.key, []).clear())

    async def threads(self, user: str) -> list[str]:
        return sorted(thread for owner, thread in await self.read() if owner == user)

    async def delete(self, user: str, thread: str) -> None:
        """Remove a conversation; raises KeyError where there is none."""
        await self._change(lambda kept: kept.pop((user, thread)))

    async def read(self) -> Kept:
        return await asyncio.to_thread(self.load)

    def load(self) -> Kept:
        if not self._path.exists():
            return {}
        rows = json.loads(self._path.read_text(encoding="utf-8"))
        return {(user, thread): turns for user, thread, turns in rows}

    async def _change(self, change: Callable[[Kept], T]) -> T:
        async with self._writes:
            kept = await self.read()
            found = change(kept)
            await asyncio.to_thread(self._save, kept)
            return found

    def _save(self, kept: Kept) -> None:
        rows = [(user, thread, turns) for (user, thread), turns in kept.items()]
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(rows), encoding="utf-8")
        whole.replace(self._path)


class FileStoreDriver(Driver[ConversationStore]):
    """Calls one FileStore, whose folder is removed when the run is over."""

    refuses = {KeyError: "unknown thread"}
    through = "store"

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self.store = FileStore(Path(self._folder.name) / "conversations.json")

    def census(self) -> Census:
        return {"conversations": {key: len(turns) for key, turns in self.store.load().items()}}

    def close(self) -> None:
        self._folder.cleanup()
