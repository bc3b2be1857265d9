"""Services of which one line gives way in the wrong place, or does not wait for what goes on."""

from __future__ import annotations

from functools import partial

from drivers.service import ServiceDriver
from scenarios.service_overlap import ServiceOverlap
from tests.mutants import line as of

GIVE_WAY = '__import__("asyncio").sleep(0)'  # what an await of anything does, at least

line = partial(of.line, ServiceDriver, "sessions", scenario=ServiceOverlap)

AcknowledgesFirst = line(
    "AcknowledgesFirst",
    "Acknowledges a message before it is handled: the next of its thread begins beside it.",
    "queue.QueueWorker._work",
    old="handling = asyncio.create_task(self._handling.handle(queued))",
    new="self._queue.succeeded(queued)\n"
    "handling = asyncio.create_task(self._handling.handle(queued))",
)
RemovesWhatCame = line(
    "RemovesWhatCame",
    "Handles what is said on a thread while it is deleted, and deletes that too.",
    "service.ChatService.delete_thread",
    old="with self.wiring.deletions.of(key):",
    new="if True:",
)
DeletesBesideAHandling = line(
    "DeletesBesideAHandling",
    "Deletes a thread while the handling of a message of it is still ending.",
    "queue.QueueWorker.drop",
    old="await asyncio.wait(ending)",
    new="pass",
)
EndsLaterSessions = line(
    "EndsLaterSessions",
    "Ends in the store what a user has begun after the invalidation.",
    "service.ChatService.invalidate_user_sessions",
    old="await self.wiring.threads.end_sessions(user_id, used)",
    new="await self.wiring.threads.end_sessions(user_id, self.system.registry.used_so_far())",
)
StopsTwice = line(
    "StopsTwice",
    "Stops a run again while its end goes on.",
    "messages.stop_agent.StopAgentHandler._has_begun",
    old="not worker.is_ending(queued) and",
    new="",
)
TellsAfterTheStop = line(
    "TellsAfterTheStop",
    "Tells what an agent says between its stop and its end.",
    "messages.handlers.AgentRequestHandler.stop",
    old="self._agents.stop(message)",
    new="pass",
)
ReadsInTwo = line(
    "ReadsInTwo",
    "Reads the last turn of a thread in one transaction, and the others in the next.",
    "routes.MessagesRoute.messages",
    old="turns = await self._turns.latest_turns(context, most)",
    new="last = await self._turns.latest_turns(context, 1)\n"
    "turns = [*(await self._turns.latest_turns(context, most))[:-1], *last]",
)
SharesTheMessage = line(
    "SharesTheMessage",
    "Keeps the message that an agent answers in the handler of all, while the agent runs.",
    "messages.handlers.AgentRequestHandler.handle",
    old="reply = await self._agents.run(message, _request(message, queued.begun))",
    new="self._message = message\n"
    "reply = await self._agents.run(message, _request(message, queued.begun))\n"
    "message = self._message",
)
KeepsAPlace = line(
    "KeepsAPlace",
    "Keeps the place of a handling that is cancelled while it waits for the database.",
    "storage.database.Places.held",
    old="finally:",
    new="except ZeroDivisionError:\n    pass\nelse:",
)
DeliversTwice = line(
    "DeliversTwice",
    "Writes back what waits for a reconnect as it was before another one came.",
    "manager.Connector.connect",
    old="manager = await self._factory.create_manager(context)",
    new="manager = await self._factory.create_manager(context)\n"
    "waiting = manager._recovery.copy()\n"
    f"await {GIVE_WAY}\n"
    "manager._recovery = waiting",
)

SERVICE_RACES = (
    AcknowledgesFirst,
    RemovesWhatCame,
    DeletesBesideAHandling,
    EndsLaterSessions,
    StopsTwice,
    TellsAfterTheStop,
    ReadsInTwo,
    SharesTheMessage,
    KeepsAPlace,
    DeliversTwice,
)
