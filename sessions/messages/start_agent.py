"""Handle start_agent."""

from __future__ import annotations

from sessions.messages.agent_request import AgentRequests
from sessions.queue.message import Begun, Message, Queued


class StartAgentHandler:
    """Lets the agent carry out what a user asks for."""

    def __init__(self, requests: AgentRequests) -> None:
        self._requests = requests

    async def handle(self, queued: Queued) -> None:
        message = queued.message
        queued.begun = queued.begun or await self._setup_thread_and_run(message)
        if queued.begun is None:
            return
        reply = await self._requests.run(message, queued.begun, self._request(message))
        if reply is not None:
            await self._send_agent_completion(message, reply)

    async def _setup_thread_and_run(self, message: Message) -> Begun | None:
        return await self._requests.begin(message, self._request(message))

    async def _send_agent_completion(self, message: Message, reply: str) -> None:
        await self._requests.complete(message, reply)

    def _request(self, message: Message) -> str:
        return str(message.payload["user_request"])
