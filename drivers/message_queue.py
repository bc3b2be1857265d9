"""The driver of the service's queue of messages, which is called by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from threadline import Census, Driver

from models.message_queue import MessageQueue as Model
from sessions import Settings, UserExecutionContext
from sessions.errors import QueueFullError
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.messages.message import Message, Priority, Queued
from sessions.queue import MessageQueue
from sessions.storage.tables import Begun


class MessageQueueDriver(Driver[Model]):
    """Puts messages whose payload is changed afterwards, and changes whatever it is handed."""

    refuses = {QueueFullError: attrgetter("reason")}
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3")

    def __init__(self, **settings: Any) -> None:
        self._sessions: dict[IsolationKey, int] = {}
        self._waiters: list[asyncio.Task[None]] = []
        self._queue = MessageQueue(
            self.clock,
            Settings(**settings),
            lambda message: message.session_number < self._sessions.get(message.key, 0),
            lambda message: self.tell(tuple(message.key), said(message)),
        )

    def roots(self) -> Mapping[str, object]:
        return {"queue": self._queue}

    async def put(self, user: str, thread: str, priority: int, text: str) -> None:
        payload: dict[str, Json] = {"text": [text]}
        try:
            self._queue.put(self._message(user, thread, payload, Priority(priority)))
        finally:
            payload["text"].append("changed later")  # type: ignore[union-attr]
            payload["more"] = "changed later"

    async def take_up(self, user: str, thread: str, text: str) -> None:
        self._queue.take_up(self._message(user, thread, {"text": [text]}), Begun(1, ()))

    async def take(self, busy: tuple[str, ...]) -> object:
        queued = self._queue.take(lambda user: user in busy)
        if queued is None:
            return None
        message = queued.message
        return {"queued": queued, "key": list(message.key), "text": said(message)}

    async def drain(self) -> object:
        drained = []
        while queued := self._queue.take():
            drained.append([said(queued.message), await self.fail(queued)])
        return drained

    async def succeed(self, queued: Queued) -> None:
        self._queue.succeeded(queued)

    async def fail(self, queued: Queued) -> bool:
        is_last = self._queue.is_last_try(queued)
        self._queue.failed(queued)
        return is_last

    async def put_back(self, queued: Queued) -> None:
        self._queue.put_back(queued)

    async def remove_user(self, user: str) -> int:
        return self._queue.remove_user(user)

    async def remove_thread(self, user: str, thread: str) -> int:
        return self._queue.remove_thread(user, thread)

    async def remove_odd(self) -> int:
        return self._queue.remove(lambda message: int(str(said(message))[1:]) % 2 == 1)

    async def next_rest(self) -> float | None:
        until_s = self._queue.rests_until_s()
        return None if until_s is None else until_s - self.clock.now()

    async def end(self, user: str, thread: str) -> None:
        key = IsolationKey(user, thread)
        self._sessions[key] = self._sessions.get(key, 0) + 1

    async def await_room(self, user: str) -> asyncio.Task[None]:
        waiter = asyncio.create_task(self._wait_for_room(user))
        self._waiters = [task for task in self._waiters if not task.done()] + [waiter]
        return waiter

    def census(self) -> Census:
        queue, waiting = self._queue, dict[tuple[str, str], list[object]]()
        for message in queue.messages():
            user, thread = message.key
            waiting.setdefault((user, thread), []).append(said(message))
        dead = [(*message.key, said(message)) for message in queue.dead_letters()]
        counts = asdict(queue.counts())
        queue.messages().clear()
        queue.dead_letters().clear()
        queue.counts().retries += 1
        return {"waiting": waiting, "size": len(queue), "dead_letters": dead, "counts": counts}

    async def _wait_for_room(self, user: str) -> None:
        me = asyncio.current_task()
        await self._queue.until_room(user)
        self.tell(me, "room, or no patience")

    def _message(
        self,
        user: str,
        thread: str,
        payload: Mapping[str, Json],
        priority: Priority = Priority.NORMAL,
    ) -> Message:
        context = UserExecutionContext(user, thread, "r", "q")
        session = self._sessions.get(IsolationKey(user, thread), 0)
        return Message(context, "chat", payload, session, priority=priority)


def said(message: Message) -> object:
    """Return the text of a message, if its payload is as it was when the message was put."""
    payload = dict(message.payload)
    match payload:
        case {"text": [text], **more} if not more:
            return text
    return payload
