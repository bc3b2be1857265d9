"""The five regression patterns of seed 004, and the two tests that it calls for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sessions.agents.agent import AgentOutput, AgentReply, AgentRequest
from sessions.context import UserExecutionContext
from sessions.ids import IsolationKey
from tests.sessions_clock import settle
from tests.sessions_peers import Peer
from tests.sessions_subject import Subject, on_a_loop, places, same, subject

__all__ = ["subject"]

DROPPED = 1006  # a close code (RFC 6455, section 7.4.1)


class Listener:
    """An agent that says nothing of interest, and remembers the contexts that it is handed."""

    name = "listener"

    def __init__(self) -> None:
        self.contexts: list[UserExecutionContext] = []

    async def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        self.contexts.append(context)
        yield AgentReply("yes")


@on_a_loop
async def test_no_message_creates_a_context(subject: Subject) -> None:
    """
    Pattern 1, using create_user_execution_context() for every message: the getter reuses, always.
    """
    async with subject.chat() as chat:
        peer = await chat.connect()
        for text in ("one", "two", "three", "four", "five"):
            await chat.say(peer, text)
        metrics = chat.system.metrics()

        assert metrics.contexts_created == 1
        assert metrics.contexts_reused == 5
        assert metrics.messages_continued == metrics.messages == 5


@on_a_loop
async def test_threads_mix_nothing(subject: Subject) -> None:
    """
    Pattern 2, different threads sharing or mixing contexts: a turn of one is not in the other.
    """
    async with subject.chat() as chat:
        one, other = await chat.connect(thread_id="t1"), await chat.connect(thread_id="t2")
        await chat.say(one, "of the first")
        await chat.say(other, "of the second")

        assert await chat.turns(one) == ["of the first", "You said: of the first"]
        assert await chat.turns(other) == ["of the second", "You said: of the second"]
        assert {event["thread_id"] for event in one.received} == {"t1"}
        assert {event["thread_id"] for event in other.received} == {"t2"}


@pytest.mark.parametrize("code", [1000, DROPPED], ids=["closed", "dropped"])
@on_a_loop
async def test_contexts_are_cleaned_up_properly(subject: Subject, code: int) -> None:
    """
    Pattern 3, contexts not being cleaned up properly: fifty visits leave one conversation.
    """
    async with subject.chat() as chat:
        for _ in range(50):
            peer = await chat.connect(thread_id="t")
            await chat.service.handle_websocket_disconnect(peer, code)
        await chat.clock.move(120)
        metrics = chat.system.metrics()

        assert chat.system.census().managers == ()
        assert chat.service.census().database.sessions_open == 0
        assert metrics.managers_created == metrics.managers_cleaned_up
        assert metrics.cleanup_attempts == metrics.managers_cleaned_up
        assert metrics.emergency_cleanups == 0


@on_a_loop
async def test_the_same_thread_keeps_its_run(subject: Subject) -> None:
    """
    Pattern 4, same thread getting new contexts: by socket, again by socket, and by HTTP, one run.
    """
    async with subject.chat() as chat:
        peer = await chat.connect(thread_id="t")
        await chat.say(peer, "hello")
        await chat.service.handle_websocket_disconnect(peer, DROPPED)
        again = await chat.connect(thread_id="t")
        await chat.say(again, "me again")
        body = {"text": "and by HTTP", "thread_id": "t"}
        reply = await chat.service.agent_route.process_agent_message("ana", {**body})

        assert again.received[0]["resumed"] is True
        assert places(again.received) == places(peer.received)
        assert (reply.body["thread_id"], reply.body["run_id"]) in places(peer.received)


@on_a_loop
async def test_users_do_not_interfere(subject: Subject) -> None:
    """
    Pattern 5, user contexts interfering with each other: what ends for one goes on for another.
    """
    async with subject.chat() as chat:
        ana, ben = await chat.connect("ana", "t"), await chat.connect("ben", "t")
        await chat.say(ben, "hello")
        await chat.service.invalidate_user_sessions("ana")
        await settle()
        after = await chat.say(ben, "still here")

        assert ana.close_code == 4401
        assert ben.close_code is None
        assert places(after) == places(ben.received)
        assert list(chat.system.census().managers) == [IsolationKey("ben", "t")]


@on_a_loop
async def test_websocket_context_equals_execution_context(subject: Subject) -> None:
    """
    Test 4, validate WebSocket context aligns with execution context: they are the same at each end.
    """
    agent = Listener()
    async with subject.chat(agent=agent) as chat:
        peer = Peer()
        own = await chat.service.handle_websocket_connection(peer, "ana")
        await settle()
        events = await chat.say(peer, "hello")
        (executed,) = agent.contexts
        manager = chat.system.factory.find_of(executed)

        assert vars(peer)["user_context"] is own
        assert vars(peer)["db_session"].context is own
        assert same(executed) == same(own)
        assert executed.websocket_connection_id == own.websocket_connection_id
        assert manager is not None
        assert same(manager.context) == same(own)
        assert places(events) == {(own.thread_id, own.run_id)}


@on_a_loop
async def test_conversation_state_persists_across_messages(subject: Subject) -> None:
    """
    Test 5, conversation state maintenance across messages: the agent knows what was said before.
    """
    async with subject.chat() as chat:
        peer = await chat.connect(thread_id="t")
        await chat.say(peer, "my name is Ana")
        await chat.service.handle_websocket_disconnect(peer, DROPPED)
        again = await chat.connect(thread_id="t")
        *_, completed = await chat.say(again, "what is it?")

        assert completed["response"] == "You said: what is it? Before that: my name is Ana"
        assert [event["position"] for event in again.received if "position" in event] == [3, 4]
        assert places(again.received) == places(peer.received)
