"""Which property a disagreement of the session manager is said to break."""

from __future__ import annotations

import pytest
from threadline.failure import Disagreement, Property
from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Ok, Outcome, Refused

from models.session_manager import SessionManagerModel as Sessions
from tests.session_models import Talk

GET = Sessions.get("ben", "t", None)
CONNECT = Sessions.connect("ana", "t", None, "well")
K1 = Handle("k", 1)


def sent(text: str) -> Ok:
    return Ok(told={K1: [{"type": "agent_thinking", "text": text}]})


def talk_of_two() -> Talk:
    """Return a talk in which ana is connected to t (step 1), and ben has a text (step 2)."""
    talk = Talk()
    talk.connect("ana")
    talk.next().message("ben", "u", None, None, "ben's")
    talk.deliver("ana's")
    return talk


@pytest.mark.parametrize(
    ("operation", "expected", "actual", "broken"),
    [
        (GET, Ok({"run": Handle("r", 4)}), Ok({"run": Handle("r", 1)}), Property.ISOLATION),
        (GET, Ok({"run": Handle("r", 2)}), Ok({"run": Handle("r", 4)}), Property.CONTINUITY),
        (GET, Refused("session limit"), Ok({}), Property.MEMORY),
        (GET, Refused("invalid context"), Ok({}), Property.KEYS),
        (GET, Ok({}), Refused("session limit"), Property.CONTINUITY),
        (Sessions.deliver("ben", "u", "ben's"), Ok(), sent("ben's"), Property.ISOLATION),
        (
            Sessions.deliver("ana", "t", "ana's"),
            sent("ana's"),
            Ok(),
            Property.CONTINUITY,
        ),
        (Sessions.metrics(), Ok({"messages": 1}), Ok({"messages": 2}), Property.MEMORY),
        (Sessions.read_id("t"), Ok({}), Ok({"valid": True}), Property.KEYS),
        (
            Sessions.get_manager(("ana", "t"), None),
            Ok(("ana", "t")),
            Ok(None),
            Property.KEYS,
        ),
    ],
)
def test_blames_an_outcome(
    operation: Operation, expected: Outcome, actual: Outcome, broken: Property
) -> None:
    """
    Another's id or text is isolation; else it is what the operation is about.
    """
    disagreement = Disagreement("outcome", expected, actual)

    assert talk_of_two().model.blame(operation, disagreement) == broken


@pytest.mark.parametrize(
    ("expected", "actual", "broken"),
    [
        ({("ana", "t"): 1}, {("ana", "u"): 1}, Property.KEYS),
        ({("ana", "t"): 1}, {("ana", "t"): 2}, Property.MEMORY),
        ({}, {("ana", "t"): 0}, Property.MEMORY),
        ({("ana", "t"): 1}, {}, Property.CONTINUITY),
        ({("ana", "t"): "r"}, {("ana", "t"): "s"}, Property.CONTINUITY),
    ],
)
def test_blames_a_census(expected: object, actual: object, broken: Property) -> None:
    """
    Under another key is keys, too much is memory, the rest is continuity.
    """
    disagreement = Disagreement("census managers", expected, actual)

    assert Talk().model.blame(CONNECT, disagreement) == broken
