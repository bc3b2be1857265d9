"""What a chat service is made of, how the parts know each other, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sessions.agents.agent import Agent
from sessions.ids import IsolationKey
from sessions.messages.handlers import (
    AgentHandler,
    AgentRequestHandler,
    Deletions,
    Dispatcher,
    Handle,
    ThreadHistoryHandler,
    UnansweredQuestions,
)
from sessions.messages.intake import Intake
from sessions.messages.message import AGENT_REQUESTS, QUALITY
from sessions.messages.stop_agent import StopAgentHandler
from sessions.metrics import Metrics
from sessions.quality import QualityHandler, QualityManager
from sessions.queue import MessageQueue, QueueCounts, QueueWorker
from sessions.routes import AgentRoute, MessagesRoute, ThreadRoute
from sessions.session_manager import ChatSystem
from sessions.storage.database import Database, DatabaseGauges, RequestScopedSessionFactory
from sessions.storage.failures import Readiness, StorageErrors
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore


@dataclass(frozen=True, slots=True)
class ServiceCensus:
    """What is live: nothing whose session has ended.

    requests: how many messages of each thread wait, rest or are handled. subscriptions: the
    threads that hear of quality. pending_responses: HTTP requests that wait.
    """

    requests: Mapping[IsolationKey, int]
    subscriptions: tuple[IsolationKey, ...]
    dead_letters: int
    pending_responses: int
    database: DatabaseGauges


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """The counts of the session manager and of the queue, and the gauges of the database.

    storage_errors: how many there were of each kind.
    """

    system: Metrics
    queue: QueueCounts
    database: DatabaseGauges
    storage_errors: Mapping[str, int]


class Ends(Protocol):
    """Whoever can end a thread, or all that a user has."""

    async def delete_thread(self, user_id: str, thread_id: str) -> bool: ...

    async def invalidate_user_sessions(self, user_id: str) -> int: ...


class Wiring:
    """The parts of one service, made in the order in which they need each other."""

    def __init__(self, system: ChatSystem, database: Database, agent: Agent, ends: Ends) -> None:
        self._system = system
        clock, settings, core = system.clock, system.settings, system.dependencies
        self.session_factory = RequestScopedSessionFactory(database, system.contexts)
        self.turns = TurnStore(self.session_factory, database, clock, settings)
        self.threads = ThreadStore(database, clock, settings)
        self.storage_errors = errors = StorageErrors()
        self.readiness = Readiness(database, core.tasks, settings.ready_timeout_s, errors)
        self.deletions = Deletions()
        registry = system.registry
        self.router = router = system.router
        self.quality = QualityManager(system.factory, router)
        agents = AgentHandler(agent, router, registry, clock, settings)
        self.queue = MessageQueue(clock, settings, registry.is_over, router.responses.message_gone)
        requests = AgentRequestHandler(self.queue, self.turns, agents, router, registry, errors)
        handlers = self._handlers(requests, agent.name)
        dispatcher = Dispatcher(handlers, registry, self.deletions, router, errors)
        self.worker = QueueWorker(self.queue, dispatcher, clock, core.tasks, settings)
        stopper = StopAgentHandler(
            self.queue, self.worker, registry, router, core.tasks, requests.stop
        )
        self.unanswered = UnansweredQuestions(
            self.threads, self.turns, system.contexts, registry, self.queue
        )
        self.intake = Intake(core, system.connector, router, self.queue, self.worker, stopper)
        self.agent_route = AgentRoute(self.intake, router.responses, system.ids, registry)
        self.messages_route = MessagesRoute(
            self.threads, self.turns, system.contexts, registry, errors
        )
        self.thread_route = ThreadRoute(ends.delete_thread, ends.invalidate_user_sessions, errors)

    def census(self) -> ServiceCensus:
        live = (each for each in self.queue.messages() if not self._system.registry.is_over(each))
        return ServiceCensus(
            requests=Counter(message.key for message in live),
            subscriptions=tuple(self.quality.subscriptions()),
            dead_letters=len(self.queue.dead_letters()),
            pending_responses=len(self.router.responses),
            database=self.session_factory.gauges(),
        )

    def metrics(self) -> ServiceMetrics:
        return ServiceMetrics(
            self._system.metrics(),
            self.queue.counts(),
            self.session_factory.gauges(),
            self.storage_errors.counts(),
        )

    def _handlers(self, requests: AgentRequestHandler, agent_name: str) -> dict[str, Handle]:
        clock = self._system.clock
        quality = QualityHandler(self.quality, self.turns, clock, self.router, agent_name)
        return {
            **dict.fromkeys(AGENT_REQUESTS, requests.handle),
            "get_thread_history": ThreadHistoryHandler(self.turns, self.router).handle,
            **dict.fromkeys(QUALITY, quality.handle),
        }
