"""Handle start_agent, user_message and chat: a user's turn, a run of the agent, its turn."""

from __future__ import annotations

from sessions.agents.agent import AgentRequest
from sessions.agents.agent_handler import AgentHandler
from sessions.event import Json
from sessions.messages.lifetime import Lifetimes
from sessions.queue.message import Begun, Message, Queued
from sessions.router import Router
from sessions.storage.turn_store import TurnStore

HISTORY_TURNS_MAX = 20  # that an agent is shown; our choice


class AgentRequestHandler:
    """Lets the agent answer (the contract, Persistence), each step on the message's context.

    A turn is stored before the event that tells of it. Storage errors are raised.
    """

    def __init__(
        self, turns: TurnStore, agents: AgentHandler, lifetimes: Lifetimes, router: Router
    ) -> None:
        self._turns = turns
        self._agents = agents
        self._lifetimes = lifetimes
        self._router = router

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        queued.begun = queued.begun or await self._begin(message)
        if queued.begun is None:
            return
        reply = await self._agents.run(message, _request(message, queued.begun))
        if reply is not None:
            await self._complete(message, reply)

    async def _begin(self, message: Message) -> Begun | None:
        """Store the user's turn; None if it was stored before, which is told instead."""
        context, message_id = message.context, message.message_id
        if message_id:
            position = await self._turns.position_of(context, message_id)
            if position is not None:
                self._router.answer(message, "already_handled", {"position": position})
                return None
        history = await self._turns.latest_turns(context, HISTORY_TURNS_MAX)
        self._lifetimes.check(message)
        text = _text(message)
        position = await self._turns.append_user_turn(context, text, message_id, used=message.used)
        self._router.publish(message, "agent_started", {"position": position})
        return Begun(position, tuple(history))

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
    return str(message.payload["user_request" if message.kind == "start_agent" else "text"])
