"""Queues with one bug each."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.queue import Queue
from tests.mutants.services import ANEW, line

QueuesOnNewContext = line(
    "QueuesOnNewContext",
    "Makes a context for each message that it takes in, as the seeds' message_queue did.",
    "queue.MessageQueue.put",
    old="self._add(message",
    new=ANEW + "self._add(on_new_context(message)",
    scenario=Queue,
    continuity_history=2,
    continuity_say=2,
    continuity_post=1,
)
LosesThreadAndRun = line(
    "LosesThreadAndRun",
    "Keeps whose a message is, and neither its thread nor its run.",
    "queue.MessageQueue.put",
    old="self._add(message",
    new='lost = replace(message.context, thread_id="default", run_id="default")\n'
    "self._add(replace(message, context=lost)",
    scenario=Queue,
    continuity_history=2,
    continuity_say=2,
    continuity_post=1,
)
RetriesAtOnce = line(
    "RetriesAtOnce",
    "Retries without a delay, as often as it may.",
    "queue.MessageQueue._retry_delay_s",
    old="RETRY_DELAYS_S[failures]",
    new="0.0",
    scenario=Queue,
    continuity_post=1,
    continuity_say=2,
)
DeletesOnPoll = line(
    "DeletesOnPoll",
    "Forgets all other messages when one is taken, as a poll that clears its list.",
    "queue.MessageQueue.take",
    old="return found",
    new="if found:\n    self.remove(lambda message: message is not found.message)\nreturn found",
    scenario=Queue,
    continuity_history=3,
    continuity_post=2,
    continuity_quality_metrics=3,
    continuity_say=3,
    continuity_stop_agent=5,
    continuity_wait=3,
    continuity_post__requests=3,
    continuity_wait__requests=4,
)
FillsWithOneUser = line(
    "FillsWithOneUser",
    "Lets one user fill the queue of all. So did the service itself.",
    "queue.MessageQueue._is_at_limit",
    old="is_full or",
    new="is_full or self._size_of(user_id) < 0 and",
    scenario=Queue,
    continuity_history=4,
    continuity_say=4,
    continuity_post=3,
)
LendsEveryWorker = line(
    "LendsEveryWorker",
    "Lets one user's agents take all workers. So did the service itself.",
    "queue.QueueWorker._take",
    old=">= self._most_per_user",
    new=">= self._most",
    scenario=Queue,
    continuity_quality_metrics=3,
    continuity_say=3,
    continuity_wait=3,
    continuity_history=3,
    continuity_subscribe=3,
    isolation_say=3,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
