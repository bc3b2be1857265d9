"""The agent of a driven service: it goes wrong as the word of each text says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import replace

from models.session_manager.plain_data import spoil
from sessions.agents.agent import (
    AgentEvent,
    AgentOutput,
    AgentRequest,
    AgentUnavailableError,
    RuleBasedAgent,
)
from sessions.agents.fault_injecting import Fault, FaultInjectingAgent
from sessions.context import UserExecutionContext
from sessions.messages.message import Message

FAULTS = {fault.value: fault for fault in Fault}
UNAVAILABLE_TWICE = "unavailable twice"
TWICE = 2
HELD, PUNCTUAL, LOST, SILENT = "held", "punctual", "lost", "silent"
PUNCTUAL_S = 6


class Words:
    """Which word applies to which text; texts are unique to a step."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._tries: Counter[str] = Counter()
        self._released: dict[str, asyncio.Event] = {}
        self._clocks: dict[str, asyncio.Event] = {}
        self._runs: dict[object, object] = {}

    def tell(self, text: str, word: str) -> None:
        self._words[text] = word

    def clear(self, kept: Collection[str] = ()) -> None:
        """Forget all but the words of texts that are still to be answered."""
        self._words = {text: word for text, word in self._words.items() if text in kept}
        self._tries = Counter({text: self._tries[text] for text in kept})
        self._released = {text: each for text, each in self._released.items() if text in kept}
        self._clocks = {text: each for text, each in self._clocks.items() if text in kept}

    def start_again(self) -> None:
        """Count tries anew, and hold agents anew, as a service does that has been started."""
        self._tries.clear()
        self._released.clear()
        self._clocks.clear()
        self._runs.clear()

    def clock(self, text: str) -> asyncio.Event:
        """Return what rings when a punctual agent is to answer."""
        return self._clocks.setdefault(text, asyncio.Event())

    async def until_it_rings(self, request: AgentRequest) -> None:
        """Return when an agent is to begin: at once, if no clock was set since the start."""
        if clock := self._clocks.get(request.text):
            await clock.wait()

    def running(self) -> int:
        """Return how many runs of agents have begun, and were not closed."""
        return len(self._runs)

    def began(self, key: object, run: object) -> None:
        """Keep a run, so that nothing closes it but who has begun it."""
        self._runs[key] = run

    def ended(self, key: object) -> None:
        self._runs.pop(key, None)  # after a crash it is there no more

    async def goes_on(self, request: AgentRequest) -> bool:
        """Return whether an agent goes on after an event: one that is held when it is released."""
        word = self._words.get(request.text)
        if word == HELD:
            await self.released(request.text).wait()
        if word == LOST:
            raise AgentUnavailableError("the agent is gone")
        return word != SILENT

    def released(self, text: str) -> asyncio.Event:
        """Return what a held agent waits for."""
        return self._released.setdefault(text, asyncio.Event())

    def fault_of(self, request: AgentRequest) -> Fault:
        """Return the fault for one more try of a request."""
        word = self._words.get(request.text, "")
        if word != UNAVAILABLE_TWICE:
            return FAULTS.get(word, Fault.NONE)
        self._tries[request.text] += 1
        return Fault.UNAVAILABLE if self._tries[request.text] <= TWICE else Fault.NONE


def asked(message: Message) -> object:
    """Return what a message asks the agent; None if it is for nobody there."""
    return message.payload.get("text") or message.payload.get("user_request")


class WatchedAgent:
    """Does what the words say, and shows every context that it is handed."""

    def __init__(self, words: Words, on_context: Callable[[UserExecutionContext], None]) -> None:
        self._words = words
        self._agent = FaultInjectingAgent(RuleBasedAgent(), words.fault_of)
        self._on_context = on_context

    @property
    def name(self) -> str:
        return self._agent.name

    def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        self._on_context(context)
        spoil(request.history)
        outputs, key = self._agent.run(context, request), object()
        run = self._run(outputs, request, key)
        self._words.began(key, run)
        return run

    async def _run(
        self, outputs: AsyncIterator[AgentOutput], request: AgentRequest, key: object
    ) -> AsyncGenerator[AgentOutput, None]:
        assert isinstance(outputs, AsyncGenerator)
        try:
            async with aclosing(outputs):
                await self._words.until_it_rings(request)
                async for output in outputs:
                    yield _referring(output, request)
                    if not await self._words.goes_on(request):
                        return
        finally:
            self._words.ended(key)


def _referring(output: AgentOutput, request: AgentRequest) -> AgentOutput:
    """Return an output; the first event has the references of the request, read twice."""
    if not isinstance(output, AgentEvent) or output.kind != "agent_thinking":
        return output
    if not list(request.references):
        return output
    return replace(output, fields={**output.fields, "references": list(request.references)})
