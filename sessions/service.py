"""The whole chat service: a session manager, with storage, agents, a queue, and quality."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from sessions.agents.agent import Agent, RuleBasedAgent
from sessions.context import UserExecutionContext
from sessions.event import CLEAN, DELETED, Connection, Json, WebSocket
from sessions.ids import IsolationKey
from sessions.manager import IsolatedWebSocketManager
from sessions.metrics import Refusals
from sessions.session_manager import ChatSystem, Sweeper
from sessions.storage.database import Database, RequestScopedSession
from sessions.storage.failures import UNSTORED
from sessions.wiring import ServiceCensus, ServiceMetrics, Wiring


class ChatService:
    """Serves conversations over sockets and by HTTP, all on one ChatSystem and one database.

    start() and stop() are its life, on one event loop. Without a database it is SQLite in the file
    sessions.db.
    """

    def __init__(
        self,
        system: ChatSystem | None = None,
        *,
        database: Database | None = None,
        agent: Agent | None = None,
    ) -> None:
        self.system = system or ChatSystem()
        self.settings = self.system.settings
        self.database = database or Database(self.system.clock, self.settings)
        self.wiring = Wiring(self.system, self.database, agent or RuleBasedAgent(), self)
        self.agent_route = self.wiring.agent_route
        self.messages_route = self.wiring.messages_route
        self.thread_route = self.wiring.thread_route
        self.session_factory = self.wiring.session_factory
        self.readiness = self.wiring.readiness
        self.quality = self.wiring.quality
        self.storage_errors = self.wiring.storage_errors
        self.refusals = Refusals()
        self._sweeper = Sweeper(self.system.dependencies, self._sweep, UNSTORED)
        self.system.connector.on_connection_end = self._connection_ended
        self.system.factory.on_manager_end = self._manager_ended

    async def start(self) -> None:
        """Make the tables, let the stored sessions and questions go on, and begin to work.

        Raises what the database raises.
        """
        await self.database.open()
        self.system.registry.count_on(await self.wiring.threads.last_used())
        for thread in await self.wiring.threads.threads_to_load():
            self.system.registry.restore(
                thread.user_id, thread.thread_id, thread.run_id, thread.active_at_s
            )
        await self.wiring.unanswered.take_up()
        self.wiring.worker.start()
        self._sweeper.start()

    async def stop(self) -> None:
        """End all that runs, close sockets with 1001 and the database; wait for every task."""
        await self._sweeper.stop()
        await self.wiring.worker.stop()
        self.system.router.responses.finish_all()
        await self.system.stop()
        await self.session_factory.close()
        await self.database.close()

    async def __aenter__(self) -> ChatService:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def handle_websocket_connection(
        self,
        websocket: WebSocket,
        user_id: str,
        thread_id: str | None = None,
        connection_id: str | None = None,
    ) -> UserExecutionContext:
        """Connect a socket (Connector.connect), with a database session for as long as it lives.

        That is kept as websocket.db_session, and takes no place of the pool until it is used.
        """
        connector = self.system.connector
        context = await connector.connect(websocket, user_id, thread_id, connection_id)
        session = await self.session_factory.create_session_from_context(context)
        setattr(websocket, "db_session", session)  # noqa: B010  # no socket declares it
        return context

    async def handle_websocket_disconnect(self, websocket: WebSocket, code: int = CLEAN) -> bool:
        """See Connector.handle_websocket_disconnect."""
        return await self.system.connector.handle_websocket_disconnect(websocket, code)

    async def receive(self, websocket: WebSocket, data: str | bytes) -> None:
        """Take in one frame of a socket; whatever comes of it is sent as events."""
        await self.wiring.intake.receive(websocket, data)

    async def until_room(self, user_id: str) -> None:
        """Return once the queue has room for a message of a user, or after queue_wait_s.

        Until then a socket of that user need not be read, so that a flood waits where it comes
        from; a frame that is received all the same is told queue_full.
        """
        await self.wiring.queue.until_room(user_id)

    async def invalidate_user_sessions(self, user_id: str) -> int:
        """End all that a user has going on, and store that; return how many sessions were live.

        Conversations stay. Raises InvalidContextError; and what storage raises, when all has
        ended already.
        """
        ended = await self.system.invalidate_user_sessions(user_id)
        used = self.system.registry.used_so_far()
        self.wiring.queue.remove_user(user_id)
        await self.wiring.worker.drop(lambda message: message.key.user_id == user_id)
        await self.wiring.threads.end_sessions(user_id, used)
        return ended

    async def delete_thread(self, user_id: str, thread_id: str) -> bool:
        """End all that goes on on a thread, and remove its turns; return whether it was there.

        Raises InvalidContextError; and what storage raises, when all but the turns is gone.
        """
        context = self.system.contexts.reading_context(user_id, thread_id)
        key = IsolationKey(user_id, thread_id)
        was_live = self.system.registry.end_thread(user_id, thread_id)
        self.wiring.queue.remove_thread(user_id, thread_id)
        if manager := self.system.factory.find(key):
            self.system.factory.end(manager, DELETED)
        with self.wiring.deletions.of(key):
            await self.wiring.worker.drop(lambda message: message.key == key)
            had_turns = bool(await self.wiring.turns.latest_turns(context, 1))
            await self.wiring.turns.delete_thread(context)
        return was_live or had_turns

    async def broadcast_quality_update(self, payload: Mapping[str, Json]) -> None:
        """Send a quality update to every subscribed thread."""
        self.quality.broadcast("quality_update", payload)

    async def broadcast_quality_alert(self, payload: Mapping[str, Json]) -> None:
        """Send a quality alert to every subscribed thread."""
        self.quality.broadcast("quality_alert", payload)

    async def sweep(self) -> None:
        """Free all that is due, then remove the conversations that are; raises storage errors."""
        self.system.sweep()
        await self.wiring.worker.drop(self.system.registry.is_over)
        await self.wiring.threads.remove_due(self._live_since)

    def census(self) -> ServiceCensus:
        """Return what is live now, beside what the system holds."""
        return self.wiring.census()

    def metrics(self) -> ServiceMetrics:
        """Return a copy of the counts, in which what is due by now has ended."""
        return self.wiring.metrics()

    async def _sweep(self) -> None:
        try:
            await self.sweep()
        except UNSTORED as error:
            self.storage_errors.note(error, "the sweep")
            raise

    async def _close(self, session: RequestScopedSession) -> None:
        try:
            await session.close()
        except UNSTORED as error:
            context = session.context
            what = "the close of a database session"
            self.storage_errors.note(error, what, context.user_id, context.thread_id)

    def _live_since(self, key: IsolationKey) -> float | None:
        seen = self.system.registry.peek(*key)
        return seen.began_at_s if seen else None

    def _connection_ended(self, connection: Connection) -> None:
        for session in self.session_factory.of_connection(connection.connection_id):
            self.system.dependencies.tasks.start(
                self._close(session), "close of a database session"
            )

    def _manager_ended(self, manager: IsolatedWebSocketManager) -> None:
        self.quality.ended(manager.key)
