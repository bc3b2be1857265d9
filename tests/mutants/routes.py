"""HTTP routes with one bug each: a context made for the request, as if it were the first."""

from __future__ import annotations

from threadline.campaign.mutant import Mutant

from scenarios.agents import Agents
from scenarios.database import Database
from tests.mutants.services import ANEW, line

BODY_WITH_NEW_IDS = '{**body, "thread_id": self._ids.generate_base_id("thread"), "run_id": None}'

PostsElsewhere = line(
    "PostsElsewhere",
    "Asks the agent on a new thread (process_agent_message).",
    "routes.AgentRoute.process_agent_message",
    old="self._ask(user_id, body)",
    new=f"self._ask(user_id, {BODY_WITH_NEW_IDS})",
    scenario=Agents,
    continuity_post=1,
)
StreamsElsewhere = line(
    "StreamsElsewhere",
    "Streams what an agent does on a new thread (stream_response).",
    "routes.AgentRoute.stream_response",
    old="self._ask(user_id, body)",
    new=f"self._ask(user_id, {BODY_WITH_NEW_IDS})",
    scenario=Agents,
    continuity_post_stream=1,
)
ReadsElsewhere = line(
    "ReadsElsewhere",
    "Shows the turns of a new thread, which has none.",
    "routes.MessagesRoute.messages",
    old="context = self._contexts.reading_context(user_id, thread_id)",
    new=ANEW + "context = new_context(self._contexts.reading_context(user_id, thread_id))",
    scenario=Database,
    continuity_thread_messages=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
