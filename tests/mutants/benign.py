"""Session managers that hold more after a run than before it, as they may: none of them leaks."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, ClassVar

from drivers.sessions import SessionsDriver
from sessions import ChatSystem
from sessions.connector import Connector
from sessions.context import UserExecutionContext
from sessions.factory import WebSocketManagerFactory
from sessions.parts import Parts
from sessions.session import Visit

TABLE = 40
LONG_S = 86_400.0


class Recent(Connector):
    """Keeps the contexts of the latest connections, as a cache that drops the oldest."""

    SIZE: ClassVar[int]

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._recent: OrderedDict[str, UserExecutionContext] = OrderedDict()

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        context = super()._context(visit, connection_id)
        self._recent[context.request_id] = context
        if len(self._recent) > self.SIZE:
            self._recent.popitem(last=False)
        return context


class Lru64(Recent):
    """Keeps 64."""

    SIZE = 64


class Lru1000(Recent):
    """Keeps 1,000."""

    SIZE = 1_000


class LruCache(Connector):
    """Remembers, with functools, what it worked out for the latest 128 connections."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._parsed = lru_cache(128)(lambda request_id: request_id.split("_"))

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        context = super()._context(visit, connection_id)
        self._parsed(context.request_id)
        return context


class LazyTable(Connector):
    """Fills a table of constants, one entry for each connection, until it is full."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._table: dict[int, list[int]] = {}
        self._connections = 0

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        self._connections += 1
        place = self._connections % TABLE
        self._table.setdefault(place, [place])
        return super()._context(visit, connection_id)


class CancelledTimers(Connector):
    """Sets a timer of a day for each connection, and cancels it at once."""

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        asyncio.get_running_loop().call_later(LONG_S, print).cancel()
        return super()._context(visit, connection_id)


class BackgroundThread(Connector):
    """Hands each connection to one thread, which keeps the latest 32 of them."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._inbox: SimpleQueue[str | None] = SimpleQueue()
        self._latest: deque[str] = deque(maxlen=32)
        work = partial(_keep, self._inbox, self._latest)
        threading.Thread(target=work, daemon=True).start()
        weakref.finalize(self, self._inbox.put, None)

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        context = super()._context(visit, connection_id)
        self._inbox.put(context.request_id)
        return context


def _keep(inbox: SimpleQueue[str | None], latest: deque[str]) -> None:
    """Keep what arrives until None does, which says that the connector is gone."""
    while (request_id := inbox.get()) is not None:
        latest.append(request_id)


GROWERS: tuple[type[Connector], ...] = (
    Lru64,
    Lru1000,
    LruCache,
    LazyTable,
    CancelledTimers,
    BackgroundThread,
)


def driver_of(grower: type[Connector]) -> Callable[..., SessionsDriver]:
    """Return what makes drivers of a session manager with this connector."""
    make: Callable[..., Any] = partial(ChatSystem, make_connector=grower)
    return partial(SessionsDriver, make)
