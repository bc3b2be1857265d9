"""Stores of turns for a test, and contexts to store them under."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sessions.context import UserExecutionContext
from sessions.settings import Settings
from sessions.storage.database import RequestScopedSessionFactory
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore
from tests.sessions_clock import START_S, ManualClock
from tests.sessions_databases import opened


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores on one database, their clock, and the sessions that they use."""

    turns: TurnStore
    threads: ThreadStore
    clock: ManualClock
    sessions: RequestScopedSessionFactory


@asynccontextmanager
async def stores(
    folder: Path, settings: Settings | None = None, kind: str = "sqlite"
) -> AsyncIterator[Stores]:
    async with opened(folder, settings, kind) as (database, system, clock):
        sessions = RequestScopedSessionFactory(database, system.contexts)
        turns = TurnStore(sessions, database, clock, system.settings)
        threads = ThreadStore(database, clock, system.settings)
        yield Stores(turns, threads, clock, sessions)


def context(
    user_id: str = "ana", thread_id: str = "t", run_id: str = "r1", began_at_s: float = START_S
) -> UserExecutionContext:
    """Return a context of a session that began at a clock second."""
    return UserExecutionContext(user_id, thread_id, run_id, "q", created_at=began_at_s)
