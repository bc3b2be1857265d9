"""GET /threads, GET /threads/messages, DELETE /threads and DELETE /sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sessions.context import Contexts
from sessions.errors import RefusedError
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.messages.payloads import checked
from sessions.messages.thread_history import shown_turn
from sessions.registry import Registry
from sessions.routes.reply import Reply, refusal
from sessions.storage.failures import STORAGE_ERRORS, UNSTORED, StorageErrors
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore

REFUSALS = (RefusedError, *STORAGE_ERRORS)


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
