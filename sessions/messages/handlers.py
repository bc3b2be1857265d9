"""Handle each message by its kind, the agent's with its help, and tell what goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeAlias

from sessions.agents.agent import (
    Agent,
    AgentEvent,
    AgentOutput,
    AgentRequest,
    AgentUnavailableError,
)
from sessions.clock import Clock
from sessions.contexts import Contexts
from sessions.errors import AgentFailedError, AgentTimeoutError, ThreadEndedError
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.messages.error_codes import code_of, told
from sessions.messages.message import (
    AGENT_REQUESTS,
    HISTORY_TURNS_MAX,
    PRIORITIES,
    TEXT_FIELDS,
    Message,
    Priority,
    Queued,
)
from sessions.queue import MessageQueue
from sessions.registry import Registry
from sessions.router import Router
from sessions.settings import Settings
from sessions.storage.failures import UNSTORED, StorageErrors
from sessions.storage.tables import Begun, Turn
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore

logger = logging.getLogger(__name__)


Handle: TypeAlias = Callable[[Queued], Coroutine[object, object, None]]


class AgentHandler:
    """Runs an agent for agent_timeout_s at most, and sends its events as they come.

    They are sent on the context that it was given.
    """

    def __init__(
        self,
        agent: Agent,
        router: Router,
        registry: Registry,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._agent = agent
        self._router = router
        self._registry = registry
        self._clock = clock
        self._settings = settings

    async def run(self, message: Message, request: AgentRequest) -> str:
        """Return the agent's reply to a message.

        Raises AgentUnavailableError if the agent could not be had, before its first event;
        AgentTimeoutError; AgentFailedError; and ThreadEndedError once the message was stopped, or
        the session has ended that accepted it.
        """
        try:
            return await self._in_time(message, request)
        except (AgentTimeoutError, AgentUnavailableError, ThreadEndedError):
            raise
        except Exception as error:  # an agent may raise anything
            logger.warning("agent failed on %s", message.context.thread_id, exc_info=error)
            raise AgentFailedError(_told(error)) from error

    async def _in_time(self, message: Message, request: AgentRequest) -> str:
        deadline_s = self._clock.now() + self._settings.agent_timeout_s
        running = asyncio.create_task(self._consume(message, request, deadline_s))
        try:
            await asyncio.wait((running,), timeout=self._settings.agent_timeout_s)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if running.cancelled():
            raise self._timeout()
        return running.result()

    async def _consume(self, message: Message, request: AgentRequest, deadline_s: float) -> str:
        outputs = self._agent.run(message.context, request)
        has_begun = False
        try:
            async for output in outputs:
                # What is due is gone, even if this has come at the very second.
                self._registry.check(message)
                if self._clock.now() >= deadline_s:
                    raise self._timeout()
                if not isinstance(output, AgentEvent):
                    return output.text
                has_begun = True
                self._router.publish(message, output.kind, output.fields)
        except AgentUnavailableError as error:
            if has_begun:
                raise RuntimeError("the agent was lost after its first event") from error
            raise
        finally:
            await _close(outputs)
        raise RuntimeError("the agent ended without a reply")

    def _timeout(self) -> AgentTimeoutError:
        limit_s = self._settings.agent_timeout_s
        return AgentTimeoutError(f"the agent took {limit_s} s, the limit; ask again, or for less")


def _told(error: Exception) -> str:
    """Return what went wrong, without the agent's own words, which are for our log only."""
    return f"the agent failed ({type(error).__name__}); ask again"


async def _close(outputs: AsyncIterator[AgentOutput]) -> None:
    """Close an agent's iterator; one that cannot be closed, or fails to, is left."""
    if isinstance(outputs, AsyncGenerator):
        with suppress(Exception):
            await outputs.aclose()


class AgentRequestHandler:
    """Lets the agent answer (the contract, Persistence), each step on the message's context.

    A turn is stored before the event that tells of it, and with a user's turn that it is to be
    answered; that is so until the answer is stored, or nobody is to wait for one. Storage errors
    are raised.
    """

    def __init__(
        self,
        queue: MessageQueue,
        turns: TurnStore,
        agents: AgentHandler,
        router: Router,
        registry: Registry,
        errors: StorageErrors,
    ) -> None:
        self._registry = registry
        self._errors = errors
        self._queue = queue
        self._turns = turns
        self._agents = agents
        self._router = router

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        queued.begun = queued.begun or await self._begin(message)
        if queued.begun is None:
            return
        try:
            reply = await self._agents.run(message, _request(message, queued.begun))
        except (AgentFailedError, AgentTimeoutError):
            await self.give_up(message)
            raise
        except AgentUnavailableError:
            if self._queue.is_last_try(queued):
                await self.give_up(message)
            raise
        await self._complete(message, reply)

    def stop(self, message: Message) -> Coroutine[object, object, None]:
        """Suppress all further events of a message; return the work that stores its end."""
        self._registry.stop(message)
        return self.give_up(message, is_stopped=True)

    async def give_up(self, message: Message, *, is_stopped: bool = False) -> None:
        """Note that a message is not to be answered, before anybody is told.

        If that cannot be stored, it is taken up again after the next start. Of one that is over,
        that is nobody's matter, unless it was stopped: then its end is stored all the same.
        """
        try:
            await self._turns.give_up(message.context, message.used)
        except UNSTORED as error:
            if is_stopped or not self._registry.is_over(message):
                self._errors.note(error, "the end of a request", *message.key)

    async def _begin(self, message: Message) -> Begun | None:
        """Store the user's turn; None if it was stored before, which is told instead."""
        begun = await self._turns.begin(
            message.context,
            _text(message),
            message.message_id,
            used=message.used,
            asked=as_asked(message),
            history_max=HISTORY_TURNS_MAX,
        )
        self._registry.check(message)
        if begun.handled:
            self._router.answer(message, "already_handled", _handled(begun.handled))
            return None
        self._router.publish(message, "agent_started", {"position": begun.position})
        return begun

    async def _complete(self, message: Message, reply: str) -> None:
        """Store the agent's turn, and tell of it."""
        self._registry.check(message)
        position = await self._turns.append_agent_turn(message.context, reply, message.message_id)
        self._registry.check(message)
        completed: dict[str, Json] = {"position": position, "response": reply}
        self._router.publish(message, "agent_completed", completed)


def _request(message: Message, begun: Begun) -> AgentRequest:
    references = message.payload.get("references")
    given = tuple(map(str, references)) if isinstance(references, list) else ()
    return AgentRequest(_text(message), given, begun.history)


def _text(message: Message) -> str:
    return str(message.payload[TEXT_FIELDS[message.kind]])


def _handled(turns: tuple[Turn, ...]) -> dict[str, Json]:
    """Return what is told of a message that was handled: its turn, and its answer if there is one.

    A thread's requests run one after another, so that the answer is there, or never comes.
    """
    asked, *answers = turns
    told: dict[str, Json] = {"position": asked.position}
    for answer in answers:
        told |= {"answer_position": answer.position, "response": answer.text}
    return told


class ThreadHistoryHandler:
    """Answers with the latest turns of the message's own thread."""

    def __init__(self, turns: TurnStore, router: Router) -> None:
        self._turns = turns
        self._router = router

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        limit = message.payload["limit"]
        assert isinstance(limit, int)  # checked when it was taken in
        turns = await self._turns.latest_turns(message.context, limit)
        fields: dict[str, Json] = {"turns": [shown_turn(turn) for turn in turns]}
        self._router.answer(message, "thread_history", fields)


def shown_turn(turn: Turn) -> Json:
    """Return what a user sees of a turn."""
    return {
        "position": turn.position,
        "role": turn.role,
        "text": turn.text,
        "message_id": turn.message_id,
        "run_id": turn.run_id,
        "at_s": turn.at_s,
    }


class Deletions:
    """The threads whose turns are being removed.

    A thread can have a new session meanwhile. Its messages are handled when the removal is over,
    or they would go on with the old conversation, and be removed with it.
    """

    def __init__(self) -> None:
        self._under_way: dict[IsolationKey, list[asyncio.Event]] = {}

    @contextmanager
    def of(self, key: IsolationKey) -> Iterator[None]:
        """Hold back the thread's messages while a block runs."""
        over = asyncio.Event()
        self._under_way.setdefault(key, []).append(over)
        try:
            yield
        finally:
            over.set()
            self._under_way[key].remove(over)
            if not self._under_way[key]:
                del self._under_way[key]

    async def until_over(self, key: IsolationKey) -> bool:
        """Return once no turns of a thread are being removed, and whether that took a wait."""
        has_waited = False
        while found := self._under_way.get(key):
            has_waited = True
            await found[0].wait()
        return has_waited


class Dispatcher:
    """What the queue's worker calls (queue.Handling).

    What has a code is told to the asker and done with; what has none is retried.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handle],
        registry: Registry,
        deletions: Deletions,
        router: Router,
        storage_errors: StorageErrors,
    ) -> None:
        self._handlers = handlers
        self._registry = registry
        self._deletions = deletions
        self._router = router
        self._storage_errors = storage_errors
        self.until_over = registry.until_over

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        has_waited = await self._deletions.until_over(message.key)
        if has_waited and self._registry.is_over(message):
            return
        try:
            await self._handlers[message.kind](queued)
        except ThreadEndedError:
            return  # nobody is there to be told
        except Exception as error:
            code = code_of(error)
            if code is None:
                raise
            if self._registry.is_over(message):
                return  # since this second, in which it has failed
            if isinstance(error, UNSTORED):
                self._storage_errors.note(error, message.kind, *message.key)
            self._router.error(message, code, told(error))

    def gave_up(self, message: Message) -> None:
        """Report to who asked the agent that it was not available."""
        if message.kind in AGENT_REQUESTS and not self._registry.is_over(message):
            text = "the agent could not be had; ask again later"
            self._router.error(message, "agent_failed", text)


class UnansweredQuestions:
    """Queues each of them once, under its run, in the order in which they were asked.

    Nobody waits for the answer where it was asked from: it goes to the thread.
    """

    def __init__(
        self,
        threads: ThreadStore,
        turns: TurnStore,
        contexts: Contexts,
        registry: Registry,
        queue: MessageQueue,
    ) -> None:
        self._threads = threads
        self._turns = turns
        self._contexts = contexts
        self._registry = registry
        self._queue = queue

    async def take_up(self) -> None:
        """Queue those of the threads whose sessions go on; raises storage errors."""
        for question in await self._threads.unanswered():
            context = self._contexts.reading_context(question.user_id, question.thread_id)
            session = self._registry.peek(question.user_id, question.thread_id)
            if session is None:  # it was due by now
                continue
            turns = await self._turns.latest_turns(context, HISTORY_TURNS_MAX + 1)
            asked = json.loads(question.asked)
            kind = str(asked["kind"])
            message = Message(
                context,
                kind,
                {**asked["payload"], TEXT_FIELDS[kind]: question.text},
                session.number,
                question.used,
                question.message_id,
                priority=PRIORITIES.get(kind, Priority.NORMAL),
            )
            self._queue.take_up(message, Begun(question.position, tuple(turns[:-1])))


def as_asked(message: Message) -> str:
    """Return what is stored of a question beside its turn, which has its text."""
    payload = dict(message.payload)
    del payload[TEXT_FIELDS[message.kind]]
    return json.dumps({"kind": message.kind, "payload": payload})
