"""Run an agent for one context."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sessions.agents.agent import Agent, AgentOutput, AgentRequest
from sessions.context import UserExecutionContext


class Supervisor:
    """Runs an agent on the context that it holds, and on no other."""

    def __init__(self, context: UserExecutionContext, agent: Agent) -> None:
        self.context = context
        self._agent = agent

    def run(self, request: AgentRequest) -> AsyncIterator[AgentOutput]:
        return self._agent.run(self.context, request)


class SupervisorFactory:
    """Builds a supervisor for each context, never shared."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def create_supervisor(self, context: UserExecutionContext) -> Supervisor:
        return Supervisor(context, self._agent)
