"""Events, and the connections that send them to sockets."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, Protocol, TypeAlias

from sessions.context import UserExecutionContext
from sessions.ids import IsolationKey
from sessions.metrics import Metrics
from sessions.settings import Settings

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
# Why a socket was closed (RFC 6455, section 7.4.1; from 4000 on, ours).
CLEAN = 1000
GOING_AWAY = 1001
ABNORMAL = 1006
UNDELIVERABLE = 1011
TRY_AGAIN_LATER = 1013
REFUSED = 4400
INVALIDATED = 4401
DELETED = 4404
LIMITED = 4429


class WebSocket(Protocol):
    """Anything that sends like a WebSocket; connecting gives it an attribute user_context."""

    async def send_json(self, data: dict[str, Json]) -> None: ...

    async def close(self, code: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one thread; message_id is that of the message it answers, if any.

    fields are the event's own, beside the ids that every event carries (the contract, Messages).
    """

    kind: str
    key: IsolationKey
    run_id: str | None
    event_id: str
    message_id: str | None
    fields: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        """Return a copy of its own for each socket, so that no two users share an object.

        No field of the event's own can take the place of its type or its ids.
        """
        ids: dict[str, Json] = {
            "type": self.kind,
            "thread_id": self.key.thread_id,
            "run_id": self.run_id,
            "event_id": self.event_id,
            "message_id": self.message_id,
        }
        return ids | copy.deepcopy(dict(self.fields)) | ids

    def size_bytes(self) -> int:
        """Return how large its own fields are as JSON: the ids that each event has are short."""
        return len(json.dumps(self.fields, separators=(",", ":")))


class Outgoing(NamedTuple):
    """An event on its way to one socket; a recoverable one outlives the socket."""

    event: Event
    recoverable: bool
    size_bytes: int = 0  # of what counts for outbox_bytes_max


class Connection:
    """Sends events to one socket, in order, in a task of its own.

    So a slow socket delays no other. What a connect hands over at once (connected, and the
    replay) waits beside the outbox, which would otherwise be full after a long absence. run()
    is the life of the task; it ends, and closes the socket, after end().
    """

    def __init__(
        self,
        context: UserExecutionContext,
        websocket: WebSocket,
        settings: Settings,
        metrics: Metrics,
        on_dead: Callable[[Connection], None],
        on_end: Callable[[Connection], None],
    ) -> None:
        self.context = context
        self.connection_id = context.websocket_connection_id or ""
        self.websocket = websocket
        self._settings = settings
        self._metrics = metrics
        self._on_dead = on_dead
        self._on_end = on_end
        self._handed_over: deque[Outgoing] = deque()
        self._outbox: deque[Outgoing] = deque()
        self._outbox_bytes = 0
        self._wake = asyncio.Event()
        self._ended = asyncio.get_running_loop().create_future()
        self._sending: asyncio.Task[None] | None = None
        self._close_code: int | None = None

    def hand_over(self, event: Event, *, recoverable: bool) -> None:
        """Send an event that belongs to the connect itself."""
        self._handed_over.append(Outgoing(event, recoverable))
        self._wake.set()

    def offer(self, event: Event, *, recoverable: bool) -> None:
        """Send an event after those that wait.

        If outbox_max of them wait already, or those that wait have outbox_bytes_max, the socket is
        dead: so one event may be of any size, and what waits is bounded by the limit and one more.
        """
        settings = self._settings
        has_room = len(self._outbox) < settings.outbox_max
        has_room = has_room and self._outbox_bytes < settings.outbox_bytes_max
        size_bytes = event.size_bytes()
        self._outbox.append(Outgoing(event, recoverable, size_bytes))
        self._outbox_bytes += size_bytes
        self._wake.set()
        if not has_room:
            self._on_dead(self)

    def undelivered(self) -> list[Event]:
        """Return the recoverable events that the socket has not taken, oldest first."""
        waiting = chain(self._handed_over, self._outbox)
        if self._was_sent():
            next(waiting)
        return [outgoing.event for outgoing in waiting if outgoing.recoverable]

    def end(self, close_code: int | None) -> None:
        """Send nothing more, and close the socket, unless its peer did (None)."""
        if not self._ended.done():
            self._close_code = close_code
            self._ended.set_result(None)
            self._wake.set()
            if self._sending:
                # At once: what is undelivered now must not arrive after all, beside its replay.
                self._sending.cancel()
            self._on_end(self)

    async def run(self) -> None:
        """Send what waits, one after another, until the end; then close the socket."""
        while not self._ended.done():
            if line := self._handed_over or self._outbox:
                event = line[0].event
                self._sending = asyncio.create_task(self.websocket.send_json(event.as_json()))
                if await self._in_time(self._sending, self._ended):
                    self._outbox_bytes -= line.popleft().size_bytes
                    self._metrics.events_delivered += 1
                elif not self._ended.done():
                    self._on_dead(self)
                self._sending = None
            else:
                await self._wake.wait()
                self._wake.clear()
        if self._close_code is not None:
            await self._in_time(asyncio.create_task(self.websocket.close(self._close_code)))

    def _was_sent(self) -> bool:
        task = self._sending
        return task is not None and task.done() and not task.cancelled() and not task.exception()

    async def _in_time(self, task: asyncio.Task[None], *ends: asyncio.Future[None]) -> bool:
        """Wait for the task for send_timeout_s seconds, or until another end; then cancel it.

        Returns whether it succeeded: a socket may raise anything, and that is all we need to know.
        """
        limit_s = self._settings.send_timeout_s
        try:
            await asyncio.wait((task, *ends), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
            has_succeeded = not task.cancelled() and task.exception() is None
        return has_succeeded
