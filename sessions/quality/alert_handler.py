"""Let a thread hear of quality, or no longer."""

from __future__ import annotations

from sessions.context import UserExecutionContext
from sessions.quality.manager import QualityManager
from sessions.quality.seams import Sender
from sessions.queue.message import Message


class QualityAlertHandler:
    """Handles subscribe_quality_alerts: a thread has one subscription, whoever of it asked."""

    def __init__(self, manager: QualityManager, sender: Sender) -> None:
        self._manager = manager
        self._sender = sender

    async def handle(self, message: Message) -> None:
        """Subscribe or unsubscribe, and answer what holds now: without a manager nobody hears."""
        context = self._context(message)
        if message.payload["action"] == "subscribe":
            subscribed = self._manager.subscribe(context)
        else:
            subscribed = self._manager.unsubscribe(context)
        kind = "quality_alerts_subscribed" if subscribed else "quality_alerts_unsubscribed"
        self._sender.answer(context, kind, {}, message.message_id, message.asker)

    def _context(self, message: Message) -> UserExecutionContext:
        return message.context
