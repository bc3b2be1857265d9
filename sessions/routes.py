"""What an HTTP request comes to, whatever serves HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from sessions.context import check_id
from sessions.contexts import Contexts
from sessions.errors import RefusedError
from sessions.event import Event, Json
from sessions.ids import IsolationKey, UnifiedIdGenerator
from sessions.messages.error_codes import code_of, told
from sessions.messages.handlers import shown_turn
from sessions.messages.intake import Intake
from sessions.messages.message import Message, checked, draft_of
from sessions.registry import Registry
from sessions.router import PendingResponse, PendingResponses
from sessions.storage.failures import STORAGE_ERRORS, UNSTORED, StorageErrors
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore

STATUS = {
    "bad_json": 400,
    "bad_type": 422,
    "bad_payload": 422,
    "bad_id": 422,
    "too_large": 413,
    "unauthorized": 401,
    "session_limit": 429,
    "manager_limit": 429,
    "pool_timeout": 503,
    "queue_full": 503,
    "storage_error": 503,
    "agent_failed": 502,
    "agent_timeout": 504,
    "nothing_to_stop": 409,
}
CANCELLED = 409  # stopped, or its thread has ended
REFUSALS = (RefusedError, *STORAGE_ERRORS)


@dataclass(frozen=True, slots=True)
class Reply:
    """A status (RFC 9110, section 15) and a JSON object."""

    status: int
    body: Mapping[str, Json]


def refusal(error: Exception, thread_id: str | None = None) -> Reply:
    """Return what tells of an error; raises it again if it has no code."""
    code = code_of(error)
    if code is None:
        raise error
    return Reply(STATUS[code], {"code": code, "message": told(error), "thread_id": thread_id})


class AgentRoute:
    """Asks the agent without a connection, on the thread given, or else the user's latest."""

    def __init__(
        self,
        intake: Intake,
        responses: PendingResponses,
        ids: UnifiedIdGenerator,
        registry: Registry,
    ) -> None:
        self._intake = intake
        self._responses = responses
        self._ids = ids
        self._registry = registry

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
        await self._registry.until_over(message)
        self._responses.finish(message.asker)

    def _ask(self, user_id: str, body: Mapping[str, Json]) -> tuple[Message, PendingResponse]:
        draft = draft_of("user_message", {"payload": dict(body)})
        check_id("user_id", user_id)
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


class MessagesRoute:
    """Reads what is stored of a user's conversations. Creates and extends nothing."""

    def __init__(
        self,
        threads: ThreadStore,
        turns: TurnStore,
        contexts: Contexts,
        registry: Registry,
        storage_errors: StorageErrors,
    ) -> None:
        self._threads = threads
        self._turns = turns
        self._contexts = contexts
        self._registry = registry
        self._storage_errors = storage_errors

    async def threads(self, user_id: str) -> Reply:
        """List the conversations, that of the user's last message first."""
        try:
            check_id("user_id", user_id)
            stored = await self._threads.threads_of(user_id, self._live_since)
        except REFUSALS as error:
            return _refusal(self._storage_errors, error, "GET /threads", user_id)
        shown: list[Json] = [
            {"thread_id": each.thread_id, "last_active_at_s": each.active_at_s} for each in stored
        ]
        return Reply(200, {"threads": shown})

    async def messages(self, user_id: str, thread_id: str, limit: Json = None) -> Reply:
        """Show the latest turns of one thread, oldest first; none for a thread without any."""
        try:
            most = checked("get_thread_history", {"limit": limit})["limit"]
            assert isinstance(most, int)  # checked just now
            context = self._contexts.reading_context(user_id, thread_id)
            turns = await self._turns.latest_turns(context, most)
        except REFUSALS as error:
            return _refusal(
                self._storage_errors, error, "GET /threads/messages", user_id, thread_id
            )
        return Reply(200, {"thread_id": thread_id, "turns": [shown_turn(turn) for turn in turns]})

    def _live_since(self, key: IsolationKey) -> float | None:
        seen = self._registry.peek(*key)
        return seen.began_at_s if seen else None


class ThreadRoute:
    """Ends what a user has: one thread with all that is stored of it, or every session."""

    def __init__(
        self,
        delete_thread: Callable[[str, str], Awaitable[bool]],
        invalidate: Callable[[str], Awaitable[int]],
        storage_errors: StorageErrors,
    ) -> None:
        self._delete_thread = delete_thread
        self._invalidate = invalidate
        self._storage_errors = storage_errors

    async def delete_thread(self, user_id: str, thread_id: str) -> Reply:
        try:
            deleted = await self._delete_thread(user_id, thread_id)
        except REFUSALS as error:
            return _refusal(self._storage_errors, error, "DELETE /threads", user_id, thread_id)
        return Reply(200, {"thread_id": thread_id, "deleted": deleted})

    async def delete_sessions(self, user_id: str) -> Reply:
        try:
            ended = await self._invalidate(user_id)
        except REFUSALS as error:
            return _refusal(self._storage_errors, error, "DELETE /sessions", user_id)
        return Reply(200, {"ended": ended})


def _refusal(
    storage_errors: StorageErrors,
    error: Exception,
    what: str,
    user_id: str,
    thread_id: str | None = None,
) -> Reply:
    if isinstance(error, UNSTORED):
        storage_errors.note(error, what, user_id, thread_id)
    return refusal(error, thread_id)
