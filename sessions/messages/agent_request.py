"""What becomes of a request to the agent: a user's turn, a run, an agent's turn."""

from __future__ import annotations

from sessions.agents.agent import AgentRequest
from sessions.agents.agent_handler import AgentHandler
from sessions.event import Json
from sessions.messages.lifetime import Lifetimes
from sessions.messages.sender import Sender
from sessions.queue.message import Begun, Message
from sessions.storage.turn_store import TurnStore

HISTORY_TURNS_MAX = 20  # that an agent is shown; our choice


class AgentRequests:
    """The steps of an agent request (the contract, Persistence), each on the message's context.

    A turn is stored before the event that tells of it. Storage errors are raised.
    """

    def __init__(
        self, turns: TurnStore, agents: AgentHandler, lifetimes: Lifetimes, sender: Sender
    ) -> None:
        self._turns = turns
        self._agents = agents
        self._lifetimes = lifetimes
        self._sender = sender

    async def begin(self, message: Message, text: str) -> Begun | None:
        """Store the user's turn; None if it was stored before, which is told instead."""
        context, message_id = message.context, message.message_id
        if message_id:
            position = await self._turns.position_of(context, message_id)
            if position is not None:
                fields: dict[str, Json] = {"position": position}
                self._sender.answer(context, "already_handled", fields, message_id, message.asker)
                return None
        history = await self._turns.latest_turns(context, HISTORY_TURNS_MAX)
        self._lifetimes.check(message)
        position = await self._turns.append_user_turn(context, text, message_id, used=message.used)
        self._publish(message, "agent_started", {"position": position})
        return Begun(position, tuple(history))

    async def run(
        self, message: Message, begun: Begun, text: str, references: tuple[str, ...] = ()
    ) -> str | None:
        """Return the agent's answer; None after an error, which was reported."""
        return await self._agents.run(message, AgentRequest(text, references, begun.history))

    async def complete(self, message: Message, reply: str) -> None:
        """Store the agent's turn, and tell of it."""
        self._lifetimes.check(message)
        position = await self._turns.append_agent_turn(message.context, reply, message.message_id)
        self._publish(message, "agent_completed", {"position": position, "response": reply})

    def _publish(self, message: Message, kind: str, fields: dict[str, Json]) -> None:
        self._sender.publish(message.context, kind, fields, message.message_id, message.asker)
