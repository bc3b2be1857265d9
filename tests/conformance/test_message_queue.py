"""Examples of the queue of messages: whose turn it is, retries, and what takes no room."""

from __future__ import annotations

from collections.abc import Callable

from threadline import Ok, Refused

from tests.conformance.talks import QueueTalk, value

TALK = QueueTalk
NORMAL, HIGH = 2, 1
RESTS_S = (1, 2, 4, 8, 16)


def test_users_are_served_in_turn(talk: QueueTalk) -> None:
    """
    One who was just served is the last, however urgent the next is.
    """
    for user, text in (("ana", "m1"), ("ana", "m2"), ("ben", "m3")):
        talk.do.put(user, text, HIGH if user == "ana" else NORMAL, text)

    assert [value(talk.do.take(()))["text"] for _ in range(3)] == ["m1", "m3", "m2"]


def test_a_retry_holds_back_its_thread(talk: QueueTalk) -> None:
    """
    The second message of a thread waits until the first has succeeded, or is a dead letter.
    """
    for text in ("m1", "m2"):
        talk.do.put("ana", "t", NORMAL, text)
    for rest_s in RESTS_S:
        assert talk.do.drain() == Ok([["m1", False]])
        talk.do.wait(rest_s)

    assert talk.do.drain().value == [["m1", True], ["m2", False]]
    assert talk.held("dead_letters") == [("ana", "t", "m1")]


def test_what_is_over_takes_no_room(begin: Callable[..., QueueTalk]) -> None:
    """
    A full queue is full no longer when a session has ended.
    """
    talk = begin(queue_max=1)
    talk.do.put("ana", "t", NORMAL, "m1")

    assert talk.do.put("ben", "t", NORMAL, "m2") == Refused("queue full")
    talk.do.end("ana", "t")
    assert isinstance(talk.do.put("ben", "t", NORMAL, "m3"), Ok)
    assert talk.held("waiting") == {("ben", "t"): ["m3"]}


def test_what_is_over_has_no_turn(talk: QueueTalk) -> None:
    """
    A message of an ended session is not taken, and costs its user no turn.
    """
    talk.do.put("ana", "t", HIGH, "m1")
    talk.do.put("ana", "u", NORMAL, "m2")
    talk.do.put("ben", "t", NORMAL, "m3")
    talk.do.end("ana", "t")

    assert [value(talk.do.take(()))["text"] for _ in range(2)] == ["m2", "m3"]
    assert talk.do.take(()) == Ok(None)
