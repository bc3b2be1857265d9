"""Services of which one line does not wait for what goes on, or shares what is one user's."""

from __future__ import annotations

from functools import partial

from drivers.service import ServiceDriver
from scenarios.service_overlap import (
    ServiceCancelled,
    ServiceCrash,
    ServiceFaults,
    ServiceOverlap,
    ServiceRestart,
)
from tests.mutants import line as of

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
DeliversTwice = line(
    "DeliversTwice",
    "Writes back what waits for a reconnect as it was before another one came.",
    "manager.Connector.connect",
    old="manager = self._factory.manager_of(context)",
    new="manager = self._factory.manager_of(context)\n"
    "waiting = manager._recovery.copy()\n"
    'await __import__("asyncio").sleep(0)\n'
    "manager._recovery = waiting",
)
KeepsTheThreadShut = line(
    "KeepsTheThreadShut",
    "Holds back a thread for good whose deletion was left by its caller.",
    "messages.handlers.Deletions.of",
    scenario=ServiceCancelled,
    old="finally:",
    new="except ZeroDivisionError:\n    raise\nelse:",
)
LeavesItsSession = line(
    "LeavesItsSession",
    "Keeps the database session, and the place, of a caller who has left.",
    "storage.database.RequestScopedSession.__aexit__",
    scenario=ServiceCancelled,
    old="await self.close()",
    new="if kind is not asyncio.CancelledError:\n    await self.close()",
)
TakesItsLockTwice = line(
    "TakesItsLockTwice",
    "Rolls back where a commit fails, for which it waits for the lock that it has.",
    "storage.database.RequestScopedSession.commit",
    scenario=ServiceFaults,
    old="self._needs_rollback = True",
    new="await self.rollback()",
)
ForgetsAtStop = line(
    "ForgetsAtStop",
    "Gives up, at a stop, what its agents are asked: it was acknowledged, and is not answered.",
    "messages.handlers.AgentRequestHandler.handle",
    scenario=ServiceRestart,
    old="except (AgentFailedError, AgentTimeoutError):",
    new="except (AgentFailedError, AgentTimeoutError, __import__('asyncio').CancelledError):",
)
AnswersByHalves = line(
    "AnswersByHalves",
    "Stores that a question is answered in one transaction, and the answer in the next.",
    "storage.turn_store.TurnStore.append_agent_turn",
    scenario=ServiceCrash,
    old='return await self._append(session, run, "agent", text, message_id)',
    new="await session.commit()\n"
    "await session.begin_writing()\n"
    'return await self._append(session, run, "agent", text, message_id)',
)

# Of a rare moment: its test plays it, and no search has to find it.
StopsTwice = line(
    "StopsTwice",
    "Stops a run again that was stopped, and whose worker is not free yet.",
    "messages.stop_agent.StopAgentHandler._has_begun",
    old="not worker.is_ending(queued) and",
    new="",
)

SERVICE_RACES = (
    AcknowledgesFirst,
    RemovesWhatCame,
    ReadsInTwo,
    SharesTheMessage,
    DeliversTwice,
    KeepsTheThreadShut,
    LeavesItsSession,
    TakesItsLockTwice,
    ForgetsAtStop,
    AnswersByHalves,
)
