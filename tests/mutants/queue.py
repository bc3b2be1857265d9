"""Queues with one bug each."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.queue import Queue
from sessions.queue.message import Message, Queued
from sessions.queue.message_queue import MessageQueue
from tests.mutants.services import on_new_context, service_mutant


@service_mutant("queue", Queue, continuity_history=2, continuity_say=2, continuity_post=1)
class QueuesOnNewContext(MessageQueue):
    """Makes a context for each message that it takes in, as the seeds' message_queue did."""

    def _kept(self, message: Message) -> Message:
        return on_new_context(super()._kept(message))


@service_mutant("queue", Queue, continuity_history=2, continuity_say=2, continuity_post=1)
class LosesThreadAndRun(MessageQueue):
    """Keeps whose a message is, and neither its thread nor its run."""

    def _kept(self, message: Message) -> Message:
        lost = replace(message.context, thread_id="default", run_id="default")
        return replace(super()._kept(message), context=lost)


@service_mutant("queue", Queue, continuity_post=1, continuity_say=2)
class RetriesAtOnce(MessageQueue):
    """Retries without a delay, as often as it may."""

    def _retry_delay_s(self, failures: int) -> float | None:
        delay_s = super()._retry_delay_s(failures)
        return None if delay_s is None else 0.0


@service_mutant(
    "queue",
    Queue,
    continuity_post=2,
    continuity_quality_metrics=3,
    continuity_say=3,
    continuity_stop_agent=5,
    continuity_wait=3,
    continuity_post__requests=3,
    continuity_wait__requests=4,
)
class DeletesOnPoll(MessageQueue):
    """Forgets all other messages when one is taken, as a poll that clears its list."""

    def take(self) -> Queued | None:
        queued = super().take()
        if queued:
            self.remove(lambda message: message is not queued.message)
        return queued


MUTANTS = cast(
    "tuple[Mutant, ...]", (QueuesOnNewContext, LosesThreadAndRun, RetriesAtOnce, DeletesOnPoll)
)
