"""The agent of a driven service: it goes wrong as the word of each text says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing

from sessions.agents.agent import AgentOutput, AgentRequest, RuleBasedAgent
from sessions.agents.fault_injecting import Fault, FaultInjectingAgent
from sessions.context import UserExecutionContext
from sessions.messages.message import Message

FAULTS = {fault.value: fault for fault in Fault}
UNAVAILABLE_TWICE = "unavailable twice"
TWICE = 2
HELD = "held"


class Words:
    """Which word applies to which text; texts are unique to a step."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._tries: Counter[str] = Counter()
        self._released: dict[str, asyncio.Event] = {}

    def tell(self, text: str, word: str) -> None:
        self._words[text] = word

    def clear(self, kept: Collection[str] = ()) -> None:
        """Forget all but the words of texts that are still to be answered."""
        self._words = {text: word for text, word in self._words.items() if text in kept}
        self._tries = Counter({text: self._tries[text] for text in kept})
        self._released = {text: each for text, each in self._released.items() if text in kept}

    def start_again(self) -> None:
        """Count tries anew, and hold agents anew, as a service does that has been started."""
        self._tries.clear()
        self._released.clear()

    def is_held(self, request: AgentRequest) -> bool:
        """Return whether the agent is to wait after its first event."""
        return self._words.get(request.text) == HELD

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
        outputs = self._agent.run(context, request)
        return self._held(outputs, request.text) if self._words.is_held(request) else outputs

    async def _held(
        self, outputs: AsyncIterator[AgentOutput], text: str
    ) -> AsyncGenerator[AgentOutput, None]:
        assert isinstance(outputs, AsyncGenerator)
        async with aclosing(outputs):
            async for output in outputs:
                yield output
                await self._words.released(text).wait()
