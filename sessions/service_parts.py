"""What a chat service is made of, and how the parts know each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from sessions.agents.agent import Agent
from sessions.agents.agent_handler import AgentHandler
from sessions.agents.supervisor import SupervisorFactory
from sessions.messages.agent_request import AgentRequests
from sessions.messages.desk import Desk, Handle
from sessions.messages.exchange import Exchanges
from sessions.messages.intake import Intake
from sessions.messages.lifetime import Lifetimes
from sessions.messages.rules import QUALITY
from sessions.messages.sender import Sender
from sessions.messages.start_agent import StartAgentHandler
from sessions.messages.stop_agent import StopAgentHandler
from sessions.messages.thread_history import ThreadHistoryHandler
from sessions.messages.user_message import UserMessageHandler
from sessions.quality import QualityHandler, QualityManager
from sessions.queue.message import Queued
from sessions.queue.message_queue import MessageQueue
from sessions.queue.queue_worker import QueueWorker
from sessions.routes.agent_route import AgentRoute
from sessions.routes.thread_routes import MessagesRoute, ThreadRoute
from sessions.service_census import ServiceCensus, ServiceMetrics
from sessions.storage.database import Database
from sessions.storage.database_factory import RequestScopedSessionFactory
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore
from sessions.sweeper import Sweeper
from sessions.system import ChatSystem


class Ends(Protocol):
    """Whoever can end a thread, or all that a user has."""

    async def delete_thread(self, user_id: str, thread_id: str) -> bool: ...

    async def invalidate_user_sessions(self, user_id: str) -> int: ...


@dataclass(frozen=True, slots=True)
class ServiceMakers:
    """Makes each part; give another class for a part that is to behave in another way."""

    session_factory: type[RequestScopedSessionFactory] = RequestScopedSessionFactory
    turns: type[TurnStore] = TurnStore
    queue: type[MessageQueue] = MessageQueue
    worker: type[QueueWorker] = QueueWorker
    supervisors: type[SupervisorFactory] = SupervisorFactory
    agent_handler: type[AgentHandler] = AgentHandler
    sender: type[Sender] = Sender
    intake: type[Intake] = Intake
    desk: type[Desk] = Desk
    start_agent: type[StartAgentHandler] = StartAgentHandler
    user_message: type[UserMessageHandler] = UserMessageHandler
    thread_history: type[ThreadHistoryHandler] = ThreadHistoryHandler
    stop_agent: type[StopAgentHandler] = StopAgentHandler
    quality: type[QualityManager] = QualityManager
    agent_route: type[AgentRoute] = AgentRoute
    messages_route: type[MessagesRoute] = MessagesRoute
    sweeper: type[Sweeper] = Sweeper


class ServiceParts:
    """The parts of one service, made in the order in which they need each other."""

    def __init__(
        self,
        system: ChatSystem,
        database: Database,
        agent: Agent,
        makers: ServiceMakers,
        ends: Ends,
    ) -> None:
        self._system = system
        self._makers = makers
        clock, settings, core = system.clock, system.settings, system.parts
        self.session_factory = makers.session_factory(database, system.contexts)
        self.turns = makers.turns(self.session_factory, database, clock, settings)
        self.threads = ThreadStore(database, clock, settings)
        self.lifetimes = Lifetimes(system.registry, clock)
        self.exchanges = Exchanges()
        self.sender = makers.sender(system.ids, system.factory, system.connector, self.exchanges)
        self.quality = makers.quality(system.factory, self.sender)
        self.queue = makers.queue(
            clock,
            settings,
            self.lifetimes.is_over,
            lambda message: self.exchanges.finish(message.asker),
        )
        desk = makers.desk(self._handlers(agent), self.lifetimes, self.sender)
        most = settings.queue_workers
        self.worker = makers.worker(self.queue, desk, clock, core.tasks, most)
        stopper = makers.stop_agent(self.queue, self.worker, self.lifetimes, self.sender)
        self.intake = makers.intake(
            core, system.connector, system.router, self.sender, self.queue, self.worker, stopper
        )
        self.agent_route = makers.agent_route(
            self.intake, self.exchanges, system.ids, self.lifetimes
        )
        self.messages_route = makers.messages_route(
            self.threads, self.turns, system.contexts, system.registry
        )
        self.thread_route = ThreadRoute(ends.delete_thread, ends.invalidate_user_sessions)

    def census(self) -> ServiceCensus:
        live = (each for each in self.queue.messages() if not self.lifetimes.is_over(each))
        return ServiceCensus(
            requests=Counter(message.key for message in live),
            subscriptions=tuple(self.quality.subscriptions()),
            dead_letters=len(self.queue.dead_letters()),
            exchanges=len(self.exchanges),
            database=self.session_factory.gauges(),
        )

    def metrics(self) -> ServiceMetrics:
        return ServiceMetrics(
            self._system.metrics(), self.queue.counts(), self.session_factory.gauges()
        )

    def _handlers(self, agent: Agent) -> dict[str, Handle]:
        makers, system = self._makers, self._system
        agents = makers.agent_handler(
            makers.supervisors(agent), self.sender, self.lifetimes, system.clock, system.settings
        )
        requests = AgentRequests(self.turns, agents, self.lifetimes, self.sender)
        user_message = makers.user_message(requests)
        quality = QualityHandler(self.quality, self.turns, system.clock, self.sender, agent.name)

        async def of_quality(queued: Queued) -> None:
            await quality.handle(queued.message)

        return {
            "start_agent": makers.start_agent(requests).handle,
            "user_message": user_message.handle,
            "chat": user_message.handle,
            "get_thread_history": makers.thread_history(self.turns, self.sender).handle,
            **dict.fromkeys(QUALITY, of_quality),
        }
