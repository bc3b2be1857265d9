"""The driver of our own store of turns, on SQLite that runs on no thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from contextlib import closing
from itertools import count
from operator import attrgetter
from typing import Any

from threadline import Census, Driver

from drivers.disk import Process, make_disk
from models.stored_turns import StoredTurns
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.errors import PoolTimeoutError, ThreadEndedError
from sessions.ids import IsolationKey
from sessions.storage.database import Database, RequestScopedSessionFactory
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore

SIZES = "SELECT user_id, thread_id, count(*) FROM turns GROUP BY user_id, thread_id"
THREADS = "SELECT user_id, thread_id FROM threads"


class StoredTurnsDriver(Driver[StoredTurns]):
    """Calls both stores on one database, each call in a database session of its own."""

    refuses = {ThreadEndedError: "ended", PoolTimeoutError: attrgetter("reason")}
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3")

    def __init__(self, pool_size: int = 10, retention_s: float = 2_592_000) -> None:
        settings = Settings(pool_size=pool_size, retention_s=retention_s)
        self._disk = make_disk()
        self._process = Process(self._disk)
        self._database = Database(
            self.clock, settings, self._disk.url, make_engine=self._process.make_engine
        )
        contexts = ChatSystem(settings=settings, clock=self.clock).contexts
        self._sessions = RequestScopedSessionFactory(self._database, contexts)
        self._turns = TurnStore(self._sessions, self._database, self.clock, settings)
        self._threads = ThreadStore(self._database, self.clock, settings)
        self._requests = count(1)

    async def say(self, user: str, thread: str, run: str, message: str) -> int:
        context = self._context(user, thread, run)
        return await self._turns.append_user_turn(context, "hello", message)

    async def answer(self, user: str, thread: str, run: str) -> int:
        return await self._turns.append_agent_turn(self._context(user, thread, run), "hello")

    async def history(self, user: str, thread: str, limit: int) -> list[list[object]]:
        turns = await self._turns.latest_turns(self._context(user, thread), limit)
        return [[turn.position, turn.role, turn.run_id] for turn in turns]

    async def handled(self, user: str, thread: str, message: str) -> bool:
        return bool(await self._turns.of_message(self._context(user, thread), message))

    async def delete(self, user: str, thread: str) -> None:
        await self._turns.delete_thread(self._context(user, thread))

    async def end(self, user: str) -> None:
        await self._threads.end_sessions(user, used=0)

    async def threads_of(self, user: str) -> list[str]:
        found = await self._threads.threads_of(user, lambda _: None)
        return sorted(thread.thread_id for thread in found)

    async def remove_due(self, user: str, thread: str, ago_s: int | None) -> int:
        since_s = None if ago_s is None else self.clock.now() - ago_s
        live = {IsolationKey(user, thread): since_s}
        return await self._threads.remove_due(live.get)

    def say_first(self, user: str, thread: str, run: str, message: str) -> list[int]:
        """Return the results of both, which wait for the place of writers in this order.

        The removal has read by then which threads are due.
        """
        writers, tasks = self._database.writers, list[asyncio.Task[int]]()
        assert writers is not None
        self.pump.call(writers.take())
        removal = self.remove_due(user, thread, None)
        for work in (self.say(user, thread, run, message), removal):
            tasks.append(self.pump.call(self._begun(work)))
            self.pump.settle()
        writers.give_back()
        self.pump.settle()
        return [task.result() for task in tasks]

    async def _begun(self, work: Coroutine[Any, Any, int]) -> asyncio.Task[int]:
        return asyncio.create_task(work)

    def census(self) -> Census:
        gauges, writers = self._sessions.gauges(), self._database.writers
        with closing(sqlite3.connect(self._disk.path, timeout=0)) as reader:
            turns: dict[tuple[str, str], int] = dict.fromkeys(reader.execute(THREADS), 0)
            turns |= {(user, thread): number for user, thread, number in reader.execute(SIZES)}
        return {
            "turns": turns,
            "places": {"taken": gauges.places_taken, "writing": writers.taken if writers else 0},
            "sessions": gauges.sessions_open,
            "transactions": self._process.transactions,
        }

    def close(self) -> None:
        self._process.crash()
        super().close()
        self._disk.remove()

    def _context(self, user: str, thread: str, run: str = "r") -> UserExecutionContext:
        request = f"q{next(self._requests)}"
        return UserExecutionContext(user, thread, run, request, created_at=self.clock.now())
