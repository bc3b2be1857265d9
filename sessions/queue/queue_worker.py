"""Handle the messages of the queue, one after another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from sessions.clock import Clock
from sessions.queue.message import Message, Queued
from sessions.queue.message_queue import MessageQueue
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)


class QueueWorker:
    """One task that takes messages from a queue and hands them to handle.

    A handle that raises has failed, and its message is retried; the worker goes on. One that is
    cancelled is done with. A message that the worker was at when it was stopped is handled again
    after the next start.
    """

    def __init__(
        self,
        queue: MessageQueue,
        handle: Callable[[Message], Coroutine[object, object, None]],
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._clock = clock
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    def start(self) -> None:
        """Begin to work; raises RuntimeError if it has begun already."""
        if self._task is not None:
            raise RuntimeError("the queue worker is running; stop it before you start it again")
        self._task = self._tasks.start(self._run(), "queue worker")

    async def stop(self) -> None:
        """End the work, and wait for its end; does nothing if it is not running."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    def put(self, message: Message) -> None:
        """Add a message, and wake the worker; raises QueueFullError."""
        self._queue.put(message)
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            # Before the look, so that what comes after it is not missed.
            self._arrived.clear()
            if queued := self._queue.take():
                await self._work(queued)
            else:
                await self._wait()

    async def _work(self, queued: Queued) -> None:
        name = f"message {queued.arrival}"
        handling = self._tasks.start(self._handle(queued.message), name)
        try:
            await asyncio.wait((handling,))
        except asyncio.CancelledError:
            handling.cancel()
            await asyncio.wait((handling,))
            if handling.cancelled():
                self._queue.put_back(queued)
            else:
                self._settle(queued, handling)
            raise
        self._settle(queued, handling)

    def _settle(self, queued: Queued, handling: asyncio.Task[None]) -> None:
        # Whoever cancelled the handling, while the worker goes on, wants no retry of it.
        error = None if handling.cancelled() else handling.exception()
        if error is None:
            self._queue.succeeded(queued)
        else:
            logger.error("message %d failed", queued.arrival, exc_info=error)
            self._queue.failed(queued)

    async def _wait(self) -> None:
        """Return once a message has arrived, or a retry is due."""
        until_s = self._queue.rests_until_s()
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._arrived.wait())]
        if until_s is not None:
            waits.append(asyncio.create_task(self._clock.sleep_until(until_s)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
