"""Handle the messages of the queue, several threads' at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from sessions.clock import Clock
from sessions.messages.message import Message, Queued
from sessions.queue.message_queue import MessageQueue
from sessions.settings import Settings
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)


class Handling(Protocol):
    """What is done with a message."""

    async def handle(self, queued: Queued) -> None:
        """Handle a message; one that raises has failed, and is retried."""
        ...

    async def until_over(self, message: Message) -> None:
        """Return once a message has nobody left to be handled for."""
        ...

    def gave_up(self, message: Message) -> None:
        """Report a message that becomes a dead letter."""
        ...


class QueueWorker:
    """One task that takes messages from a queue, and starts a task for each, so many at once.

    It goes on whatever a handling raises. A handling that is cancelled is done with. A message
    that was being handled when the worker was stopped is handled again after the next start.
    """

    def __init__(
        self,
        queue: MessageQueue,
        handling: Handling,
        clock: Clock,
        tasks: Tasks,
        settings: Settings,
    ) -> None:
        self._queue = queue
        self._handling = handling
        self._clock = clock
        self._tasks = tasks
        self._most = settings.queue_workers
        self._most_per_user = settings.queue_workers_per_user
        self._busy: Counter[str] = Counter()  # how many are handled, by user
        self._task: asyncio.Task[None] | None = None
        self._at_work: dict[asyncio.Task[None], Queued] = {}
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Begin to work; raises RuntimeError if it has begun already."""
        if self._task is not None:
            raise RuntimeError("the queue worker is running; stop it before you start it again")
        self._task = self._tasks.start(self._run(), "queue worker")

    async def stop(self) -> None:
        """End the work, and wait for its end; does nothing if it is not running."""
        if self._task is not None:
            task, self._task = self._task, None
            ending = [task, *self._at_work]
            for each in ending:
                each.cancel()
            await asyncio.wait(ending)

    def put(self, message: Message) -> None:
        """Add a message, and wake the worker; raises QueueFullError."""
        self._queue.put(message)
        self._changed.set()

    async def drop(self, chosen: Callable[[Message], bool]) -> None:
        """Forget the messages chosen, and return when the handling of each has ended.

        That is cancelled before the first wait, so that nothing more comes of it.
        """
        ending = [task for task, queued in self._at_work.items() if chosen(queued.message)]
        for task in ending:
            task.cancel()
        self._queue.remove(chosen)
        self._changed.set()
        if ending:
            await asyncio.wait(ending)

    def is_at(self, queued: Queued) -> bool:
        """Return whether a message is being handled."""
        return any(each is queued for each in self._at_work.values())

    def is_ending(self, queued: Queued) -> bool:
        """Return whether the handling of a message was cancelled, and has not ended so far."""
        return any(task.cancelling() > 0 for task, each in self._at_work.items() if each is queued)

    def cancel(self, queued: Queued) -> None:
        """Forget one message; the next of its thread follows when its handling has ended."""
        at_work = [task for task, each in self._at_work.items() if each is queued]
        for task in at_work:
            task.cancel()
        if not at_work:
            self._queue.succeeded(queued)
            self._changed.set()

    async def _run(self) -> None:
        while True:
            # Before the look, so that what comes after it is not missed.
            self._changed.clear()
            while len(self._at_work) < self._most and (queued := self._take()):
                self._begin(queued)
            await self._wait()

    def _take(self) -> Queued | None:
        return self._queue.take(lambda user_id: self._busy[user_id] >= self._most_per_user)

    def _begin(self, queued: Queued) -> None:
        self._busy[queued.message.key.user_id] += 1
        task = self._tasks.start(self._work(queued), f"message {queued.arrival}")
        self._at_work[task] = queued
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        queued = self._at_work.pop(task)
        user_id = queued.message.key.user_id
        self._busy[user_id] -= 1
        if not self._busy[user_id]:
            del self._busy[user_id]
        if task.cancelled():  # before it began
            self._cancelled(queued)
        self._changed.set()

    async def _work(self, queued: Queued) -> None:
        handling = asyncio.create_task(self._handling.handle(queued))
        over = asyncio.create_task(self._handling.until_over(queued.message))
        # This task is ours, and so is its cancellation: what it was at has to be settled first.
        with suppress(asyncio.CancelledError):
            await asyncio.wait((handling, over), return_when=asyncio.FIRST_COMPLETED)
        for task in (handling, over):
            task.cancel()
        await asyncio.gather(handling, over, return_exceptions=True)
        self._settle(queued, handling)

    def _settle(self, queued: Queued, handling: asyncio.Task[None]) -> None:
        if handling.cancelled():
            self._cancelled(queued)
        elif error := handling.exception():
            self._failed(queued, error)
        else:
            self._queue.succeeded(queued)

    def _cancelled(self, queued: Queued) -> None:
        """Keep a message for the next start, if this is a stop; else nobody wants a retry."""
        if self._task is None:
            self._queue.put_back(queued)
        else:
            self._queue.succeeded(queued)

    def _failed(self, queued: Queued, error: BaseException) -> None:
        logger.error("message %d failed", queued.arrival, exc_info=error)
        if self._queue.is_last_try(queued):
            self._handling.gave_up(queued.message)
        self._queue.failed(queued)

    async def _wait(self) -> None:
        """Return once something has changed, or a retry is due."""
        # A rest that ended while every worker is busy is no reason to look again.
        has_room = len(self._at_work) < self._most
        until_s = self._queue.rests_until_s() if has_room else None
        left_s = None if until_s is None else until_s - self._clock.now()
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._changed.wait()
