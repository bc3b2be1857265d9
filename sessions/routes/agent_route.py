"""POST /agents/message and POST /agents/stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from sessions.errors import RefusedError
from sessions.event import Event, Json
from sessions.ids import UnifiedIdGenerator
from sessions.messages.intake import Intake
from sessions.messages.lifetime import Lifetimes
from sessions.queue.message import Message
from sessions.router import PendingResponse, PendingResponses
from sessions.routes.reply import STATUS, Reply, refusal

CANCELLED = 409  # stopped, or its thread has ended


class AgentRoute:
    """Asks the agent without a connection, on the thread given, or else the user's latest."""

    def __init__(
        self,
        intake: Intake,
        responses: PendingResponses,
        ids: UnifiedIdGenerator,
        lifetimes: Lifetimes,
    ) -> None:
        self._intake = intake
        self._responses = responses
        self._ids = ids
        self._lifetimes = lifetimes

    async def process_agent_message(self, user_id: str, body: Mapping[str, Json]) -> Reply:
        """Answer with the agent's reply, once it is stored."""
        try:
            message, response = self._ask(user_id, body)
        except RefusedError as error:
            return refusal(error)
        last: Event | None = None
        async with aclosing(self._events(message, response)) as events:
            async for event in events:
                last = event
        return _reply(message, last)

    async def stream_response(
        self, user_id: str, body: Mapping[str, Json]
    ) -> Reply | AsyncIterator[dict[str, Json]]:
        """Answer with each event of the request as it comes, or with why there will be none."""
        try:
            message, response = self._ask(user_id, body)
        except RefusedError as error:
            return refusal(error)
        return self._shown(message, response)

    async def _shown(
        self, message: Message, response: PendingResponse
    ) -> AsyncGenerator[dict[str, Json], None]:
        async with aclosing(self._events(message, response)) as events:
            async for event in events:
                yield event.as_json()

    async def _events(
        self, message: Message, response: PendingResponse
    ) -> AsyncGenerator[Event, None]:
        """Yield what comes of a message, until its session ends: it may never be handled."""
        over = asyncio.create_task(self._finish_when_over(message))
        try:
            async for event in response.events():
                yield event
        finally:
            over.cancel()
            self._responses.finish(message.asker)

    async def _finish_when_over(self, message: Message) -> None:
        await self._lifetimes.until_over(message)
        self._responses.finish(message.asker)

    def _ask(self, user_id: str, body: Mapping[str, Json]) -> tuple[Message, PendingResponse]:
        draft = self._intake.draft("user_message", {"payload": dict(body)})
        name = self._ids.generate_base_id("exchange")
        response = self._responses.open(name)
        try:
            return self._intake.accept(user_id, draft, name), response
        except RefusedError:
            self._responses.finish(name)
            raise


def _reply(message: Message, last: Event | None) -> Reply:
    """Return the reply to a request, by the last of its events."""
    ids: dict[str, Json] = {
        "thread_id": message.key.thread_id,
        "run_id": message.context.run_id,
        "message_id": message.message_id,
    }
    fields = dict(last.fields) if last else {}
    match last.kind if last else None:
        case "agent_completed":
            return Reply(200, ids | fields)
        case "already_handled":
            return Reply(200, ids | fields | {"already_handled": True})
        case "error":
            return Reply(STATUS[str(fields["code"])], fields | {"thread_id": message.key.thread_id})
    text = "the request was cancelled: it was stopped, or its thread has ended"
    told: dict[str, Json] = {"code": "agent_failed", "message": text}
    return Reply(CANCELLED, told | {"thread_id": message.key.thread_id})
