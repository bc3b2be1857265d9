"""Take in what users send: check it, find its context, and put it into its thread's line."""

from __future__ import annotations

from dataclasses import replace

from sessions.context import UserExecutionContext, WebSocketContext
from sessions.dependencies import Dependencies
from sessions.errors import RefusedError
from sessions.event import WebSocket
from sessions.ids import IsolationKey
from sessions.manager import Connector
from sessions.messages.error_codes import code_of, told
from sessions.messages.message import Draft, Message, draft_from
from sessions.messages.stop_agent import StopAgentHandler
from sessions.queue import MessageQueue, QueueWorker
from sessions.router import Router


class Intake:
    """Refuses a message before it changes anything, or gets its context once and queues it.

    A refused message is answered on its connection's context (the contract, Messages).
    """

    def __init__(
        self,
        dependencies: Dependencies,
        connector: Connector,
        router: Router,
        queue: MessageQueue,
        worker: QueueWorker,
        stopper: StopAgentHandler,
    ) -> None:
        self._registry = dependencies.registry
        self._bytes_max = dependencies.settings.message_bytes_max
        self._connector = connector
        self._router = router
        self._queue = queue
        self._worker = worker
        self._stopper = stopper

    async def receive(self, websocket: WebSocket, data: str | bytes) -> None:
        """Take in one frame of a live connection; frames of others are ignored."""
        connection = self._connector.frame_of(websocket)
        if connection is None:
            return
        own = connection.context
        asked = WebSocketContext(own, connection.connection_id)
        try:
            draft = draft_from(data, self._bytes_max)
            asked = replace(asked, message_id=draft.message_id)
            if draft.kind == "ping":
                await self._router.ping(
                    own.user_id, connection.connection_id, draft.thread_id, draft.message_id
                )
            elif draft.kind == "stop_agent":
                self._stop(own, draft, connection.connection_id)
            else:
                self.accept(own.user_id, draft, connection.connection_id, own)
        except RefusedError as error:
            self._refuse(asked, error)

    def accept(
        self,
        user_id: str,
        draft: Draft,
        asker: str | None,
        own: UserExecutionContext | None = None,
    ) -> Message:
        """Get the context of a message, and queue it; raises RefusedError, and changed nothing.

        own is the context of the connection that it came by. The caller has checked user_id.
        """
        self._queue.check_room(user_id)
        visit = self._registry.accept(user_id, draft.thread_id, draft.run_id, own)
        message = draft.accepted(visit, asker)
        self._worker.put(message)
        return message

    def _stop(self, own: UserExecutionContext, draft: Draft, asker: str) -> None:
        key = IsolationKey(own.user_id, draft.thread_id or own.thread_id)
        running = self._stopper.running(key)
        visit = self._registry.accept(own.user_id, draft.thread_id, draft.run_id, own)
        self._stopper.stop(running, draft.accepted(visit, asker))

    def _refuse(self, asked: WebSocketContext, error: RefusedError) -> None:
        code = code_of(error)
        assert code is not None, f"{error!r} has no code"  # each of these refusals has one
        self._router.error(asked, code, told(error))
