"""Runs an agent for a request, and tells what went wrong of its errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from sessions.agents.agent import (
    Agent,
    AgentEvent,
    AgentOutput,
    AgentRequest,
    AgentUnavailableError,
)
from sessions.clock import Clock
from sessions.errors import AgentFailedError, AgentTimeoutError, ThreadEndedError
from sessions.messages.lifetime import Lifetimes
from sessions.messages.message import Message
from sessions.router import Router
from sessions.settings import Settings

logger = logging.getLogger(__name__)


class AgentHandler:
    """Runs an agent for agent_timeout_s at most, and sends its events as they come.

    They are sent on the context that it was given.
    """

    def __init__(
        self,
        agent: Agent,
        router: Router,
        lifetimes: Lifetimes,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._agent = agent
        self._router = router
        self._lifetimes = lifetimes
        self._clock = clock
        self._settings = settings

    async def run(self, message: Message, request: AgentRequest) -> str:
        """Return the agent's reply to a message.

        Raises AgentUnavailableError if the agent could not be had, before its first event;
        AgentTimeoutError; AgentFailedError; and ThreadEndedError once the session that accepted
        the message has ended.
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
                self._lifetimes.check(message)
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
