"""Quality messages: each reply has what was asked for, on the context of its message."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sessions.event import Json
from sessions.quality.answers import Answers
from sessions.quality.message_router import QualityMessageRouter
from sessions.quality.metrics_handler import QualityMetricsHandler
from sessions.quality.report_handler import QualityReportHandler
from sessions.quality.validation_handler import QualityValidationHandler
from sessions.queue.message import Message
from tests.sessions_quality import Outbox, Sent, asked
from tests.sessions_stores import Stores, context, stores

HOUR_S = 3_600


def metrics(hours: int = 24, agent_name: str | None = None) -> Message:
    return asked({"agent_name": agent_name, "period_hours": hours}, "get_quality_metrics")


def report(report_type: str, period: str = "day") -> Message:
    return asked({"report_type": report_type, "period": period}, "generate_quality_report")


def answers(kept: Stores) -> Answers:
    return Answers(kept.turns, kept.clock)


async def two_answers(kept: Stores) -> None:
    """Store a good answer, and an hour later a short one."""
    await kept.turns.append_user_turn(context(), "TODO")
    await kept.turns.append_agent_turn(context(), "That is a good question.")
    await kept.clock.move(HOUR_S)
    await kept.turns.append_user_turn(context(), "TODO")
    await kept.turns.append_agent_turn(context(), "No.")


@pytest.mark.parametrize(
    ("hours", "count", "average_score"), [(1, 1, 70), (2, 2, 85)], ids=["an hour", "two hours"]
)
def test_metrics_count_the_agents_turns_of_the_period(
    tmp_path: Path, hours: int, count: int, average_score: int
) -> None:
    """An answer of exactly an hour ago is not of the last hour; the user's own do not count."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await two_answers(kept)
            outbox = Outbox()
            handler = QualityMetricsHandler(answers(kept), outbox, "rule_based")
            message = metrics(hours)
            await handler.handle(message)

            fields: dict[str, Json] = {
                "agent_name": None,
                "period_hours": hours,
                "answers": count,
                "average_score": average_score,
            }
            assert outbox.answers == [Sent(message.context, "quality_metrics", fields, "m1", "c1")]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("agent_name", "count", "average_score"), [("rule_based", 2, 85), ("another", 0, None)]
)
def test_metrics_of_an_agent_are_its_own(
    tmp_path: Path, agent_name: str, count: int, average_score: int | None
) -> None:
    """An agent that is not there has no answers, and no average."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await two_answers(kept)
            outbox = Outbox()
            handler = QualityMetricsHandler(answers(kept), outbox, "rule_based")
            await handler.handle(metrics(agent_name=agent_name))

            assert outbox.answers[0].fields == {
                "agent_name": agent_name,
                "period_hours": 24,
                "answers": count,
                "average_score": average_score,
            }

    asyncio.run(run())


def test_summary_has_no_scores(tmp_path: Path) -> None:
    """A summary of a day has the count and the average of its answers."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await two_answers(kept)
            outbox = Outbox()
            message = report("summary")
            await QualityReportHandler(answers(kept), outbox).handle(message)

            fields: dict[str, Json] = {
                "report_type": "summary",
                "period": "day",
                "answers": 2,
                "average_score": 85,
            }
            assert outbox.answers == [
                Sent(message.context, "quality_report_generated", fields, "m1", "c1")
            ]

    asyncio.run(run())


def test_detailed_report_of_a_week_has_each_score(tmp_path: Path) -> None:
    """A day later the week still has both answers, each with its position."""

    async def run() -> None:
        async with stores(tmp_path) as kept:
            await two_answers(kept)
            await kept.clock.move(24 * HOUR_S)
            outbox = Outbox()
            handler = QualityReportHandler(answers(kept), outbox)
            await handler.handle(report("detailed", "day"))
            await handler.handle(report("detailed", "week"))

            assert [sent.fields["scores"] for sent in outbox.answers] == [
                [],
                [{"position": 2, "score": 100}, {"position": 4, "score": 70}],
            ]

    asyncio.run(run())


def test_validation_is_answered_with_all_that_was_found() -> None:
    """The verdict goes to the asker, on the message's context."""
    outbox = Outbox()
    message = asked({"content": "TODO", "content_type": "json", "strict_mode": True})

    asyncio.run(QualityValidationHandler(outbox).handle(message))

    fields: dict[str, Json] = {
        "content_type": "json",
        "strict_mode": True,
        "valid": False,
        "score": 0,
        "issues": ["too_short", "shouting", "placeholder", "not_json"],
    }
    assert outbox.answers == [
        Sent(message.context, "content_validation_result", fields, "m1", "c1")
    ]


def test_router_hands_each_message_to_the_handler_of_its_type() -> None:
    """The one of its type gets the message as it is, and no other does."""
    outbox, unused = Outbox(), Outbox()
    router = QualityMessageRouter(
        {
            "validate_content": QualityValidationHandler(outbox),
            "subscribe_quality_alerts": QualityValidationHandler(unused),
        }
    )
    message = asked({"content": "it is fine", "content_type": "text", "strict_mode": False})

    asyncio.run(router.handle(message))

    assert [sent.context for sent in outbox.answers] == [message.context]
    assert unused.answers == []
