"""Hand each message to its handler, and tell what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TypeAlias

from sessions.errors import ThreadEndedError
from sessions.messages.deletions import Deletions
from sessions.messages.error_codes import code_of, told
from sessions.messages.lifetime import Lifetimes
from sessions.messages.message import AGENT_REQUESTS, Message, Queued
from sessions.router import Router
from sessions.storage.failures import UNSTORED, StorageErrors

Handle: TypeAlias = Callable[[Queued], Coroutine[object, object, None]]


class Dispatcher:
    """What the queue's worker calls (queue_worker.Handling).

    What has a code is told to the asker and done with; what has none is retried.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handle],
        lifetimes: Lifetimes,
        deletions: Deletions,
        router: Router,
        storage_errors: StorageErrors,
    ) -> None:
        self._handlers = handlers
        self._lifetimes = lifetimes
        self._deletions = deletions
        self._router = router
        self._storage_errors = storage_errors

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        await self._deletions.until_over(message.key)
        if self._lifetimes.is_over(message):
            return
        try:
            await self._handlers[message.kind](queued)
        except ThreadEndedError:
            return  # nobody is there to be told
        except Exception as error:
            code = code_of(error)
            if code is None:
                raise
            if isinstance(error, UNSTORED):
                self._storage_errors.note(error, message.kind, *message.key)
            self._router.error(message, code, told(error))

    async def until_over(self, message: Message) -> None:
        await self._lifetimes.until_over(message)

    def gave_up(self, message: Message) -> None:
        """Report to who asked the agent that it was not available."""
        if message.kind in AGENT_REQUESTS and not self._lifetimes.is_over(message):
            text = "the agent could not be had; ask again later"
            self._router.error(message, "agent_failed", text)
