"""What users do while something else of theirs has not ended yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from sessions.agents.agent import (
    AgentEvent,
    AgentOutput,
    AgentReply,
    AgentRequest,
    RuleBasedAgent,
)
from sessions.agents.fault_injecting import Fault, FaultInjectingAgent
from sessions.context import UserExecutionContext
from tests.sessions_clock import settle
from tests.sessions_subject import Subject, frame, on_a_loop


def held(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> asyncio.Event:
    """Make each call of a method wait for the event that is returned."""
    goes_on, method = asyncio.Event(), getattr(owner, name)

    async def wait(*arguments: Any) -> Any:
        await goes_on.wait()
        return await method(*arguments)

    monkeypatch.setattr(owner, name, wait)
    return goes_on


async def begun(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start something, and return it when it has gone as far as it can."""
    task = asyncio.create_task(work)
    await settle()
    return task


@on_a_loop
async def test_what_is_said_while_a_thread_is_deleted_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is of a new conversation, which begins when the old one is gone."""
    async with Subject().chat() as chat:
        await chat.say(await chat.connect("ana", "t"), "old")
        goes_on = held(monkeypatch, chat.service.wiring.turns, "latest_turns")
        deletion = await begun(chat.service.delete_thread("ana", "t"))
        again = await chat.connect("ana", "t")
        await chat.service.receive(again, frame("user_message", {"text": "new"}))
        await settle()
        goes_on.set()

        assert await deletion is True
        await chat.rest()
        assert await chat.turns(again) == ["new", "You said: new"]


@on_a_loop
async def test_what_is_said_while_a_user_is_invalidated_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sessions that were there end; one that began after them is there after a start."""
    async with Subject().chat() as chat:
        await chat.say(await chat.connect("ana", "t"), "old")
        await chat.say(await chat.connect("ana", "u"), "other")
        goes_on = held(monkeypatch, chat.service.wiring.worker, "drop")
        invalidation = await begun(chat.service.invalidate_user_sessions("ana"))
        await chat.say(await chat.connect("ana", "t"), "new")
        goes_on.set()

        assert await invalidation == 2
        loaded = await chat.service.wiring.threads.threads_to_load()
        assert [thread.thread_id for thread in loaded] == ["t"]


@on_a_loop
async def test_a_run_is_stopped_once() -> None:
    """Who stops a run that was just stopped is told that there is none."""
    agent = FaultInjectingAgent(RuleBasedAgent(), lambda _: Fault.NEVER_ENDS)
    async with Subject().chat(agent=agent) as chat:
        tab = await chat.connect("ana", "t")
        await chat.say(tab, "hello")
        before = len(tab.received)
        for _ in range(2):
            await chat.service.receive(tab, frame("stop_agent"))
        await chat.rest()

        told = [(event["type"], event.get("code")) for event in tab.received[before:]]
        assert told == [("agent_stopped", None), ("error", "nothing_to_stop")]


class Held:
    """An agent that waits between two events."""

    name = "held"

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    async def run(
        self, _context: UserExecutionContext, _request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        yield AgentEvent("agent_thinking")
        await self.goes_on.wait()
        yield AgentEvent("tool_executing")
        yield AgentReply("well")


@on_a_loop
async def test_nothing_is_told_of_a_run_that_was_stopped() -> None:
    """Even if its agent had something to tell in that very moment."""
    agent = Held()
    async with Subject().chat(agent=agent) as chat:
        tab = await chat.connect("ana", "t")
        await chat.say(tab, "hello")
        agent.goes_on.set()
        await chat.service.receive(tab, frame("stop_agent"))
        await chat.rest()

        assert [event["type"] for event in tab.received][-2:] == ["agent_thinking", "agent_stopped"]
        assert await chat.turns(tab) == ["hello"]
