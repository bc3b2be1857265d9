"""Quality: scores of texts, reports on them, and alerts to the threads that subscribed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from sessions.clock import Clock
from sessions.context import UserExecutionContext, WebSocketContext
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.manager import WebSocketManagerFactory
from sessions.messages.message import Message, Queued
from sessions.router import Router
from sessions.storage.turn_store import TurnStore

HOUR_S = 3_600
PERIOD_HOURS = {"day": 24, "week": 168}
LENGTH_MIN = 10
STRICT_LENGTH_MIN = 40
# Anybody may say these, but no answer that is done does.
PLACEHOLDERS = ("todo", "lorem ipsum")
SCORE_MAX = 100
POINTS_PER_ISSUE = 30
VALID_SCORE_MIN = 50

Answer: TypeAlias = tuple[str, dict[str, Json]]


class ScoredAnswer(NamedTuple):
    """The position of an agent's turn, and its score."""

    position: int
    score: int


class QualityHandler:
    """Answers each quality message under the context it came with; agent_name is the only agent's.

    The fields of a payload were checked when the message was accepted.
    """

    def __init__(
        self,
        manager: QualityManager,
        turns: TurnStore,
        clock: Clock,
        router: Router,
        agent_name: str,
    ) -> None:
        self._manager = manager
        self._turns = turns
        self._clock = clock
        self._router = router
        self._agent_name = agent_name

    async def handle(self, queued: Queued) -> None:
        """Answer a message; raises KeyError for another type, and what storage raises."""
        message = queued.message
        kind, fields = await self._answer(message)
        self._router.answer(message, kind, fields)

    async def _answer(self, message: Message) -> Answer:
        context, payload = message.context, message.payload
        match message.kind:
            case "subscribe_quality_alerts":
                return self._subscription(context, payload)
            case "get_quality_metrics":
                return await self._metrics(context, payload)
            case "generate_quality_report":
                return await self._report(context, payload)
            case "validate_content":
                return _validation(payload)
        raise KeyError(message.kind)

    def _subscription(self, context: UserExecutionContext, payload: Mapping[str, Json]) -> Answer:
        """Subscribe or unsubscribe the thread, and say what holds now."""
        if payload["action"] == "subscribe":
            subscribed = self._manager.subscribe(context)
        else:
            subscribed = self._manager.unsubscribe(context)
        return f"quality_alerts_{'subscribed' if subscribed else 'unsubscribed'}", {}

    async def _metrics(self, context: UserExecutionContext, payload: Mapping[str, Json]) -> Answer:
        """Return the count and the average score of the period's answers."""
        asked_for, hours = payload["agent_name"], payload["period_hours"]
        assert isinstance(hours, int)
        scored = await self._scored(context, hours)
        scores = [answer.score for answer in scored if asked_for in (None, self._agent_name)]
        return "quality_metrics", {
            "agent_name": asked_for,
            "period_hours": hours,
            "answers": len(scores),
            "average_score": average(scores),
        }

    async def _report(self, context: UserExecutionContext, payload: Mapping[str, Json]) -> Answer:
        """Return the count and the average of a day or a week; detailed, with each score."""
        report_type, period = payload["report_type"], payload["period"]
        assert isinstance(period, str)
        scored = await self._scored(context, PERIOD_HOURS[period])
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
        return "quality_report_generated", fields

    async def _scored(self, context: UserExecutionContext, hours: int) -> list[ScoredAnswer]:
        """Return the answers on a thread of less than so many hours ago, oldest first."""
        since_s = self._clock.now() - hours * HOUR_S
        turns = await self._turns.agent_turns_since(context, since_s)
        return [ScoredAnswer(turn.position, score_of(issues_of(turn.text))) for turn in turns]


class QualityManager:
    """One subscription for each thread, under the context of the message that asked for it.

    A subscription ends with its thread's manager: whoever ends that calls ended(). Synchronous,
    for the event loop of the system.
    """

    def __init__(self, factory: WebSocketManagerFactory, router: Router) -> None:
        self._factory = factory
        self._router = router
        self._subscriptions: dict[IsolationKey, UserExecutionContext] = {}

    def subscribe(self, context: UserExecutionContext) -> bool:
        """Subscribe a context's thread, in place of an older subscription of it.

        Returns False, and leaves the thread without a subscription, if it has no live manager.
        """
        self.unsubscribe(context)
        key = IsolationKey(context.user_id, context.thread_id)
        has_manager = self._factory.find(key) is not None
        if has_manager:
            self._subscriptions[key] = context
        return has_manager

    def unsubscribe(self, context: UserExecutionContext) -> bool:
        """End the subscription of a context's thread; returns False: it is not subscribed now."""
        self._subscriptions.pop(IsolationKey(context.user_id, context.thread_id), None)
        return False

    def ended(self, key: IsolationKey) -> None:
        """Note that a thread's manager has ended."""
        self._subscriptions.pop(key, None)

    def subscriptions(self) -> dict[IsolationKey, UserExecutionContext]:
        """Return the subscriptions of live managers, as a copy."""
        return {
            key: context
            for key, context in self._subscriptions.items()
            if self._factory.find(key) is not None
        }

    def broadcast(self, kind: str, payload: Mapping[str, Json]) -> None:
        """Send each subscribed thread an event of its own, on its own subscription's context."""
        for key in self.subscriptions():
            context = self._subscriptions[key]
            self._router.publish(WebSocketContext(context), kind, copy.deepcopy(dict(payload)))


def issues_of(content: str, content_type: str = "text", *, strict: bool = False) -> list[str]:
    """Name what is wrong with a text: too_short, shouting, placeholder, not_json, in this order."""
    found = {
        "too_short": len(content.strip()) < (STRICT_LENGTH_MIN if strict else LENGTH_MIN),
        "shouting": content == content.upper() != content.lower(),
        "placeholder": any(word in content.lower() for word in PLACEHOLDERS),
        "not_json": content_type == "json" and not _is_json(content),
    }
    return [issue for issue, applies in found.items() if applies]


def score_of(issues: Sequence[str]) -> int:
    """Return 100 less 30 for each issue, and never less than 0."""
    return max(0, SCORE_MAX - POINTS_PER_ISSUE * len(issues))


def is_valid(issues: Sequence[str], *, strict: bool) -> bool:
    """Return whether a text is valid: if strict, without any issue, else with a score of 50."""
    return not issues if strict else score_of(issues) >= VALID_SCORE_MIN


def average(scores: Sequence[int]) -> int | None:
    """Return the mean, rounded down; None without scores."""
    return sum(scores) // len(scores) if scores else None


def _validation(payload: Mapping[str, Json]) -> Answer:
    """Return the issues of a content, its score, and whether it is valid; nothing is stored."""
    content, content_type = payload["content"], payload["content_type"]
    assert isinstance(content, str)
    strict = payload["strict_mode"] is True
    issues = issues_of(content, str(content_type), strict=strict)
    return "content_validation_result", {
        "content_type": content_type,
        "strict_mode": strict,
        "valid": is_valid(issues, strict=strict),
        "score": score_of(issues),
        "issues": [*issues],
    }


def _is_json(content: str) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
