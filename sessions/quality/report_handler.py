"""Report how good a thread's answers were, in sum or one by one."""

from __future__ import annotations

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.quality.answers import Answers
from sessions.quality.scoring import average
from sessions.quality.seams import Sender
from sessions.queue.message import Message

PERIOD_HOURS = {"day": 24, "week": 168}


class QualityReportHandler:
    """Handles generate_quality_report."""

    def __init__(self, answers: Answers, sender: Sender) -> None:
        self._answers = answers
        self._sender = sender

    async def handle(self, message: Message) -> None:
        """Answer with the count and the average of a day or a week; detailed, with each score."""
        context = self._context(message)
        report_type, period = message.payload["report_type"], message.payload["period"]
        assert isinstance(period, str)  # as the message's entry has checked
        scored = await self._answers.scored(context, PERIOD_HOURS[period])
        fields: dict[str, Json] = {
            "report_type": report_type,
            "period": period,
            "answers": len(scored),
            "average_score": average([answer.score for answer in scored]),
        }
        if report_type == "detailed":
            fields["scores"] = [
                {"position": answer.position, "score": answer.score} for answer in scored
            ]
        self._sender.answer(
            context, "quality_report_generated", fields, message.message_id, message.asker
        )

    def _context(self, message: Message) -> UserExecutionContext:
        return message.context
