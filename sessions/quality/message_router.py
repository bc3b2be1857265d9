"""Hand each quality message to the handler of its type."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.quality.seams import Handler
from sessions.queue.message import Message


class QualityMessageRouter:
    """Knows the handler of each type; the message goes on under the context it came with."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    async def handle(self, message: Message) -> None:
        """Let the handler of its type handle a message; raises KeyError for another type."""
        await self._handlers[message.kind].handle(self._passed_on(message))

    def _passed_on(self, message: Message) -> Message:
        return message
