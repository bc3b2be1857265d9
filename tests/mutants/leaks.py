"""Session managers with one leak each, in every form that a leak takes."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from threadline.campaign.mutant import Mutant
from threadline.scenario import Scenario

from drivers.sessions import SessionsDriver
from scenarios.connections import Connections
from scenarios.conversation import Conversation
from sessions import ChatSystem
from sessions.connection import Connection
from sessions.connector import Connector
from sessions.context import UserExecutionContext
from sessions.contexts import Contexts
from sessions.event import Event, WebSocket
from sessions.factory import WebSocketManagerFactory
from sessions.manager import IsolatedWebSocketManager
from sessions.parts import Parts
from sessions.router import Router
from sessions.session import Visit
from tests.mutants import foreign
from tests.mutants.parts import leaking

logger = logging.getLogger(__name__)
FAR_S = 10 * 365 * 86_400.0


def leak(
    part: str, scenario: type[Scenario[Any]], path: str, steps: int
) -> Callable[[type[Any]], Mutant]:
    """Make a class a mutant that leaks on this path, in so many steps at least.

    ChatSystem's `part` is made by it instead.
    """

    def decorate(broken: type[Any]) -> Mutant:
        parts: dict[str, Any] = {part: broken}
        make = partial(SessionsDriver, partial(ChatSystem, **parts))
        return leaking(broken, make, scenario, path, steps)

    return decorate


@leak("make_factory", Connections, "system.factory._ended", 1)
class KeepsEndedManagers(WebSocketManagerFactory):
    """Keeps each manager that it has ended, for statistics that nobody asks for (seed 003)."""

    def __init__(self, parts: Parts | None = None) -> None:
        super().__init__(parts)
        self._ended: dict[str, IsolatedWebSocketManager] = {}

    def end(self, manager: IsolatedWebSocketManager, close_code: int) -> bool:
        self._ended[manager.context.request_id] = manager
        return super().end(manager, close_code)


@leak("make_router", Conversation, "system.router._on_reply", 1)
class KeepsHandlers(Router):
    """Registers a closure for the reply to each message, and takes none away."""

    def __init__(
        self, parts: Parts, factory: WebSocketManagerFactory, connector: Connector
    ) -> None:
        super().__init__(parts, factory, connector)
        self._on_reply: list[Callable[[], object]] = []

    def _publish(self, event: Event, asker: Connection | None) -> None:
        self._on_reply.append(lambda: (event, asker))
        super()._publish(event, asker)


@leak("make_connector", Connections, "loop.task", 2)
class RecoversForEver(Connector):
    """Starts a recovery for each socket that dropped, and cancels it for no reconnect."""

    async def handle_websocket_disconnect(self, websocket: WebSocket, code: int = 1000) -> bool:
        was_live = await super().handle_websocket_disconnect(websocket, code)
        if was_live and not self._is_clean(code):
            recovery = self._parts.clock.sleep_until(self._parts.clock.now() + FAR_S)
            self._parts.tasks.start(recovery, "recovery")
        return was_live


@leak("make_connector", Connections, "system.connector._seen", 1)
class KeepsConnectionIds(Connector):
    """Remembers the id of every connection that there ever was."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._seen: set[str] = set()

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        context = super()._context(visit, connection_id)
        self._seen.add(context.websocket_connection_id or "")
        return context


@leak("make_router", Conversation, "system.router._audit", 1)
class AuditsNothing(Router):
    """Keeps what the log returned for each message, which is None."""

    def __init__(
        self, parts: Parts, factory: WebSocketManagerFactory, connector: Connector
    ) -> None:
        super().__init__(parts, factory, connector)
        self._audit: list[object] = []

    def _publish(self, event: Event, asker: Connection | None) -> None:
        wrote: Callable[..., object] = logger.info
        self._audit.append(wrote("message on %s", event.key.thread_id))
        super()._publish(event, asker)


@leak("make_contexts", Conversation, "alive_UserExecutionContext", 1)
class CachesContexts(Contexts):
    """Caches every context in a list of another package, which outlives all of them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        foreign.KEPT.clear()  # what the systems of other runs have left there

    def get_user_execution_context(
        self, user_id: str, thread_id: str | None = None, run_id: str | None = None
    ) -> UserExecutionContext:
        context = super().get_user_execution_context(user_id, thread_id, run_id)
        foreign.KEPT.append(context)
        return context


@leak("make_connector", Connections, "system.connector._dropped", 2)
class KeepsDropped(Connector):
    """Keeps a socket that dropped without a close, and forgets one that closed."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._dropped: list[WebSocket] = []

    async def handle_websocket_disconnect(self, websocket: WebSocket, code: int = 1000) -> bool:
        was_live = await super().handle_websocket_disconnect(websocket, code)
        if was_live and not self._is_clean(code):
            self._dropped.append(websocket)
        return was_live


@leak("make_connector", Connections, "system.connector._resumed", 2)
class KeepsEverySecondReconnect(Connector):
    """Swaps two lists at each reconnect, and clears only one of them."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._reconnects = 0
        self._resumed: list[UserExecutionContext] = []

    def _attach(
        self,
        manager: IsolatedWebSocketManager,
        context: UserExecutionContext,
        websocket: WebSocket,
        *,
        resumed: bool,
    ) -> None:
        super()._attach(manager, context, websocket, resumed=resumed)
        self._reconnects += resumed
        if resumed and self._reconnects % 2 == 0:
            self._resumed.append(context)


@leak("make_connector", Connections, "system.connector._failed", 1)
class KeepsFailures(Connector):
    """Keeps each connection that did not take an event, to try again one day."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        self._failed: dict[str, Connection] = {}

    def _lost(self, connection: Connection) -> None:
        self._failed[connection.context.request_id] = connection
        super()._lost(connection)


@leak("make_connector", Connections, "loop.task", 1)
class TaskPerDisconnect(Connector):
    """Watches each socket that has left, in a task that waits for what never happens."""

    async def handle_websocket_disconnect(self, websocket: WebSocket, code: int = 1000) -> bool:
        was_live = await super().handle_websocket_disconnect(websocket, code)
        if was_live:
            self._parts.tasks.start(self._watch(), "watch")
        return was_live

    async def _watch(self) -> None:
        await asyncio.Event().wait()


@leak("make_connector", Connections, "threads", 1)
class ThreadPerConnection(Connector):
    """Starts a thread to write the log of each connection, and ends none before the system."""

    def __init__(self, parts: Parts, factory: WebSocketManagerFactory) -> None:
        super().__init__(parts, factory)
        # A pipe, as those who wait for an event are seen in it: a leak of another class.
        self._log, end = os.pipe()
        weakref.finalize(self, _close, end, self._log)

    def _context(self, visit: Visit, connection_id: str | None) -> UserExecutionContext:
        threading.Thread(target=_read, args=(self._log,), daemon=True).start()
        return super()._context(visit, connection_id)


def _read(end: int) -> None:
    with suppress(OSError):  # the system may end before the thread begins
        os.read(end, 1)


def _close(*ends: int) -> None:
    for end in ends:
        os.close(end)


# A cast, because mypy takes a decorated class for the class.
MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        KeepsEndedManagers,
        KeepsHandlers,
        RecoversForEver,
        KeepsConnectionIds,
        AuditsNothing,
        CachesContexts,
        KeepsDropped,
        KeepsEverySecondReconnect,
        KeepsFailures,
        TaskPerDisconnect,
        ThreadPerConnection,
    ),
)
