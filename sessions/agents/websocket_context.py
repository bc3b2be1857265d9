"""What a message is answered on, whether it came over a WebSocket or by HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.context import UserExecutionContext
from sessions.queue.message import Message


@dataclass(frozen=True, slots=True)
class WebSocketContext:
    """The context of a message, who asked, and which message is answered.

    A context of its own, for which no HTTP request is made up. asker is a connection id, or the
    id of an HTTP exchange; answers to one who has left are dropped.
    """

    context: UserExecutionContext
    asker: str | None = None
    message_id: str | None = None

    @classmethod
    def of(cls, message: Message) -> WebSocketContext:
        return cls(message.context, message.asker, message.message_id)
