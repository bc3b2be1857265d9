"""DELETE /threads and DELETE /sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sessions.errors import RefusedError
from sessions.messages.codes import STORAGE_ERRORS
from sessions.routes.reply import Reply, refusal


class ThreadRoute:
    """Ends what a user has: one thread with all that is stored of it, or every session."""

    def __init__(
        self,
        delete_thread: Callable[[str, str], Awaitable[bool]],
        invalidate: Callable[[str], Awaitable[int]],
    ) -> None:
        self._delete_thread = delete_thread
        self._invalidate = invalidate

    async def delete_thread(self, user_id: str, thread_id: str) -> Reply:
        try:
            deleted = await self._delete_thread(user_id, thread_id)
        except (RefusedError, *STORAGE_ERRORS) as error:
            return refusal(error, thread_id)
        return Reply(200, {"thread_id": thread_id, "deleted": deleted})

    async def delete_sessions(self, user_id: str) -> Reply:
        try:
            ended = await self._invalidate(user_id)
        except (RefusedError, *STORAGE_ERRORS) as error:
            return refusal(error)
        return Reply(200, {"ended": ended})
