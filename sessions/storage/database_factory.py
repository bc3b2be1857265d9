"""Make the database sessions, and close them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from sessions.context import Contexts, UserExecutionContext
from sessions.storage.database import Database
from sessions.storage.database_session import RequestScopedSession
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseGauges:
    """How many database sessions are open, and how many places of the pool are taken."""

    sessions_open: int
    places_taken: int


class RequestScopedSessionFactory:
    """Makes a database session for a context, under that context's ids and no others.

    Both ways to make one can be awaited, for an owner who closes it, or used as `async with`.
    """

    def __init__(self, database: Database, contexts: Contexts) -> None:
        self._database = database
        self._contexts = contexts
        self._tasks = Tasks()
        self._open: dict[RequestScopedSession, None] = {}
        self._sessions_open = 0

    def create_session_from_context(self, context: UserExecutionContext) -> RequestScopedSession:
        """Open a session of a context; it connects to nothing before its first statement."""
        logger.info("Creating session from existing context: %s", context.thread_id)
        session = RequestScopedSession(context, self._database, self._tasks, self._closed)
        self._open[session] = None
        self._sessions_open += 1
        return session

    def create_session(
        self, user_id: str, operation: str = "database_session"
    ) -> RequestScopedSession:
        """Get the context of a user's latest thread, or of a new one, and open its session.

        operation names the caller in the log, and is no part of any id. Raises
        InvalidContextError and SessionLimitError.
        """
        context = self._contexts.get_user_execution_context(user_id)
        logger.info("Getting context for %s: %s", operation, context.thread_id)
        return self.create_session_from_context(context)

    def of_connection(self, connection_id: str) -> list[RequestScopedSession]:
        """Return the open sessions that were awaited on a connection's contexts, to end with it.

        Those of an `async with` end with their block, such as that of a turn being stored.
        """
        return [session for session in self._open if self._is_of(session, connection_id)]

    async def close(self) -> None:
        """Close every session, and return when the last has given back its place."""
        await asyncio.gather(*(session.close() for session in list(self._open)))
        await self._tasks.ended()

    def gauges(self) -> DatabaseGauges:
        """Return how many are open and at work now."""
        return DatabaseGauges(self._sessions_open, self._database.places.taken)

    def _is_of(self, session: RequestScopedSession, connection_id: str) -> bool:
        return session.was_awaited and session.context.websocket_connection_id == connection_id

    def _closed(self, session: RequestScopedSession) -> None:
        del self._open[session]
        self._sessions_open -= 1
