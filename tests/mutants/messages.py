"""Handling of messages with one bug each: the seeds' main finding, place by place.

In each a context is made where the message's own should have been handed on.
"""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.agents import Agents
from scenarios.database import Database
from tests.mutants.services import ANEW, line

STARTS, SAYS = "message.kind == 'start_agent'", "message.kind != 'start_agent'"
BEGIN = "queued.begun = queued.begun or await self._begin(message)"
COMPLETE = "await self._complete(message, reply)"


def elsewhere(applies: str, statement: str) -> str:
    """Return a statement that is done on a context made for it, for the messages it applies to."""
    other = statement.replace("message", "on_new_context(message)", 1)
    return f"{ANEW}if {applies}:\n    {other}\nelse:\n    {statement}"


StartsElsewhere = line(
    "StartsElsewhere",
    "Stores what an agent is asked for on a new thread (_setup_thread_and_run).",
    "messages.handlers.AgentRequestHandler.handle",
    old=BEGIN,
    new=elsewhere(STARTS, BEGIN),
    scenario=Agents,
    continuity_start_agent=2,
    continuity_stop_agent=4,
)
CompletesElsewhere = line(
    "CompletesElsewhere",
    "Stores what the agent answers on a new thread (_send_agent_completion).",
    "messages.handlers.AgentRequestHandler.handle",
    old=COMPLETE,
    new=elsewhere(STARTS, COMPLETE),
    scenario=Agents,
    continuity_post=3,
    continuity_start_agent=2,
)
HearsElsewhere = line(
    "HearsElsewhere",
    "Stores what a user says on a new thread (_setup_user_message_thread).",
    "messages.handlers.AgentRequestHandler.handle",
    old=BEGIN,
    new=elsewhere(SAYS, BEGIN),
    scenario=Agents,
    continuity_post=1,
    continuity_post_stream=1,
)
AnswersElsewhere = line(
    "AnswersElsewhere",
    "Stores what is answered to a user on a new thread (_send_user_message_completion).",
    "messages.handlers.AgentRequestHandler.handle",
    old=COMPLETE,
    new=elsewhere(SAYS, COMPLETE),
    scenario=Agents,
    continuity_post=1,
    continuity_post_stream=1,
    continuity_say=2,
    continuity_post__told=2,
)
KeepsTheLastThread = line(
    "KeepsTheLastThread",
    "Keeps on itself whose message it began last, and answers on that one's thread.",
    "messages.handlers.AgentRequestHandler.handle",
    old=COMPLETE,
    new="from dataclasses import replace\n"
    f"if {SAYS}:\n"
    "    message = replace(message, context=self._last)\n"
    f"{COMPLETE}",
    also=(
        Change(
            "sessions.messages.handlers.AgentRequestHandler._begin",
            old="begun = await",
            new=f"if {SAYS}:\n    self._last = message.context\nbegun = await",
        ),
    ),
    scenario=Agents,
    continuity_wait=3,
    continuity_wait__managers=4,
    continuity_wait__told__position=5,
)
RemembersElsewhere = line(
    "RemembersElsewhere",
    "Reads the history of a new thread, which has none.",
    "messages.handlers.ThreadHistoryHandler.handle",
    old="message = queued.message",
    new=ANEW + "message = on_new_context(queued.message)",
    scenario=Database,
    continuity_history=2,
)
ValidatesElsewhere = line(
    "ValidatesElsewhere",
    "Tells of a message without form on a new thread (_validate_message_format).",
    "messages.intake.Intake._refuse",
    old="self._router.error(asked, code,",
    new=ANEW + "if code in ('bad_json', 'too_large'):\n"
    "    asked = asked_anew(asked)\n"
    "self._router.error(asked, code,",
    scenario=Agents,
    continuity_malformed=2,
)
ExtractsElsewhere = line(
    "ExtractsElsewhere",
    "Tells of an unknown type on a new thread (_extract_message_type).",
    "messages.intake.Intake._refuse",
    old="self._router.error(asked, code,",
    new=ANEW
    + "if code == 'bad_type':\n    asked = asked_anew(asked)\nself._router.error(asked, code,",
    scenario=Agents,
    continuity_malformed=2,
)
QueuesElsewhere = line(
    "QueuesElsewhere",
    "Takes a message for one of a new thread (_sanitize_and_queue_message).",
    "messages.intake.Intake.receive",
    old="own = connection.context",
    new=ANEW + "own = new_context(connection.context)",
    scenario=Agents,
    continuity_malformed=2,
    continuity_say=2,
    continuity_stop_agent=2,
)
FailsElsewhere = line(
    "FailsElsewhere",
    "Tells that an agent failed on a new thread.",
    "messages.handlers.Dispatcher.handle",
    old="self._router.error(message, code,",
    new=ANEW + 'self._router.error(on_new_context(message) if code == "agent_failed" else message,'
    " code,",
    scenario=Agents,
    continuity_post_stream=1,
    continuity_say=2,
    continuity_start_agent=2,
    continuity_stop_agent=4,
)
TimesOutElsewhere = line(
    "TimesOutElsewhere",
    "Tells that an agent took too long on a new thread.",
    "messages.handlers.Dispatcher.handle",
    old="self._router.error(message, code,",
    new=ANEW + 'self._router.error(on_new_context(message) if code == "agent_timeout" else message,'
    " code,",
    scenario=Agents,
    continuity_wait=2,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
