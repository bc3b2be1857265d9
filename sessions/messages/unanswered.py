"""Go on, after a start, with the questions that were acknowledged and not answered before it."""

from __future__ import annotations

import json

from sessions.context import Contexts
from sessions.messages.message import HISTORY_TURNS_MAX, PRIORITIES, TEXT_FIELDS, Message, Priority
from sessions.queue.message_queue import MessageQueue
from sessions.registry import Registry
from sessions.storage.tables import Begun
from sessions.storage.thread_store import ThreadStore
from sessions.storage.turn_store import TurnStore


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
