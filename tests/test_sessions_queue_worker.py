"""The worker of the message queue: its life, and what it survives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.messages.message import Message, Queued
from sessions.queue import MessageQueue, QueueWorker
from sessions.settings import Settings
from sessions.tasks import Tasks
from tests.sessions_clock import ManualClock, settle


class Desk:
    """A worker whose handler fails as often as it was told, and notes what it was handed."""

    def __init__(self, *errors: BaseException, most: int = 1) -> None:
        self.handed: list[Json] = []
        self.clock = ManualClock()
        self.queue = MessageQueue(self.clock, Settings())
        self.tasks = Tasks()
        self.worker = QueueWorker(
            self.queue, self, self.clock, self.tasks, Settings(queue_workers=most)
        )
        self.open = asyncio.Event()
        self.open.set()
        self.given_up: list[Json] = []
        self.over = asyncio.Event()
        self._errors: Iterator[BaseException] = iter(errors)

    async def handle(self, queued: Queued) -> None:
        self.handed.append(queued.message.payload["n"])
        await self.open.wait()
        if error := next(self._errors, None):
            raise error

    async def until_over(self, message: Message) -> None:
        await self.over.wait()

    def gave_up(self, message: Message) -> None:
        self.given_up.append(message.payload["n"])

    def put(self, number: int, thread_id: str = "t") -> None:
        context = UserExecutionContext("ana", thread_id, "r", "q")
        self.worker.put(Message(context, "chat", {"n": number}, session_number=1))


def test_worker_handles_what_was_there_and_what_comes() -> None:
    """Messages put before the start and after it are handled in order."""

    async def run() -> None:
        desk = Desk()
        desk.put(1)
        desk.worker.start()
        await settle()
        desk.put(2)
        await settle()
        await desk.worker.stop()

        assert desk.handed == [1, 2]
        assert len(desk.queue) == 0

    asyncio.run(run())


def test_worker_goes_on_after_a_handling_was_cancelled() -> None:
    """A handling that somebody cancelled is not retried, and does not end the worker."""

    async def run() -> None:
        desk = Desk(asyncio.CancelledError())
        desk.worker.start()
        desk.put(1)
        desk.put(2)
        await settle()
        assert desk.handed == [1, 2]
        assert len(desk.queue) == 0
        await desk.worker.stop()

    asyncio.run(run())


def test_stop_cancels_the_handling_and_keeps_its_message() -> None:
    """A message that was being handled at the stop is handled after the next start."""

    async def run() -> None:
        desk = Desk()
        desk.open.clear()
        desk.worker.start()
        desk.put(1)
        await settle()
        await desk.worker.stop()
        assert desk.tasks.names() == ()
        desk.open.set()
        desk.worker.start()
        await settle()
        assert desk.handed == [1, 1]
        assert len(desk.queue) == 0
        await desk.worker.stop()

    asyncio.run(run())


def test_stop_leaves_no_task() -> None:
    """A stopped worker, idle or not, has no task left, nor a timer."""

    async def run() -> None:
        desk = Desk(LookupError("once"))
        desk.worker.start()
        desk.put(1)
        await settle()
        await desk.worker.stop()
        await settle()

        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_worker_cannot_start_twice() -> None:
    """A second start is refused, as there is one worker."""

    async def run() -> None:
        desk = Desk()
        desk.worker.start()
        with pytest.raises(RuntimeError, match="stop it before you start it again"):
            desk.worker.start()
        await desk.worker.stop()

    asyncio.run(run())


def test_dropped_messages_are_forgotten_and_the_others_follow() -> None:
    """Whatever is dropped while it is handled or waits is gone; the next of the line follows."""

    async def run() -> None:
        desk = Desk()
        desk.open.clear()
        desk.worker.start()
        desk.put(1)
        desk.put(2)
        desk.put(3)
        await settle()
        await desk.worker.drop(lambda message: message.payload["n"] != 3)
        desk.open.set()
        await settle()
        assert desk.handed == [1, 3]
        await desk.worker.stop()

    asyncio.run(run())
