"""What kinds of state the model of the chat service tells apart."""

from __future__ import annotations

from tests.conformance.talks import Begin, ServiceTalk

TALK = ServiceTalk


def test_names_do_not_matter(begin: Begin[ServiceTalk]) -> None:
    """
    Two talks of the same course have the same shape, whoever talks of what.
    """
    one, two = begin(), begin()
    one.say(one.connect("ana", "t"), "one", "slow")
    two.say(two.connect("ben", "u"), "two", "slow")

    assert one.model.shape() == two.model.shape()


def test_tells_what_is_stored_handled_and_failing(talk: ServiceTalk) -> None:
    """
    A stored turn, an agent at work, one that rests, and failing storage are states of their own.
    """
    connection = talk.connect()
    empty = talk.model.shape()
    talk.say(connection)
    stored = talk.model.shape()
    talk.say(connection, agent="slow")
    handled = talk.model.shape()
    talk.do.stop_agent(connection, None)
    talk.say(connection, agent="unavailable")
    resting = talk.model.shape()
    talk.do.storage_fails()

    assert len({empty, stored, handled, resting, talk.model.shape()}) == 5
