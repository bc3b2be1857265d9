"""Handlers of messages with one bug each: the seeds' main finding, place by place.

In each a context is made where the message's own should have been handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.agents import Agents
from scenarios.database import Database
from sessions.agents.agent_handler import AgentHandler
from sessions.agents.websocket_context import WebSocketContext
from sessions.context import UserExecutionContext
from sessions.errors import AgentTimeoutError
from sessions.event import Json
from sessions.messages.intake import Intake
from sessions.messages.start_agent import StartAgentHandler
from sessions.messages.thread_history import ThreadHistoryHandler
from sessions.messages.user_message import UserMessageHandler
from sessions.queue.message import Begun, Message
from tests.mutants.services import new_context, on_new_context, service_mutant


def asked_anew(asked: WebSocketContext) -> WebSocketContext:
    return replace(asked, context=new_context(asked.context))


@service_mutant("start_agent", Agents, continuity_start_agent=2, continuity_stop_agent=4)
class StartsElsewhere(StartAgentHandler):
    """Stores what an agent is asked for on a new thread (_setup_thread_and_run)."""

    async def _setup_thread_and_run(self, message: Message) -> Begun | None:
        return await super()._setup_thread_and_run(on_new_context(message))


@service_mutant("start_agent", Agents, continuity_post=3, continuity_start_agent=2)
class CompletesElsewhere(StartAgentHandler):
    """Stores what the agent answers on a new thread (_send_agent_completion)."""

    async def _send_agent_completion(self, message: Message, reply: str) -> None:
        await super()._send_agent_completion(on_new_context(message), reply)


@service_mutant("user_message", Agents, continuity_post=1, continuity_post_stream=1)
class HearsElsewhere(UserMessageHandler):
    """Stores what a user says on a new thread (_setup_user_message_thread)."""

    async def _setup_user_message_thread(self, message: Message) -> Begun | None:
        return await super()._setup_user_message_thread(on_new_context(message))


@service_mutant(
    "user_message",
    Agents,
    continuity_post=1,
    continuity_post_stream=1,
    continuity_say=2,
    continuity_post__told=2,
)
class AnswersElsewhere(UserMessageHandler):
    """Stores what is answered to a user on a new thread (_send_user_message_completion)."""

    async def _send_user_message_completion(self, message: Message, reply: str) -> None:
        await super()._send_user_message_completion(on_new_context(message), reply)


@service_mutant(
    "user_message",
    Agents,
    continuity_wait=3,
    continuity_wait__managers=4,
    continuity_wait__told__position=5,
)
class KeepsTheLastThread(UserMessageHandler):
    """Keeps on itself whose message it began last, and answers on that one's thread."""

    _last: UserExecutionContext

    async def _setup_user_message_thread(self, message: Message) -> Begun | None:
        self._last = message.context
        return await super()._setup_user_message_thread(message)

    async def _send_user_message_completion(self, message: Message, reply: str) -> None:
        await super()._send_user_message_completion(replace(message, context=self._last), reply)


@service_mutant("thread_history", Database, continuity_history=2)
class RemembersElsewhere(ThreadHistoryHandler):
    """Reads the history of a new thread, which has none."""

    async def _send_history(self, message: Message) -> None:
        await super()._send_history(on_new_context(message))


@service_mutant("intake", Agents, continuity_malformed=2)
class ValidatesElsewhere(Intake):
    """Tells of a message without form on a new thread (_validate_message_format)."""

    def _validate_message_format(
        self, asked: WebSocketContext, data: str | bytes
    ) -> dict[str, Json] | None:
        return super()._validate_message_format(asked_anew(asked), data)


@service_mutant("intake", Agents, continuity_malformed=2)
class ExtractsElsewhere(Intake):
    """Tells of an unknown type on a new thread (_extract_message_type)."""

    def _extract_message_type(
        self, asked: WebSocketContext, envelope: Mapping[str, Json]
    ) -> str | None:
        return super()._extract_message_type(asked_anew(asked), envelope)


@service_mutant("intake", Agents, continuity_malformed=2, continuity_say=2, continuity_stop_agent=2)
class QueuesElsewhere(Intake):
    """Takes a message for one of a new thread (_sanitize_and_queue_message)."""

    def _sanitize_and_queue_message(
        self, asked: WebSocketContext, kind: str, envelope: Mapping[str, Json]
    ) -> None:
        super()._sanitize_and_queue_message(asked_anew(asked), kind, envelope)


@service_mutant(
    "agent_handler",
    Agents,
    continuity_post_stream=1,
    continuity_say=2,
    continuity_start_agent=2,
    continuity_stop_agent=4,
)
class FailsElsewhere(AgentHandler):
    """Tells that an agent failed on a new thread."""

    def _report_failure(self, asked: WebSocketContext, error: Exception) -> None:
        super()._report_failure(asked_anew(asked), error)


@service_mutant("agent_handler", Agents, continuity_wait=2)
class TimesOutElsewhere(AgentHandler):
    """Tells that an agent took too long on a new thread."""

    def _report_timeout(self, asked: WebSocketContext, error: AgentTimeoutError) -> None:
        super()._report_timeout(asked_anew(asked), error)


MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        StartsElsewhere,
        CompletesElsewhere,
        HearsElsewhere,
        AnswersElsewhere,
        KeepsTheLastThread,
        RemembersElsewhere,
        ValidatesElsewhere,
        ExtractsElsewhere,
        QueuesElsewhere,
        FailsElsewhere,
        TimesOutElsewhere,
    ),
)
