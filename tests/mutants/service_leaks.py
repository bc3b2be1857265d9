"""Chat services with one leak each, of what only a whole service has."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.agents import Agents
from scenarios.database import Database
from scenarios.quality import Quality
from tests.mutants.services import leak

IN_HANDLER = "service.wiring.intake._stopper._give_up.self._agents"

KeepsQualityHandlers = leak(
    "KeepsQualityHandlers",
    "Registers a closure of the handler for each subscription, and takes none away.",
    "quality.QualityManager.subscribe",
    old="self.unsubscribe(context)",
    new='vars(self).setdefault("_handlers", []).append(lambda: context)\nself.unsubscribe(context)',
    scenario=Quality,
    path="service.quality._handlers",
    steps=2,
)
KeepsFailedRequests = leak(
    "KeepsFailedRequests",
    "Keeps each request of which the agent failed, to try it again one day.",
    "messages.handlers.AgentHandler.run",
    old="raise AgentFailedError",
    new='vars(self).setdefault("_failed", []).append(message)\nraise AgentFailedError',
    scenario=Agents,
    path=f"{IN_HANDLER}._failed",
    steps=1,
)
SessionPerError = leak(
    "SessionPerError",
    "Leaves a database session open after each error of the storage in its block.",
    "storage.database.RequestScopedSession.__aexit__",
    old="await self.close()",
    new="from sessions.messages.error_codes import STORAGE_ERRORS\n"
    "if not isinstance(error, STORAGE_ERRORS):\n"
    "    await self.close()\n"
    "elif self.is_open:\n"
    "    await self.rollback()",
    scenario=Database,
    path="service.session_factory._open",
    steps=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
