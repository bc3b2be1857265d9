"""One whole session manager: its parts, its operations, and its life."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TypeAlias

from sessions.census import Census, take_census
from sessions.clock import Clock, SystemClock
from sessions.close_codes import GOING_AWAY, INVALIDATED
from sessions.connector import Connector
from sessions.contexts import Contexts
from sessions.dependencies import Dependencies
from sessions.factory import WebSocketManagerFactory
from sessions.ids import UnifiedIdGenerator
from sessions.metrics import Metrics
from sessions.registry import Registry
from sessions.router import Router
from sessions.settings import Settings
from sessions.sweeper import Sweeper
from sessions.tasks import Tasks

Entropy: TypeAlias = Callable[[int], bytes]


class ChatSystem:
    """Holds everything that one session manager is made of, so that many live in one process.

    The getter, the ids and the registry work at once and from any thread; the operations belong to
    one event loop. start() begins the background sweep, stop() ends it and every manager.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        clock: Clock | None = None,
        counter: Iterator[int] | None = None,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.ids = UnifiedIdGenerator(self.clock, counter, entropy)
        self._metrics = Metrics()
        self.registry = Registry(self.ids, self.clock, self.settings, self._metrics)
        self.contexts = Contexts(self.ids, self.registry, self.clock)
        self.dependencies = self._shared()
        self.factory = WebSocketManagerFactory(self.dependencies)
        self.connector = Connector(self.dependencies, self.factory)
        self.router = Router(self.dependencies, self.factory, self.connector)
        self.sweeper = Sweeper(self.dependencies, self._sweep)

    def start(self) -> None:
        """Begin the background sweep."""
        self.sweeper.start()

    async def stop(self) -> None:
        """End the sweep and all managers, closing sockets with 1001; wait for every task.

        Takes at most send_timeout_s seconds, for sockets that do not close.
        """
        await self.sweeper.stop()
        for manager in self.factory.managers():
            self.factory.end(manager, GOING_AWAY)
        await self.dependencies.tasks.ended()

    async def __aenter__(self) -> ChatSystem:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def sweep(self) -> None:
        """Free all that is due: managers first, as sessions may end with them."""
        self.factory.release_due()
        self.registry.cleanup_expired_sessions()

    async def invalidate_user_sessions(self, user_id: str) -> int:
        """End a user's sessions, managers and connections; return how many sessions were live.

        Sockets are closed with 4401. Raises InvalidContextError.
        """
        ended = self.registry.invalidate_user_sessions(user_id)
        self.factory.end_user(user_id, INVALIDATED)
        return ended

    def census(self) -> Census:
        """Return what is live now."""
        return take_census(self.dependencies, self.factory)

    def metrics(self) -> Metrics:
        """Return a copy of the counts, in which what is due by now has ended."""
        self.factory.release_due()
        return dataclasses.replace(self._metrics)

    async def _sweep(self) -> None:
        self.sweep()

    def _shared(self) -> Dependencies:
        return Dependencies(
            clock=self.clock,
            settings=self.settings,
            metrics=self._metrics,
            ids=self.ids,
            registry=self.registry,
            contexts=self.contexts,
            tasks=Tasks(),
        )
