"""An agent that follows plain rules, so that its answer is known before it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sessions.agents.agent import AgentEvent, AgentOutput, AgentReply, AgentRequest
from sessions.context import UserExecutionContext


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
