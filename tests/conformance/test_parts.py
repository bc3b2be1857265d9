"""Examples of parts by hand: a limit of bytes, whose id counts, a sweep that raises."""

from __future__ import annotations

from threadline import Ok, Refused

from models.parts.model import INTERVAL_S, RAISES
from tests.conformance.talks import PartsTalk, value

TALK = PartsTalk


def test_a_frame_has_bytes(talk: PartsTalk) -> None:
    """
    Characters are not what is counted.
    """
    assert isinstance(talk.do.parse("accents", 0), Ok)
    assert talk.do.parse("accents", -1) == Refused("too_large")


def test_no_field_of_an_event_takes_the_place_of_an_id(talk: PartsTalk) -> None:
    """
    Whom an event is of, no agent says; a letter with an accent takes six bytes.
    """
    shown, size_bytes = value(talk.do.event("another thread"))
    assert shown["thread_id"] == "t"
    assert size_bytes == len('{"text":"x","thread_id":"u"}')
    assert value(talk.do.event("accents"))[1] == len('{"text":""}') + 6 + 6 + 12


def test_the_own_id_of_a_message_counts(talk: PartsTalk) -> None:
    """
    That of the payload does where the message's own is empty.
    """
    assert talk.do.id_of("thread", "a", "b") == Ok("a")
    assert talk.do.id_of("thread", "", "b") == Ok("b")


def test_the_sweep_goes_on_after_one_that_raised(talk: PartsTalk) -> None:
    """
    It is counted, and the next comes in its time.
    """
    talk.do.begin_sweeps()
    talk.do.sweeps_become(RAISES)
    talk.do.wait(2 * INTERVAL_S)

    assert talk.held("sweeps") == {"done": 2, "errors": 2, "logged": 2}


def test_storage_error_of_a_request_is_noted_for_whom(talk: PartsTalk) -> None:
    """
    The log names the request, its user, and the thread where it has one; a refusal is in no log.
    """
    why = ["pool_timeout", "its own words"]

    assert talk.do.request("GET /threads/messages", "PoolTimeoutError") == Ok(
        ["pool_timeout", 503, "its own words", "t", why]
    )
    assert value(talk.do.request("GET /threads", "PoolTimeoutError"))[3:] == [None, why]
    assert value(talk.do.request("DELETE /threads", "InvalidContextError"))[4] == []


def test_connections_too_many_are_counted_by_their_limit(talk: PartsTalk) -> None:
    """
    Each limit has its own count, and who reads them cannot change them.
    """
    talk.do.turn_away("requests_max")

    assert talk.do.turn_away("connections_max") == Ok(
        [["connections_max", 1], ["user_connections_max", 0], ["requests_max", 1]]
    )
