"""One whole session manager: its parts, its operations, and its life."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from sessions.clock import Clock, SystemClock, sleep_until
from sessions.contexts import Contexts
from sessions.dependencies import Dependencies
from sessions.event import GOING_AWAY, INVALIDATED
from sessions.ids import IsolationKey, UnifiedIdGenerator
from sessions.manager import Connector, WebSocketManagerFactory
from sessions.metrics import Metrics
from sessions.registry import Registry
from sessions.router import Router
from sessions.settings import Settings
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)
Entropy: TypeAlias = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Census:
    """What is live: nothing that is due, whether or not it was swept.

    sessions: the current run of each; connections: by id, the key of the manager; queued: the
    events that wait for a reconnect, by manager; tasks: the names of those that have not ended.
    """

    sessions: dict[IsolationKey, str]
    managers: tuple[IsolationKey, ...]
    connections: dict[str, IsolationKey]
    queued: dict[IsolationKey, int]
    tasks: tuple[str, ...]


def take_census(dependencies: Dependencies, factory: WebSocketManagerFactory) -> Census:
    """Look at everything that lives; takes time in proportion to it, and changes nothing."""
    managers = factory.live()
    return Census(
        sessions=dependencies.registry.live(),
        managers=tuple(manager.key for manager in managers),
        connections={name: manager.key for manager in managers for name in manager.connections},
        queued={manager.key: manager.queued for manager in managers},
        tasks=dependencies.tasks.names(),
    )


class Sweeper:
    """The background sweep: one task, every sweep_interval_s seconds from its start.

    It goes on after a sweep that raised, and counts it (the contract, Connections and managers).
    logged are the exceptions of which the log has what there is to know, when they are raised.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        sweep: Callable[[], Awaitable[None]],
        logged: tuple[type[Exception], ...] = (),
    ) -> None:
        self._dependencies = dependencies
        self._sweep = sweep
        self._logged = logged
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep; raises RuntimeError if it has begun already."""
        if self._task is not None:
            raise RuntimeError("the sweep is running; stop it before you start it again")
        self._task = self._dependencies.tasks.start(self._run(), "sweep")

    async def stop(self) -> None:
        """End the sweep, and wait for its end; does nothing if it is not running."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
            self._task = None

    async def _run(self) -> None:
        next_at_s = self._dependencies.clock.now()
        while True:
            next_at_s += self._dependencies.settings.sweep_interval_s
            await sleep_until(self._dependencies.clock, next_at_s)
            await self._sweep_once()

    async def _sweep_once(self) -> None:
        try:
            await self._sweep()
        except Exception as error:  # the next sweep may free what this one could not
            self._dependencies.metrics.sweep_errors += 1
            if not isinstance(error, self._logged):
                logger.exception("sweep raised; the next one is in its time")


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
