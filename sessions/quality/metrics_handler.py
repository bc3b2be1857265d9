"""Tell how good a thread's answers were on average."""

from __future__ import annotations

from sessions.context import UserExecutionContext
from sessions.quality.answers import Answers
from sessions.quality.scoring import average
from sessions.quality.seams import Sender
from sessions.queue.message import Message


class QualityMetricsHandler:
    """Handles get_quality_metrics; agent_name is that of the only agent there is."""

    def __init__(self, answers: Answers, sender: Sender, agent_name: str) -> None:
        self._answers = answers
        self._sender = sender
        self._agent_name = agent_name

    async def handle(self, message: Message) -> None:
        """Answer with the count and the average score of the period's answers."""
        context = self._context(message)
        asked_for, hours = message.payload["agent_name"], message.payload["period_hours"]
        assert isinstance(hours, int)  # as the message's entry has checked
        scored = await self._answers.scored(context, hours)
        scores = [answer.score for answer in scored if asked_for in (None, self._agent_name)]
        fields = {
            "agent_name": asked_for,
            "period_hours": hours,
            "answers": len(scores),
            "average_score": average(scores),
        }
        self._sender.answer(context, "quality_metrics", fields, message.message_id, message.asker)

    def _context(self, message: Message) -> UserExecutionContext:
        return message.context
