"""How a connection begins and ends, by the contract's Connections."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from models.session_manager.socket_faults import STALLED, WELL
from tests.conformance.talks import Begin, ManagerTalk, texts_told, value

TALK = ManagerTalk

KEY = ("ana", "t")


def test_connection_of_another_user_is_unknown(talk: ManagerTalk) -> None:
    """
    Nobody speaks over somebody else's connection.
    """
    connection = talk.connect("ana")

    assert talk.do.ping("ben", connection, None) == Refused("unknown connection")


def test_live_connection_id_is_refused_to_all(talk: ManagerTalk) -> None:
    """
    A connection id that is live is taken, for its own user as for another.
    """
    talk.do.connect("ana", "t", "tab", "well")

    assert talk.do.connect("ana", "t", "tab", "well") == Refused("connection taken")
    assert talk.do.connect("ben", "t", "tab", "well") == Refused("connection taken")


def test_one_tab_closed_leaves_the_other(talk: ManagerTalk) -> None:
    """
    A clean close of one of two tabs ends neither manager nor the other tab.
    """
    one, two = talk.connect(), talk.connect()
    talk.do.disconnect(one, 1000)

    assert texts_told(talk.deliver("m"), two) == ["m"]


def test_connect_tells_connection_and_thread(talk: ManagerTalk) -> None:
    """
    The first event says what it is connected to, and whether it resumed a session.
    """
    new = talk.do.connect("ana", "t", "c1", WELL)
    again = talk.do.connect("ana", "t", "c2", WELL)

    assert new.told[Handle("k", 1)] == [
        {
            "type": "connected",
            "thread_id": "t",
            "run_id": Handle("r", 1),
            "event_id": Handle("e", 1),
            "message_id": None,
            "connection_id": "c1",
            "resumed": False,
        }
    ]
    (event,) = again.told[Handle("k", 2)]
    assert (event["resumed"], event["run_id"]) == (True, Handle("r", 1))
    assert talk.held("connections") == {"c1": KEY, "c2": KEY}


def test_connect_without_thread_begins_a_conversation(talk: ManagerTalk) -> None:
    """
    A connection without a thread gets a new one, though the user has another.
    """
    talk.do.get("ana", "t", None)

    assert value(talk.do.connect("ana", None, None, WELL))["thread"] == Handle("t", 2)


def test_connection_ends_once(talk: ManagerTalk) -> None:
    """
    A second disconnect of a socket finds nothing.
    """
    connection = talk.connect()

    assert talk.do.disconnect(connection, 1000) == Ok(True)
    assert talk.do.disconnect(connection, 1000) == Ok(False)


@pytest.mark.parametrize(("peer", "waited_s"), [(WELL, 3), (STALLED, 5)])
def test_connection_id_is_free_after_the_timeout(
    begin: Begin[ManagerTalk], peer: str, waited_s: int
) -> None:
    """
    It can be used again before the sweep, which leaves the one that took it.
    """
    talk = begin(connection_timeout_s=3)
    talk.do.connect("ana", "t", "c1", peer)
    talk.do.wait(waited_s)
    talk.do.connect("ben", "t", "c1", WELL)
    talk.do.sweep()

    assert talk.held("connections") == {"c1": ("ben", "t")}
    assert isinstance(talk.do.ping("ben", Handle("k", 3), None), Ok)


def test_connect_is_refused_in_order(begin: Begin[ManagerTalk]) -> None:
    """
    Ids are checked before the connection id, then sessions, then managers.
    """
    talk = begin(max_sessions_per_user=1, max_managers_per_user=1)
    talk.do.connect("ana", "t", "c1", WELL)

    assert talk.do.connect("ana", "null", "c1", WELL) == Refused("invalid context")
    assert talk.do.connect("ana", "s", "c1", WELL) == Refused("connection taken")
    assert talk.do.connect("ana", "s", "c2", WELL) == Refused("session limit")
    assert talk.held("connections") == {"c1": KEY}
    assert list(talk.held("sessions")) == [KEY]
