"""Quality with one bug each: ids made where none were given, as the seeds' audit found."""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.quality import Quality
from tests.mutants.services import ANEW, line


def elsewhere(kind: str) -> str:
    """Return what handles the messages of one type, and no other, on a context made for each."""
    return (
        f"{ANEW}message = queued.message\n"
        f"if message.kind == {kind!r}:\n"
        "    message = on_new_context(message)"
    )


SubscribesElsewhere = line(
    "SubscribesElsewhere",
    "Subscribes a new thread to alerts (quality_alert_handler).",
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new=elsewhere("subscribe_quality_alerts"),
    scenario=Quality,
    continuity_subscribe=2,
    continuity_wait=4,
)
MeasuresElsewhere = line(
    "MeasuresElsewhere",
    "Measures a new thread (quality_metrics_handler).",
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new=elsewhere("get_quality_metrics"),
    scenario=Quality,
    continuity_quality_metrics=2,
)
ReportsElsewhere = line(
    "ReportsElsewhere",
    "Reports on a new thread (quality_report_handler).",
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new=elsewhere("generate_quality_report"),
    scenario=Quality,
    continuity_quality_report=2,
)
JudgesElsewhere = line(
    "JudgesElsewhere",
    "Answers for a new thread (quality_validation_handler).",
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new=elsewhere("validate_content"),
    scenario=Quality,
    continuity_validate=2,
)
BroadcastsElsewhere = line(
    "BroadcastsElsewhere",
    "Alerts new threads instead of those that asked (quality_manager).",
    "quality.QualityManager.broadcast",
    old="context = self._subscriptions[key]",
    new=ANEW + "context = new_context(self._subscriptions[key])",
    scenario=Quality,
    continuity_broadcast=3,
)
RoutesElsewhere = line(
    "RoutesElsewhere",
    "Hands messages on with new ids (quality_message_router).",
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new=ANEW + "message = on_new_context(queued.message)",
    scenario=Quality,
    continuity_quality_metrics=2,
    continuity_quality_report=2,
    continuity_validate=2,
)
AnswersOnTheDefaultThread = line(
    "AnswersOnTheDefaultThread",
    'Answers on the thread "default", whatever thread asked.',
    "quality.QualityHandler.handle",
    old="message = queued.message",
    new="from dataclasses import replace\n"
    "message = queued.message\n"
    "if message.kind == 'get_quality_metrics':\n"
    "    message = replace(message, context=replace(message.context, thread_id='default'))",
    scenario=Quality,
    continuity_quality_metrics=2,
)
BroadcastsAsTheLast = line(
    "BroadcastsAsTheLast",
    "Sends every broadcast with the ids of whoever subscribed last.",
    "quality.QualityManager.broadcast",
    old="self._subscriptions[key]",
    new="self._last",
    also=(
        Change(
            "sessions.quality.QualityManager.subscribe",
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
    "quality.QualityManager.broadcast",
    old="self._router.publish(WebSocketContext(context), kind, copy.deepcopy(dict(payload)))",
    new="payload['text'] = f\"{payload['text']} for {context.thread_id}\"\n"
    "self._router.publish(WebSocketContext(context), kind, payload)",
    scenario=Quality,
    continuity_broadcast=3,
    continuity_broadcast__told=4,
)
KeepsSubscriptions = line(
    "KeepsSubscriptions",
    "Forgets to end a subscription with its manager, so that the next one there is alerted.",
    "quality.QualityManager.ended",
    old="self._subscriptions.pop(key, None)",
    new="return",
    scenario=Quality,
    memory_connect=4,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
