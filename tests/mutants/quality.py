"""Parts of quality with one bug each: ids made where none were given, as the seeds' audit found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.quality import Quality
from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.quality.alert_handler import QualityAlertHandler
from sessions.quality.manager import QualityManager
from sessions.quality.message_router import QualityMessageRouter
from sessions.quality.metrics_handler import QualityMetricsHandler
from sessions.quality.report_handler import QualityReportHandler
from sessions.quality.validation_handler import QualityValidationHandler
from sessions.queue.message import Message
from tests.mutants.services import new_context, on_new_context, service_mutant


@service_mutant("quality_alerts", Quality, continuity_subscribe=2, continuity_wait=4)
class SubscribesElsewhere(QualityAlertHandler):
    """Subscribes a new thread to alerts (quality_alert_handler)."""

    def _context(self, message: Message) -> UserExecutionContext:
        return new_context(message.context)


@service_mutant("quality_metrics", Quality, continuity_quality_metrics=2)
class MeasuresElsewhere(QualityMetricsHandler):
    """Measures a new thread (quality_metrics_handler)."""

    def _context(self, message: Message) -> UserExecutionContext:
        return new_context(message.context)


@service_mutant("quality_reports", Quality, continuity_quality_report=2)
class ReportsElsewhere(QualityReportHandler):
    """Reports on a new thread (quality_report_handler)."""

    def _context(self, message: Message) -> UserExecutionContext:
        return new_context(message.context)


@service_mutant("quality_validation", Quality, continuity_validate=2)
class JudgesElsewhere(QualityValidationHandler):
    """Answers for a new thread (quality_validation_handler)."""

    def _context(self, message: Message) -> UserExecutionContext:
        return new_context(message.context)


@service_mutant("quality", Quality, continuity_broadcast=3)
class BroadcastsElsewhere(QualityManager):
    """Alerts new threads instead of those that asked (quality_manager)."""

    def _context(self, key: IsolationKey) -> UserExecutionContext:
        return new_context(super()._context(key))


@service_mutant(
    "quality_router",
    Quality,
    continuity_quality_metrics=2,
    continuity_quality_report=2,
    continuity_validate=2,
)
class RoutesElsewhere(QualityMessageRouter):
    """Hands messages on with new ids (quality_message_router)."""

    def _passed_on(self, message: Message) -> Message:
        return on_new_context(message)


@service_mutant("quality_metrics", Quality, continuity_quality_metrics=2)
class AnswersOnTheDefaultThread(QualityMetricsHandler):
    """Answers on the thread "default", whatever thread asked."""

    def _context(self, message: Message) -> UserExecutionContext:
        return replace(message.context, thread_id="default")


@service_mutant("quality", Quality, continuity_broadcast=5)
class BroadcastsAsTheLast(QualityManager):
    """Sends every broadcast with the ids of whoever subscribed last."""

    _last: UserExecutionContext

    def subscribe(self, context: UserExecutionContext) -> bool:
        subscribed = super().subscribe(context)
        if subscribed:
            self._last = context
        return subscribed

    def _context(self, key: IsolationKey) -> UserExecutionContext:
        return self._last


@service_mutant("quality", Quality, continuity_broadcast=3, continuity_broadcast__told=4)
class ReusesThePayload(QualityManager):
    """Writes for which thread it is into the one payload that all are sent."""

    def _payload(
        self, payload: Mapping[str, Json], context: UserExecutionContext
    ) -> Mapping[str, Json]:
        shared = cast("dict[str, Json]", payload)
        shared["text"] = f"{shared['text']} for {context.thread_id}"
        return shared


@service_mutant("quality", Quality, memory_connect=4)
class KeepsSubscriptions(QualityManager):
    """Forgets to end a subscription with its manager, so that the next one there is alerted."""

    def ended(self, key: IsolationKey) -> None:
        return


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        SubscribesElsewhere,
        MeasuresElsewhere,
        ReportsElsewhere,
        JudgesElsewhere,
        BroadcastsElsewhere,
        RoutesElsewhere,
        AnswersOnTheDefaultThread,
        BroadcastsAsTheLast,
        ReusesThePayload,
        KeepsSubscriptions,
    ),
)
