"""Chat services with one leak each, of what only a whole service has."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, cast

from threadline.campaign.mutant import Mutant
from threadline.scenario import Scenario

from drivers.service import ServiceDriver
from scenarios.agents import Agents
from scenarios.database import Database
from scenarios.quality import Quality
from sessions.agents.agent_handler import AgentHandler
from sessions.agents.websocket_context import WebSocketContext
from sessions.context import UserExecutionContext
from sessions.messages.codes import STORAGE_ERRORS
from sessions.quality import QualityManager
from sessions.service import ChatService
from sessions.service_parts import ServiceMakers
from sessions.storage.database_factory import RequestScopedSessionFactory
from sessions.storage.database_session import RequestScopedSession
from tests.mutants.parts import leaking


def leak(
    part: str, scenario: type[Scenario[Any]], path: str, steps: int
) -> Callable[[type[Any]], Mutant]:
    """Make a class a mutant that leaks on this path, in so many steps at least.

    The service's `part` is made by it instead.
    """

    def decorate(broken: type[Any]) -> Mutant:
        parts: dict[str, Any] = {part: broken}
        make = partial(ServiceDriver, partial(ChatService, makers=ServiceMakers(**parts)))
        return leaking(broken, make, scenario, path, steps)

    return decorate


@leak("quality", Quality, "service.quality._handlers", 2)
class KeepsQualityHandlers(QualityManager):
    """Registers a closure of the handler for each subscription, and takes none away."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._handlers: list[Callable[[], object]] = []

    def subscribe(self, context: UserExecutionContext) -> bool:
        self._handlers.append(lambda: context)
        return super().subscribe(context)


IN_HANDLER = "service.parts.worker._handling._handlers.each.self._requests._agents"


@leak("agent_handler", Agents, f"{IN_HANDLER}._failed", 1)
class KeepsFailedRequests(AgentHandler):
    """Keeps each request of which the agent failed, to try it again one day."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._failed: list[WebSocketContext] = []

    def _report_failure(self, asked: WebSocketContext, error: Exception) -> None:
        self._failed.append(asked)
        super()._report_failure(asked, error)


class _OpenAfterError(RequestScopedSession):
    """A session that undoes its transaction after an error of the storage, and stays open."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, STORAGE_ERRORS):
            await super().__aexit__(kind, error, traceback)
        elif self.is_open:
            await self.rollback()


@leak("session_factory", Database, "service.session_factory._open", 2)
class SessionPerError(RequestScopedSessionFactory):
    """Leaves a database session open after each error of the storage in its block."""

    def _make_session(self, context: UserExecutionContext) -> RequestScopedSession:
        return _OpenAfterError(context, self._database, self._tasks, self._closed)


MUTANTS = cast("tuple[Mutant, ...]", (KeepsQualityHandlers, KeepsFailedRequests, SessionPerError))
