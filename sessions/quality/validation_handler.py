"""Judge a text that a user gave."""

from __future__ import annotations

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.quality.scoring import is_valid, issues_of, score_of
from sessions.quality.seams import Sender
from sessions.queue.message import Message


class QualityValidationHandler:
    """Handles validate_content; it stores nothing."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def handle(self, message: Message) -> None:
        """Answer with the issues of the content, its score, and whether it is valid."""
        context = self._context(message)
        content, content_type = message.payload["content"], message.payload["content_type"]
        assert isinstance(content, str)  # as the message's entry has checked
        strict = message.payload["strict_mode"] is True
        issues = issues_of(content, str(content_type), strict=strict)
        fields: dict[str, Json] = {
            "content_type": content_type,
            "strict_mode": strict,
            "valid": is_valid(issues, strict=strict),
            "score": score_of(issues),
            "issues": [*issues],
        }
        self._sender.answer(
            context, "content_validation_result", fields, message.message_id, message.asker
        )

    def _context(self, message: Message) -> UserExecutionContext:
        return message.context
