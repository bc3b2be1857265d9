"""Database sessions, and the ends of what a connection holds, with one bug each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import TracebackType
from typing import cast

from sqlalchemy import and_, func, select, update
from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.database import Database
from scenarios.keys import Keys
from sessions.connection import Connection
from sessions.connector import Connector
from sessions.context import UserExecutionContext
from sessions.factory import WebSocketManagerFactory
from sessions.key import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from sessions.service import ChatService
from sessions.storage.database_factory import RequestScopedSessionFactory
from sessions.storage.database_session import RequestScopedSession
from sessions.storage.tables import THREADS
from sessions.storage.turn_store import TurnStore
from sessions.sweeper import Sweeper
from tests.mutants.services import service_mutant
from tests.mutants.sessions import mutant


@mutant("make_factory", Keys, keys_connect=1, keys_create_manager=1)
class MakesIdsOfItsOwn(WebSocketManagerFactory):
    """Makes a thread of its own, under websocket_factory, for a manager that it creates."""

    def _create(self, key: IsolationKey, context: UserExecutionContext) -> IsolatedWebSocketManager:
        ids = self._parts.ids
        thread_id, _, _ = ids.generate_user_context_ids(context.user_id, "websocket_factory")
        return super()._create(IsolationKey(context.user_id, thread_id), context)


@service_mutant(
    "session_factory",
    Database,
    continuity_open_database_session=2,
    memory_delete_thread=2,
    memory_disconnect=2,
    memory_invalidate=2,
)
class StoresUnderItsOwnIds(RequestScopedSessionFactory):
    """Makes ids of its own, under session, for a context that has some."""

    def _make_session(self, context: UserExecutionContext) -> RequestScopedSession:
        own = f"session_{context.request_id}"
        return super()._make_session(
            replace(context, thread_id=f"thread_{own}", run_id=own, websocket_connection_id=own)
        )


class _KeptOnError(RequestScopedSession):
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            await super().__aexit__(kind, error, traceback)


class _KeptOnCancellation(RequestScopedSession):
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, asyncio.CancelledError):
            await super().__aexit__(kind, error, traceback)


@service_mutant(
    "session_factory", Database, memory_delete_thread=2, memory_raise_in_database=3, memory_say=3
)
class KeepsAfterError(RequestScopedSessionFactory):
    """Makes sessions that stay open when their block raises."""

    def _make_session(self, context: UserExecutionContext) -> RequestScopedSession:
        return _KeptOnError(context, self._database, self._tasks, self._closed)


@service_mutant(
    "session_factory",
    Database,
    memory_cancel_database=3,
    memory_wait=5,
    continuity_cancel_database=5,
    memory_cancel_database__places=4,
)
class KeepsAfterCancellation(RequestScopedSessionFactory):
    """Makes sessions that stay open when their task is cancelled."""

    def _make_session(self, context: UserExecutionContext) -> RequestScopedSession:
        return _KeptOnCancellation(context, self._database, self._tasks, self._closed)


@service_mutant(
    "session_factory",
    Database,
    continuity_delete_thread=1,
    continuity_invalidate=2,
    continuity_post=1,
    continuity_say=2,
    continuity_thread_messages=1,
)
class CountsClosedTwice(RequestScopedSessionFactory):
    """Counts each session that is closed twice."""

    def _closed(self, session: RequestScopedSession) -> None:
        super()._closed(session)
        self._sessions_open -= 1


@service_mutant("turns", Database, continuity_threads=3)
class ForgetsTheLatest(TurnStore):
    """Stores each turn as that of the first message, so that a start knows no latest thread."""

    async def append_user_turn(
        self,
        context: UserExecutionContext,
        text: str,
        message_id: str | None = None,
        *,
        used: int = 0,
    ) -> int:
        return await super().append_user_turn(context, text, message_id)


@service_mutant("turns", Database, continuity_threads=3)
class AnswersMakeLatest(TurnStore):
    """Takes an agent's answer for the user's last message: a late one moves a start to its thread.

    So did the service itself, until scenario `database` showed it.
    """

    async def append_agent_turn(
        self, context: UserExecutionContext, text: str, message_id: str | None = None
    ) -> int:
        position = await super().append_agent_turn(context, text, message_id)
        is_its_own = and_(
            THREADS.c.user_id == context.user_id, THREADS.c.thread_id == context.thread_id
        )
        async with self._sessions.create_session_from_context(context) as session:
            await session.begin_writing()
            latest = select(func.max(THREADS.c.used) + 1).scalar_subquery()
            await session.execute(update(THREADS).where(is_its_own).values(used=latest))
            await session.commit()
        return position


@mutant("make_connector", Connections, memory_disconnect=2, memory_disconnect__managers=3)
class LeavesManager(Connector):
    """Forgets the manager when its last connection has closed for good."""

    def _is_clean(self, code: int) -> bool:
        return False


@service_mutant(
    "service", Database, memory_delete_thread=2, memory_disconnect=2, memory_invalidate=2
)
class LeavesDatabaseSession(ChatService):
    """Forgets the database session of a connection that has ended."""

    def _connection_ended(self, connection: Connection) -> None:
        return


@service_mutant("sweeper", Database, memory_metrics=(4, 5), continuity_wait=6, memory_restart=6)
class DiesOfAnException(Sweeper):
    """Sweeps until the first exception, and never again."""

    async def _sweep_once(self) -> None:
        await self._sweep()


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        MakesIdsOfItsOwn,
        StoresUnderItsOwnIds,
        KeepsAfterError,
        KeepsAfterCancellation,
        CountsClosedTwice,
        ForgetsTheLatest,
        AnswersMakeLatest,
        LeavesManager,
        LeavesDatabaseSession,
        DiesOfAnException,
    ),
)
