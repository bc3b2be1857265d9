"""HTTP routes with one bug each: a context made for the request, as if it were the first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.agents import Agents
from scenarios.database import Database
from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.routes.agent_route import AgentRoute
from sessions.routes.messages_route import MessagesRoute
from sessions.routes.reply import Reply
from tests.mutants.services import new_context, service_mutant


class _MakesIds(AgentRoute):
    def _with_new_ids(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        return {**body, "thread_id": self._ids.generate_base_id("thread"), "run_id": None}


@service_mutant("agent_route", Agents, continuity_post=1)
class PostsElsewhere(_MakesIds):
    """Asks the agent on a new thread (process_agent_message)."""

    async def process_agent_message(self, user_id: str, body: Mapping[str, Json]) -> Reply:
        return await super().process_agent_message(user_id, self._with_new_ids(body))


@service_mutant("agent_route", Agents, continuity_post_stream=1)
class StreamsElsewhere(_MakesIds):
    """Streams what an agent does on a new thread (stream_response)."""

    async def stream_response(
        self, user_id: str, body: Mapping[str, Json]
    ) -> Reply | AsyncIterator[dict[str, Json]]:
        return await super().stream_response(user_id, self._with_new_ids(body))


@service_mutant("messages_route", Database, continuity_thread_messages=2)
class ReadsElsewhere(MessagesRoute):
    """Shows the turns of a new thread, which has none."""

    def _context(self, user_id: str, thread_id: str) -> UserExecutionContext:
        return new_context(super()._context(user_id, thread_id))


MUTANTS = cast("tuple[Mutant, ...]", (PostsElsewhere, StreamsElsewhere, ReadsElsewhere))
