"""Quality with one bug each: ids made where none were given, as the seeds' audit found."""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.quality import Quality
from tests.mutants.services import ANEW, line

SubscribesElsewhere = line(
    "SubscribesElsewhere",
    "Subscribes a new thread to alerts (quality_alert_handler).",
    "quality.alert_handler.QualityAlertHandler.handle",
    old="context = self._context(message)",
    new=ANEW + "context = new_context(message.context)",
    scenario=Quality,
    continuity_subscribe=2,
    continuity_wait=4,
)
MeasuresElsewhere = line(
    "MeasuresElsewhere",
    "Measures a new thread (quality_metrics_handler).",
    "quality.metrics_handler.QualityMetricsHandler.handle",
    old="context = self._context(message)",
    new=ANEW + "context = new_context(message.context)",
    scenario=Quality,
    continuity_quality_metrics=2,
)
ReportsElsewhere = line(
    "ReportsElsewhere",
    "Reports on a new thread (quality_report_handler).",
    "quality.report_handler.QualityReportHandler.handle",
    old="context = self._context(message)",
    new=ANEW + "context = new_context(message.context)",
    scenario=Quality,
    continuity_quality_report=2,
)
JudgesElsewhere = line(
    "JudgesElsewhere",
    "Answers for a new thread (quality_validation_handler).",
    "quality.validation_handler.QualityValidationHandler.handle",
    old="context = self._context(message)",
    new=ANEW + "context = new_context(message.context)",
    scenario=Quality,
    continuity_validate=2,
)
BroadcastsElsewhere = line(
    "BroadcastsElsewhere",
    "Alerts new threads instead of those that asked (quality_manager).",
    "quality.manager.QualityManager.broadcast",
    old="context = self._context(key)",
    new=ANEW + "context = new_context(self._context(key))",
    scenario=Quality,
    continuity_broadcast=3,
)
RoutesElsewhere = line(
    "RoutesElsewhere",
    "Hands messages on with new ids (quality_message_router).",
    "quality.message_router.QualityMessageRouter.handle",
    old="await self._handlers[message.kind].handle(self._passed_on(message))",
    new=ANEW + "await self._handlers[message.kind].handle(on_new_context(message))",
    scenario=Quality,
    continuity_quality_metrics=2,
    continuity_quality_report=2,
    continuity_validate=2,
)
AnswersOnTheDefaultThread = line(
    "AnswersOnTheDefaultThread",
    'Answers on the thread "default", whatever thread asked.',
    "quality.metrics_handler.QualityMetricsHandler.handle",
    old="context = self._context(message)",
    new='from dataclasses import replace\ncontext = replace(message.context, thread_id="default")',
    scenario=Quality,
    continuity_quality_metrics=2,
)
BroadcastsAsTheLast = line(
    "BroadcastsAsTheLast",
    "Sends every broadcast with the ids of whoever subscribed last.",
    "quality.manager.QualityManager.broadcast",
    old="self._context(key)",
    new="self._last",
    also=(
        Change(
            "sessions.quality.manager.QualityManager.subscribe",
            old="self._subscriptions[key] = context",
            new="self._subscriptions[key] = self._last = context",
        ),
    ),
    scenario=Quality,
    continuity_broadcast=5,
)
ReusesThePayload = line(
    "ReusesThePayload",
    "Writes for which thread it is into the one payload that all are sent.",
    "quality.manager.QualityManager._payload",
    old="return copy.deepcopy(dict(payload))",
    new="payload['text'] = f\"{payload['text']} for {context.thread_id}\"\nreturn payload",
    scenario=Quality,
    continuity_broadcast=3,
    continuity_broadcast__told=4,
)
KeepsSubscriptions = line(
    "KeepsSubscriptions",
    "Forgets to end a subscription with its manager, so that the next one there is alerted.",
    "quality.manager.QualityManager.ended",
    old="self._subscriptions.pop(key, None)",
    new="return",
    scenario=Quality,
    memory_connect=4,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
