"""An agent that goes wrong as it is told, to test what happens around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import Enum

from sessions.agents.agent import (
    Agent,
    AgentOutput,
    AgentReply,
    AgentRequest,
    AgentUnavailableError,
)
from sessions.context import UserExecutionContext

SLOW_S = 3.0


class Fault(Enum):
    """How an agent goes wrong; both waits of a slow one take SLOW_S seconds."""

    NONE = "well"
    REFUSES = "refuses"
    RAISES_EARLY = "raises early"
    RAISES_LATE = "raises late"
    NEVER_ENDS = "never ends"
    SLOW = "slow"
    UNAVAILABLE = "unavailable"


class FaultInjectingAgent:
    """Does what another agent does, but for the requests that have a fault.

    fault_of says which, each time that a request is tried.
    """

    def __init__(self, agent: Agent, fault_of: Callable[[AgentRequest], Fault]) -> None:
        self._agent = agent
        self._fault_of = fault_of

    @property
    def name(self) -> str:
        return self._agent.name

    def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        fault = self._fault_of(request)
        if fault is Fault.REFUSES:
            raise RuntimeError("the agent refuses to begin")
        return self._run(context, request, fault)

    async def _run(
        self, context: UserExecutionContext, request: AgentRequest, fault: Fault
    ) -> AsyncIterator[AgentOutput]:
        await self._before_the_first(fault)
        async for output in self._agent.run(context, request):
            if fault is Fault.SLOW and isinstance(output, AgentReply):
                await asyncio.sleep(SLOW_S)
            yield output
            await self._after_the_first(fault)

    async def _before_the_first(self, fault: Fault) -> None:
        if fault is Fault.RAISES_EARLY:
            raise RuntimeError("the agent fails before its first event")
        if fault is Fault.UNAVAILABLE:
            raise AgentUnavailableError("the agent is busy")
        if fault is Fault.SLOW:
            await asyncio.sleep(SLOW_S)

    async def _after_the_first(self, fault: Fault) -> None:
        if fault is Fault.RAISES_LATE:
            raise RuntimeError("the agent fails after its first event")
        if fault is Fault.NEVER_ENDS:
            await asyncio.get_running_loop().create_future()
