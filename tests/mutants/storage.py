"""Database sessions, and the ends of what a connection holds, with one bug each."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.connections import Connections
from scenarios.database import Database
from scenarios.keys import Keys
from scenarios.restart import Restart
from tests.mutants import services, sessions

MakesIdsOfItsOwn = sessions.line(
    "MakesIdsOfItsOwn",
    "Makes a thread of its own, under websocket_factory, for a manager that it creates.",
    "manager.WebSocketManagerFactory._create",
    old="idle = self._check_limit(context.user_id)",
    new="user_id, ids = context.user_id, self._dependencies.ids\n"
    'thread_id, _, _ = ids.generate_user_context_ids(user_id, "websocket_factory")\n'
    "key = IsolationKey(user_id, thread_id)\n"
    "idle = self._check_limit(user_id)",
    scenario=Keys,
    keys_connect=1,
    keys_create_manager=1,
)
StoresUnderItsOwnIds = services.line(
    "StoresUnderItsOwnIds",
    "Makes ids of its own, under session, for a context that has some.",
    "storage.database.RequestScopedSessionFactory.create_session_from_context",
    old="session = RequestScopedSession(context,",
    new="from dataclasses import replace\n"
    'own = f"session_{context.request_id}"\n'
    'ids = {"thread_id": f"thread_{own}", "run_id": own, "websocket_connection_id": own}\n'
    "session = RequestScopedSession(replace(context, **ids),",
    scenario=Database,
    continuity_open_database_session=2,
    memory_delete_thread=2,
    memory_disconnect=2,
    memory_invalidate=2,
)
KeepsAfterError = services.line(
    "KeepsAfterError",
    "Makes sessions that stay open when their block raises.",
    "storage.database.RequestScopedSession.__aexit__",
    old="await self.close()",
    new="if not isinstance(error, Exception):\n    await self.close()",
    scenario=Database,
    memory_delete_thread=2,
    memory_raise_in_database=3,
    memory_say=3,
)
KeepsAfterCancellation = services.line(
    "KeepsAfterCancellation",
    "Makes sessions that stay open when their task is cancelled.",
    "storage.database.RequestScopedSession.__aexit__",
    old="await self.close()",
    new="if not isinstance(error, asyncio.CancelledError):\n    await self.close()",
    scenario=Database,
    memory_cancel_database=3,
    memory_wait=5,
    continuity_cancel_database=5,
    memory_cancel_database__places=4,
)
CountsClosedTwice = services.line(
    "CountsClosedTwice",
    "Counts each session that is closed twice.",
    "storage.database.RequestScopedSessionFactory._closed",
    old="self._sessions_open -= 1",
    new="self._sessions_open -= 2",
    scenario=Database,
    continuity_delete_thread=1,
    continuity_invalidate=2,
    continuity_post=1,
    continuity_say=2,
    continuity_thread_messages=1,
)
ForgetsTheLatest = services.line(
    "ForgetsTheLatest",
    "Stores each turn as that of the first message, so that a start knows no latest thread.",
    "storage.turn_store.TurnStore._asked_in",
    old='"last_used": used',
    new='"last_used": 0',
    scenario=Database,
    continuity_threads=3,
)
AnswersMakeLatest = services.line(
    "AnswersMakeLatest",
    "Takes an agent's answer for the user's last message: a late one moves a start to its thread. "
    "So did the service itself, until scenario `database` showed it.",
    "storage.turn_store.TurnStore.append_agent_turn",
    old="touched = await session.execute(THREAD_TOUCHED,",
    new="from sqlalchemy import func, select\n"
    "from sessions.storage.tables import THREADS\n"
    "latest = select(func.max(THREADS.c.used) + 1).scalar_subquery()\n"
    "touched = await session.execute(THREAD_TOUCHED.values(used=latest),",
    scenario=Database,
    continuity_threads=3,
)
LosesQuestions = services.line(
    "LosesQuestions",
    "Forgets, in a crash, what it has acknowledged and not answered. So did the service itself.",
    "messages.handlers.UnansweredQuestions.take_up",
    old="for question in await self._threads.unanswered():",
    new="for question in (await self._threads.unanswered())[:0]:",
    scenario=Restart,
    continuity_crash=2,
    continuity_restart=2,
)
AnswersAfterFailure = services.line(
    "AnswersAfterFailure",
    "Takes a question up again after a start though its agent has failed, which was told.",
    "messages.handlers.AgentRequestHandler.handle",
    old="except (AgentFailedError, AgentTimeoutError):",
    new="except ZeroDivisionError:",
    scenario=Restart,
    memory_crash=3,
    memory_restart=3,
)
AnswersAfterLastTry = services.line(
    "AnswersAfterLastTry",
    "Takes a question up again after a start though it became a dead letter.",
    "messages.handlers.AgentRequestHandler.handle",
    old="if self._queue.is_last_try(queued):",
    new="if False:",
    scenario=Restart,
    memory_crash=3,
    memory_restart=3,
    continuity_wait=3,
)
AnswersAfterStop = services.line(
    "AnswersAfterStop",
    "Takes a question up again after a start though its user has stopped it.",
    "messages.stop_agent.StopAgentHandler.stop",
    old="giving_up = self._stop(queued.message)",
    new="from dataclasses import replace\ngiving_up = self._stop(replace(queued.message, used=-1))",
    scenario=Restart,
    memory_crash=4,
    memory_restart=4,
)
LosesTheMessageId = services.line(
    "LosesTheMessageId",
    "Answers, after a start, without the message_id of the question.",
    "messages.handlers.UnansweredQuestions.take_up",
    old="question.message_id",
    new="None",
    scenario=Restart,
    continuity_thread_messages=4,
    continuity_post=4,
    continuity_wait=4,
    continuity_wait__told__turns__message_id=5,
    continuity_connect=5,
)
HidesTheAnswer = services.line(
    "HidesTheAnswer",
    "Tells who sends a question again that it was handled, and not the answer.",
    "messages.handlers._handled",
    old="for answer in answers:",
    new="for answer in answers[:0]:",
    scenario=Restart,
    continuity_say=3,
    continuity_post=2,
    continuity_wait=3,
    continuity_stop_agent=5,
)
LetsTwoServe = services.line(
    "LetsTwoServe",
    "Starts beside another process on one database, and both lose answers. So did the service.",
    "storage.lease.Lease._take",
    old="if not is_mine:",
    new="if False:",
    scenario=Restart,
    continuity_start_second=1,
)
LeavesManager = sessions.line(
    "LeavesManager",
    "Forgets the manager when its last connection has closed for good.",
    "manager.Connector.handle_websocket_disconnect",
    old="code == CLEAN",
    new="False",
    scenario=Connections,
    memory_disconnect=2,
    memory_disconnect__managers=3,
)
LeavesDatabaseSession = services.line(
    "LeavesDatabaseSession",
    "Forgets the database session of a connection that has ended.",
    "service.ChatService._connection_ended",
    old="self.session_factory.of_connection(connection.connection_id)",
    new="()",
    scenario=Database,
    memory_delete_thread=2,
    memory_disconnect=2,
    memory_invalidate=2,
)
DiesOfAnException = services.line(
    "DiesOfAnException",
    "Sweeps until the first exception, and never again.",
    "session_manager.Sweeper._run",
    old="await self._sweep_once()",
    new="await self._sweep()",
    scenario=Database,
    memory_metrics=(4, 5),
    continuity_wait=6,
    continuity_wait__storage_errors=(4, 5),
    memory_restart=6,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
