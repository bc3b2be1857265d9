"""Handle start_agent, user_message and chat: a user's turn, a run of the agent, its turn."""

from __future__ import annotations

from sessions.agents.agent import AgentRequest, AgentUnavailableError
from sessions.agents.agent_handler import AgentHandler
from sessions.errors import AgentFailedError, AgentTimeoutError
from sessions.event import Json
from sessions.messages.lifetime import Lifetimes
from sessions.messages.message import HISTORY_TURNS_MAX, TEXT_FIELDS, Message, Queued
from sessions.messages.unanswered import as_asked
from sessions.queue.message_queue import MessageQueue
from sessions.router import Router
from sessions.storage.failures import UNSTORED, StorageErrors
from sessions.storage.tables import Begun, Turn
from sessions.storage.turn_store import TurnStore


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
        lifetimes: Lifetimes,
        router: Router,
        errors: StorageErrors,
    ) -> None:
        self._errors = errors
        self._queue = queue
        self._turns = turns
        self._agents = agents
        self._lifetimes = lifetimes
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

    async def give_up(self, message: Message) -> None:
        """Note that a message is not to be answered, before anybody is told.

        If that cannot be stored, it is taken up again after the next start.
        """
        try:
            await self._turns.give_up(message.context, message.used)
        except UNSTORED as error:
            self._errors.note(error, "the end of a request", *message.key)

    async def _begin(self, message: Message) -> Begun | None:
        """Store the user's turn; None if it was stored before, which is told instead."""
        self._lifetimes.check(message)
        begun = await self._turns.begin(
            message.context,
            _text(message),
            message.message_id,
            used=message.used,
            asked=as_asked(message),
            history_max=HISTORY_TURNS_MAX,
        )
        if begun.handled:
            self._router.answer(message, "already_handled", _handled(begun.handled))
            return None
        self._router.publish(message, "agent_started", {"position": begun.position})
        return begun

    async def _complete(self, message: Message, reply: str) -> None:
        """Store the agent's turn, and tell of it."""
        self._lifetimes.check(message)
        position = await self._turns.append_agent_turn(message.context, reply, message.message_id)
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
