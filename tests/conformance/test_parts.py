"""Examples of parts by hand: a limit of bytes, whose id counts, a sweep that raises."""

from __future__ import annotations

from threadline import Ok, Refused

from models.parts.model import INTERVAL_S, RAISES
from tests.conformance.talks import PartsTalk

TALK = PartsTalk


def test_a_frame_has_bytes(talk: PartsTalk) -> None:
    """
    Characters are not what is counted.
    """
    assert isinstance(talk.do.parse("accents", 0), Ok)
    assert talk.do.parse("accents", -1) == Refused("too_large")


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
