"""Take in what users send: check it, find its context, and put it into its thread's line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sessions.context import UserExecutionContext, WebSocketContext
from sessions.dependencies import Dependencies
from sessions.errors import RefusedError
from sessions.event import Json, WebSocket
from sessions.ids import IsolationKey
from sessions.manager import Connector
from sessions.messages.error_codes import code_of, told
from sessions.messages.message import (
    PRIORITIES,
    Draft,
    Message,
    Priority,
    draft_of,
    kind_of,
    parsed,
)
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
        self._dependencies = dependencies
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
        asked = WebSocketContext(connection.context, connection.connection_id)
        envelope = self._validate_message_format(asked, data)
        if envelope is None:
            return
        kind = self._extract_message_type(asked, envelope)
        if kind == "ping":
            await self._pong(asked, envelope)
        elif kind is not None:
            self._sanitize_and_queue_message(asked, kind, envelope)

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
        message = self._message(user_id, draft, asker, own)
        self._worker.put(message)
        return message

    def _validate_message_format(
        self, asked: WebSocketContext, data: str | bytes
    ) -> dict[str, Json] | None:
        try:
            return parsed(data, self._dependencies.settings.message_bytes_max)
        except RefusedError as error:
            self._refuse(asked, error)
            return None

    def _extract_message_type(
        self, asked: WebSocketContext, envelope: Mapping[str, Json]
    ) -> str | None:
        try:
            return kind_of(envelope)
        except RefusedError as error:
            self._refuse(asked, error)
            return None

    def _sanitize_and_queue_message(
        self, asked: WebSocketContext, kind: str, envelope: Mapping[str, Json]
    ) -> None:
        own = asked.context
        try:
            draft = draft_of(kind, envelope)
            asked = replace(asked, message_id=draft.message_id)
            if kind == "stop_agent":
                self._stop(asked, draft)
            else:
                self.accept(own.user_id, draft, asked.asker, own)
        except RefusedError as error:
            self._refuse(asked, error)

    async def _pong(self, asked: WebSocketContext, envelope: Mapping[str, Json]) -> None:
        try:
            draft = draft_of("ping", envelope)
            asked = replace(asked, message_id=draft.message_id)
            await self._router.ping(
                asked.context.user_id, asked.asker or "", draft.thread_id, draft.message_id
            )
        except RefusedError as error:
            self._refuse(asked, error)

    def _stop(self, asked: WebSocketContext, draft: Draft) -> None:
        own = asked.context
        key = IsolationKey(own.user_id, draft.thread_id or own.thread_id)
        running = self._stopper.running(key)
        self._stopper.stop(running, self._message(own.user_id, draft, asked.asker, own))

    def _message(
        self, user_id: str, draft: Draft, asker: str | None, own: UserExecutionContext | None
    ) -> Message:
        """Get the context of a message, of which the session takes note."""
        registry = self._dependencies.registry
        visit = registry.accept(user_id, draft.thread_id, draft.run_id, own)
        return Message(
            visit.context,
            draft.kind,
            draft.payload,
            visit.number,
            visit.used,
            draft.message_id,
            asker,
            PRIORITIES.get(draft.kind, Priority.NORMAL),
        )

    def _refuse(self, asked: WebSocketContext, error: RefusedError) -> None:
        code = code_of(error)
        assert code is not None, f"{error!r} has no code"  # each of these refusals has one
        self._router.error(asked, code, told(error))
