"""The agent: who answers, behind an interface, and one that follows plain rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.storage.tables import Turn


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """What a user asks; history has the thread's turns before it, oldest first."""

    text: str
    references: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """Something that an agent tells while it works, such as agent_thinking."""

    kind: str
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentReply:
    """What an agent answers; it ends the run."""

    text: str


AgentOutput: TypeAlias = AgentEvent | AgentReply


class AgentUnavailableError(Exception):
    """The agent cannot be had now; before its first event, the request is tried again later."""


class Agent(Protocol):
    """Answers one request at a time of each context, and any number of contexts at once.

    It keeps nothing of a user between two runs. It is cancelled by asyncio's means, at the latest
    agent_timeout_s after the run began. Whatever it raises ends the run.
    """

    @property
    def name(self) -> str:
        """What it is called in quality metrics."""
        ...

    def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        """Return an iterator over any number of events, and then one AgentReply."""
        ...


class RuleBasedAgent:
    """Counts the words with a tool, and says what was said, now and before."""

    name = "rule_based"

    async def run(
        self,
        context: UserExecutionContext,  # noqa: ARG002  # its rules are the same for everybody
        request: AgentRequest,
    ) -> AsyncIterator[AgentOutput]:
        yield AgentEvent("agent_thinking", {"turns": len(request.history)})
        tool = "word_count"
        yield AgentEvent("tool_executing", {"tool": tool, "arguments": {"text": request.text}})
        yield AgentEvent("tool_completed", {"tool": tool, "result": len(request.text.split())})
        yield AgentReply(self._answer(request))

    def _answer(self, request: AgentRequest) -> str:
        before = next((turn for turn in reversed(request.history) if turn.role == "user"), None)
        said = f"You said: {request.text}"
        return f"{said} Before that: {before.text}" if before else said
