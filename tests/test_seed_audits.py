"""The claims of the two audits: which context every entry, handler and error works on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sessions.agents.agent import AgentOutput, AgentRequest
from sessions.context import UserExecutionContext
from sessions.event import Json
from tests.sessions_clock import settle
from tests.sessions_peers import Peer
from tests.sessions_subject import Chat, Subject, frame, logged, on_a_loop, places, subject

__all__ = ["subject"]

HELLO: dict[str, Json] = {"text": "hello"}
QUALITY: dict[str, dict[str, Json]] = {
    "subscribe_quality_alerts": {"action": "subscribe"},
    "get_quality_metrics": {},
    "generate_quality_report": {},
    "validate_content": {"content": "what was said"},
}
# The methods that seed 000, 1.1 names, each with a frame that comes to it, and the last answer.
HANDLERS = {
    "StartAgentHandler and its completion": (
        frame("start_agent", {"user_request": "hello"}),
        "agent_completed",
    ),
    "UserMessageHandler and its completion": (frame("user_message", HELLO), "agent_completed"),
    "ThreadHistoryHandler": (frame("get_thread_history"), "thread_history"),
    "_validate_message_format": ("no JSON", "error"),
    "_extract_message_type": (frame("unheard_of"), "error"),
    "_sanitize_and_queue_message": (frame("user_message", {"text": ""}), "error"),
}
each_quality_type = pytest.mark.parametrize("kind", QUALITY)


class FailingAgent:
    """An agent that fails on every request."""

    name = "failing"

    def run(
        self, context: UserExecutionContext, request: AgentRequest
    ) -> AsyncIterator[AgentOutput]:
        raise LookupError(request.text)


async def conversation(chat: Chat) -> tuple[Peer, set[tuple[Json, Json]]]:
    """Begin a conversation, and return its only place."""
    peer = await chat.connect()
    await chat.say(peer, "hello")
    return peer, places(peer.received)


@pytest.mark.parametrize(("sent", "last"), HANDLERS.values(), ids=HANDLERS)
@on_a_loop
async def test_every_handler_stays_on_its_connections_context(
    subject: Subject, sent: str, last: str
) -> None:
    """
    Seed 000, 1.1: each handler method goes on with the session, none makes a context of its own.
    """
    async with subject.chat() as chat:
        peer, place = await conversation(chat)
        events = await chat.send(peer, sent)

        assert len(place) == 1
        assert places(events) == place
        assert events[-1]["type"] == last
        assert chat.system.metrics().contexts_created == 1


@pytest.mark.parametrize("where", ["message", "payload"])
@on_a_loop
async def test_a_message_names_its_thread_and_run(subject: Subject, where: str) -> None:
    """
    Seed 000, 5.1: ids come from the message, message.get(...) or payload.get(...), where given.
    """
    async with subject.chat() as chat:
        peer = await chat.connect(thread_id="t1")
        other = await chat.connect(thread_id="t2")
        ids = {"thread_id": "t2", "run_id": "r2"}
        in_payload: dict[str, Json] = {**HELLO, **ids} if where == "payload" else HELLO
        on_top = ids if where == "message" else {}
        events = await chat.ask(peer, "user_message", in_payload, **on_top)

        assert places(events) == {("t2", "r2")}
        assert other.received[1:] == events


@on_a_loop
async def test_an_error_keeps_the_context(subject: Subject) -> None:
    """
    Seed 000, 1.2: error scenarios maintain conversation context, and the conversation goes on.
    """
    async with subject.chat(agent=FailingAgent()) as chat:
        peer = await chat.connect()
        events = await chat.say(peer, "hello")
        again = await chat.say(peer, "and now?")

        assert [event["type"] for event in events] == ["agent_started", "error"]
        assert places(events) == places(again) == places(peer.received)
        assert await chat.turns(peer) == ["hello", "and now?"]


@pytest.mark.parametrize("route", ["process_agent_message", "stream_response"])
@on_a_loop
async def test_a_route_goes_on_with_the_session(subject: Subject, route: str) -> None:
    """
    Seed 000, 1.3: API endpoints maintain conversation continuity, and make no session of theirs.
    """
    async with subject.chat() as chat:
        _, place = await conversation(chat)
        ((thread_id, run_id),) = place
        answer = await getattr(chat.service.agent_route, route)(
            "ana", {"text": "by HTTP", "thread_id": thread_id}
        )
        told = [answer.body] if hasattr(answer, "body") else [event async for event in answer]
        await settle()

        assert places(told) == {(thread_id, run_id)}
        assert str(told[-1]["response"]).endswith("Before that: hello")
        assert chat.system.metrics().contexts_created == 1
        assert chat.service.census().database.sessions_open == 1  # the connection's


def test_reuse_and_creation_are_logged(subject: Subject) -> None:
    """
    Seed 000, 5.3, add logging to track session reuse vs creation: one line each.
    """
    system, _ = subject.make_system()
    with logged() as lines:
        system.contexts.get_user_execution_context("ana", "t")
        system.contexts.get_user_execution_context("ana", "t")

    assert lines == ["Creating session: t", "Reusing session: t"]


@on_a_loop
async def test_a_conversation_of_several_turns_keeps_its_context(subject: Subject) -> None:
    """
    Seed 000, success criterion 1: multi-turn conversations maintain context across messages.
    """
    async with subject.chat() as chat:
        peer = await chat.connect()
        await chat.say(peer, "one")
        await chat.say(peer, "two")
        *_, completed = await chat.say(peer, "three")

        assert completed["response"] == "You said: three Before that: two"
        assert len(places(peer.received)) == 1


@each_quality_type
@on_a_loop
async def test_a_quality_handler_maintains_the_conversations_context(
    subject: Subject, kind: str
) -> None:
    """
    Seed 001, session continuity test: a quality message without ids is answered on its thread.
    """
    async with subject.chat() as chat:
        peer, place = await conversation(chat)
        events = await chat.ask(peer, kind, QUALITY[kind])

        assert len(events) == 1
        assert events[0]["type"] != "error"
        assert places(events) == place


@pytest.mark.parametrize("kind", ["quality_update", "quality_alert"])
@on_a_loop
async def test_a_broadcast_comes_on_each_threads_own_context(subject: Subject, kind: str) -> None:
    """
    Seed 001, 2.1, manager and router: what is told to many is told to each in its conversation.
    """
    async with subject.chat() as chat:
        ana, ben = await chat.connect("ana"), await chat.connect("ben")
        await chat.ask(ana, "subscribe_quality_alerts", {"action": "subscribe"})
        await chat.ask(ben, "subscribe_quality_alerts", {"action": "subscribe"})
        await getattr(chat.service, f"broadcast_{kind}")({"text": "slower than usual"})
        await settle()

        assert (ana.kinds()[-1], ben.kinds()[-1]) == (kind, kind)
        assert len(places(ana.received)) == len(places(ben.received)) == 1
        assert places(ana.received).isdisjoint(places(ben.received))


@on_a_loop
async def test_an_error_of_a_quality_handler_keeps_the_context(subject: Subject) -> None:
    """
    Seed 001, phase 1.3, update error handlers in quality files to use same pattern.
    """
    async with subject.chat() as chat:
        peer, place = await conversation(chat)
        events = await chat.ask(peer, "validate_content", {"content": ""})

        assert [event["type"] for event in events] == ["error"]
        assert places(events) == place


@each_quality_type
@on_a_loop
async def test_quality_breaks_no_ongoing_conversation(subject: Subject, kind: str) -> None:
    """
    Seed 001, multi-turn quality flow: after a quality message the agent still knows the last turn.
    """
    async with subject.chat() as chat:
        peer, place = await conversation(chat)
        await chat.ask(peer, kind, QUALITY[kind])
        *_, completed = await chat.say(peer, "go on")

        assert completed["response"] == "You said: go on Before that: hello"
        assert places(peer.received) == place


@each_quality_type
@on_a_loop
async def test_quality_abandons_no_context(subject: Subject, kind: str) -> None:
    """
    Seed 001, memory leak prevention: quality handlers create no contexts, hence abandon none.
    """
    async with subject.chat() as chat:
        peer, _ = await conversation(chat)
        await chat.ask(peer, kind, QUALITY[kind])

        assert len(chat.system.census().sessions) == 1
        assert chat.system.metrics().contexts_created == 1
        assert chat.service.census().database.sessions_open == 1  # the connection's
