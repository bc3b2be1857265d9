"""Which property a disagreement of the chat service is said to break, and its invariants."""

from __future__ import annotations

import pytest
from threadline.failure import Disagreement, Property
from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Ok, Outcome, Refused

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.invariants import (
    no_database_session_ends_early,
    no_database_session_outlives_its_owner,
    no_task_outlives_its_work,
)
from tests.service_models import ServiceTalk

K1, H2 = Handle("k", 1), Handle("h", 2)
SAY = Chat.say(K1, None, None, None, "m4", "well")
WRITE = Chat.write_database(Handle("s", 1))
COMMIT = Chat.commit_database(Handle("s", 1))


def sent(receiver: Handle, text: str, **own: object) -> Ok:
    event = {"type": "agent_completed", "response": f"You said: {text}", **own}
    return Ok(told={(receiver, "t"): [event]})


def talk_of_two() -> ServiceTalk:
    """Return a talk in which ana is connected to t, ben posted m2 to t, and ana said m3 on u."""
    talk = ServiceTalk()
    connection = talk.connect("ana")
    talk.post("m2", user="ben")
    talk.say(connection, "m3", thread="u")
    talk.say(connection, "m4")
    return talk


@pytest.mark.parametrize(
    ("operation", "expected", "actual", "broken"),
    [
        (SAY, sent(K1, "m4"), sent(K1, "m2"), Property.ISOLATION),
        (SAY, Ok(), sent(K1, "m3"), Property.ISOLATION),
        (SAY, sent(K1, "m3", position=1), sent(K1, "m3", position=2), Property.CONTINUITY),
        (SAY, Ok(), sent(H2, "m4"), Property.ISOLATION),
        (Chat.wait(1), Ok(), sent(K1, "m4", run_id=Handle("r", 2)), Property.ISOLATION),
        (
            Chat.wait(1),
            Ok(),
            sent(K1, "m4", event_id=Handle("e5", 2)),
            Property.CONTINUITY,
        ),
        (SAY, sent(K1, "m4"), Ok(), Property.CONTINUITY),
        (SAY, sent(K1, "m4"), sent(K1, "m40"), Property.CONTINUITY),
        (WRITE, Refused("closed"), Ok(), Property.MEMORY),
        (COMMIT, Refused("storage_error"), Ok(), Property.CONTINUITY),
        (Chat.metrics(), Ok({"retries": 1}), Ok({"retries": 2}), Property.MEMORY),
        (
            Chat.get("ana", "t", None),
            Ok({}),
            Ok({"run": Handle("r", 2)}),
            Property.ISOLATION,
        ),
    ],
)
def test_blames_an_outcome(
    operation: Operation, expected: Outcome, actual: Outcome, broken: Property
) -> None:
    """
    Another's text or id is isolation, and else it is what the operation is about.
    """
    disagreement = Disagreement("outcome", expected, actual)

    assert talk_of_two().model.blame(operation, disagreement) == broken


@pytest.mark.parametrize(
    ("name", "expected", "actual", "broken"),
    [
        ("requests", {}, {("ana", "t"): 1}, Property.MEMORY),
        ("requests", {("ana", "t"): 1}, {}, Property.CONTINUITY),
        ("requests", {("ana", "t"): 1}, {("ana", "u"): 1}, Property.KEYS),
        ("subscriptions", set(), {("ana", "t")}, Property.MEMORY),
        ("subscriptions", {("ana", "t")}, set(), Property.CONTINUITY),
        ("subscriptions", {("ana", "t")}, {("ana", "u")}, Property.KEYS),
        ("places", {"taken": 0}, {"taken": 1}, Property.MEMORY),
        ("dead_letters", 1, 2, Property.MEMORY),
        ("dead_letters", 1, 0, Property.CONTINUITY),
    ],
)
def test_blames_a_census(name: str, expected: object, actual: object, broken: Property) -> None:
    """
    Too much is memory, too little is continuity, under another key is keys.
    """
    disagreement = Disagreement(f"census {name}", expected, actual)

    assert ServiceTalk().model.blame(SAY, disagreement) == broken


def test_counts_tasks() -> None:
    """
    A connection needs at most so many tasks beside those of the service itself.
    """
    talk = ServiceTalk()
    talk.connect()
    model = talk.model.census()

    no_task_outlives_its_work(model, {"tasks": 12})
    with pytest.raises(AssertionError, match="13 tasks are alive; what is live needs at most 12"):
        no_task_outlives_its_work(model, {"tasks": 13})


def test_counts_database_sessions() -> None:
    """
    A connection has one, which may be open until it is swept.
    """
    talk = ServiceTalk(connection_timeout_s=10)
    talk.connect()
    live = talk.model.census()
    talk.wait(10)
    due = talk.model.census()

    no_database_session_ends_early(live, {"database_sessions": 1})
    no_database_session_outlives_its_owner(due, {"database_sessions": 1})
    no_database_session_ends_early(due, {"database_sessions": 0})
    with pytest.raises(AssertionError, match="0 database sessions are open; 1 owners need one"):
        no_database_session_ends_early(live, {"database_sessions": 0})
    with pytest.raises(AssertionError, match="2 database sessions are open; there are 1 owners"):
        no_database_session_outlives_its_owner(due, {"database_sessions": 2})
