"""Handle user_message and chat."""

from __future__ import annotations

from sessions.messages.agent_request import AgentRequests
from sessions.queue.message import Begun, Message, Queued


class UserMessageHandler:
    """Lets the agent answer what a user says in a conversation."""

    def __init__(self, requests: AgentRequests) -> None:
        self._requests = requests

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        queued.begun = queued.begun or await self._setup_user_message_thread(message)
        if queued.begun is None:
            return
        references = message.payload["references"]
        given = tuple(map(str, references)) if isinstance(references, list) else ()
        reply = await self._requests.run(message, queued.begun, self._text(message), given)
        if reply is not None:
            await self._send_user_message_completion(message, reply)

    async def _setup_user_message_thread(self, message: Message) -> Begun | None:
        return await self._requests.begin(message, self._text(message))

    async def _send_user_message_completion(self, message: Message, reply: str) -> None:
        await self._requests.complete(message, reply)

    def _text(self, message: Message) -> str:
        return str(message.payload["text"])
