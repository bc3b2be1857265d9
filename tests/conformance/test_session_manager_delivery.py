"""What reaches whom, and what waits, by the contract's Connections."""

from __future__ import annotations

import pytest
from threadline.handle import Handle

from models.session_manager.socket_faults import BRIEF, BROKEN, STALLED, WELL
from tests.conformance.talks import Begin, ManagerTalk, texts_told, value

TALK = ManagerTalk

KEY = ("ana", "t")


def test_message_reaches_all_tabs_of_its_thread(talk: ManagerTalk) -> None:
    """
    Both tabs get the message, and a tab on another thread does not.
    """
    one, two = talk.connect(), talk.connect()
    elsewhere = talk.connect(thread="u")
    sent = talk.do.message("ana", None, None, one, "m")

    assert texts_told(sent, one) == ["m"]
    assert texts_told(sent, two) == ["m"]
    assert texts_told(sent, elsewhere) == []


def test_asker_on_another_thread_gets_the_message_too(talk: ManagerTalk) -> None:
    """
    A message for another thread comes back to the one who sent it, once.
    """
    asker, there = talk.connect(), talk.connect(thread="u")
    sent = talk.do.message("ana", "u", None, asker, "m")

    assert texts_told(sent, asker) == ["m"]
    assert texts_told(sent, there) == ["m"]


def test_pong_reaches_the_asker_only(talk: ManagerTalk) -> None:
    """
    The other tab hears nothing of a ping.
    """
    one, two = talk.connect(), talk.connect()
    sent = talk.do.ping("ana", one, None)

    assert texts_told(sent, one) == ["pong"]
    assert texts_told(sent, two) == []


def test_events_wait_for_a_reconnect_in_order(begin: Begin[ManagerTalk]) -> None:
    """
    What was not delivered comes once, in order, after `connected`; the oldest is dropped.
    """
    talk = begin(recovery_max=2)
    talk.do.disconnect(talk.connect(), 1006)
    talk.deliver("m1")
    talk.deliver("m2")
    talk.deliver("m3")
    back = talk.do.connect("ana", "t", None, "well")

    assert texts_told(back, value(back)["socket"]) == ["connected", "m2", "m3"]
    assert talk.count("events_dropped") == 1


def test_what_a_dead_socket_did_not_take_heads_the_queue(talk: ManagerTalk) -> None:
    """
    An event that met a dead peer is replayed before those that came after it.
    """
    talk.connect(peer=BRIEF)
    talk.deliver("m1")
    talk.deliver("m2")
    back = talk.do.connect("ana", "t", None, "well")

    assert texts_told(back, value(back)["socket"]) == ["connected", "m1", "m2"]


def test_replay_to_a_dead_peer_is_not_lost(talk: ManagerTalk) -> None:
    """
    A reconnect that fails at once leaves the queue as it was.
    """
    talk.connect(peer=BROKEN)
    talk.deliver("m1")
    talk.deliver("m2")
    dead = talk.connect(peer=BROKEN)

    assert talk.held("managers") == {KEY: 2}
    assert talk.held("close_codes") == {dead: 1011}
    back = talk.do.connect("ana", "t", None, WELL)
    assert texts_told(back, value(back)["socket"]) == ["connected", "m1", "m2"]
    other = talk.do.connect("ana", "t", None, WELL)
    assert texts_told(other, value(other)["socket"]) == ["connected"]


@pytest.mark.parametrize(("waited_s", "is_open"), [(4, True), (5, False), (6, False)])
def test_send_is_given_up_at_its_second(talk: ManagerTalk, waited_s: int, *, is_open: bool) -> None:
    """
    A peer that takes nothing for send_timeout_s seconds is dead, and nothing that waits is lost.
    """
    connection = talk.connect(peer=STALLED)
    talk.deliver("m")
    talk.do.wait(waited_s)

    assert (connection in talk.held("must_be_open")) is is_open
    assert talk.held("managers") == {KEY: 0 if is_open else 1}


def test_one_event_more_than_the_outbox_holds_means_dead(begin: Begin[ManagerTalk]) -> None:
    """
    With outbox_max events waiting a peer lives, with one more it does not.
    """
    talk = begin(outbox_max=1)
    connection = talk.connect(peer=STALLED)
    talk.deliver("m1")
    assert connection in talk.held("must_be_open")
    talk.deliver("m2")

    assert talk.held("close_codes") == {connection: 1011}
    assert talk.held("managers") == {KEY: 2}


@pytest.mark.parametrize(("limit", "is_alive"), [(13, False), (14, True)])
def test_one_event_more_than_the_bytes_that_may_wait_means_dead(
    begin: Begin[ManagerTalk], limit: int, *, is_alive: bool
) -> None:
    """
    One event may be of any size: where as much as the limit waits, one more is too many.
    """
    talk = begin(outbox_bytes_max=limit)
    connection = talk.connect(peer=STALLED)
    talk.deliver("m1")  # {"text":"m1"} has 13 bytes
    assert connection in talk.held("must_be_open")
    talk.deliver("m2")

    assert (connection in talk.held("must_be_open")) is is_alive


def test_event_has_its_ids(talk: ManagerTalk) -> None:
    """
    An event tells thread, run, and the message that it is of, under an id of its own.
    """
    connection = talk.connect()
    sent = talk.do.message("ana", "t", "run", connection, "m")

    assert sent.told[connection] == [
        {
            "type": "message",
            "thread_id": "t",
            "run_id": "run",
            "event_id": Handle("e", 2),
            "message_id": "m",
            "text": "m",
        }
    ]


def test_event_reaches_nobody_else(talk: ManagerTalk) -> None:
    """
    Neither another thread of the user nor the same thread of another user receives it.
    """
    talk.connect(thread="u")
    talk.connect("ben")
    talk.connect()

    assert list(talk.do.deliver("ana", "t", "m").told) == [Handle("k", 3)]


@pytest.mark.parametrize(("given", "thread"), [("s", "s"), (None, "t")])
def test_message_goes_to_its_own_or_its_connections_thread(
    talk: ManagerTalk, given: str | None, thread: str
) -> None:
    """
    The thread that it carries goes first; the user's latest does not count.
    """
    connection = talk.connect()
    talk.do.get("ana", "latest", None)

    assert value(talk.do.message("ana", given, None, connection, "m"))["thread"] == thread


def test_message_without_connection_goes_to_the_latest_thread(talk: ManagerTalk) -> None:
    """
    The second one continues a conversation, which is counted.
    """
    talk.do.message("ana", "t", None, None, "m1")

    assert value(talk.do.message("ana", None, None, None, "m2"))["thread"] == "t"
    assert talk.count("messages") == 2
    assert talk.count("messages_continued") == 1


def test_event_tells_the_current_run(begin: Begin[ManagerTalk]) -> None:
    """
    Also a run that came by another way; none once the session has expired.
    """
    talk = begin(session_ttl_s=10)
    connection = talk.connect()
    talk.do.get("ana", "t", "another")
    current = talk.do.deliver("ana", "t", "m1").told[connection]
    talk.do.wait(10)
    expired = talk.do.deliver("ana", "t", "m2").told[connection]

    assert [current[0]["run_id"], expired[0]["run_id"]] == ["another", None]


def test_slow_socket_delays_no_other(talk: ManagerTalk) -> None:
    """
    A socket that takes nothing leaves the other tab its events.
    """
    talk.connect(peer=STALLED)
    quick = talk.connect()

    assert texts_told(talk.deliver("m"), quick) == ["m"]


def test_pong_is_not_kept_for_a_reconnect(talk: ManagerTalk) -> None:
    """
    A direct answer that was not taken dies with its socket.
    """
    connection = talk.connect()
    talk.do.cut(connection)
    talk.do.ping("ana", connection, None)

    assert talk.held("managers") == {KEY: 0}


def test_what_one_of_two_tabs_did_not_take_is_not_kept(talk: ManagerTalk) -> None:
    """
    While another tab is connected nothing waits for a reconnect.
    """
    dead = talk.connect(peer=BRIEF)
    talk.connect()
    talk.deliver("m")

    assert talk.held("managers") == {KEY: 0}
    assert talk.held("close_codes") == {dead: 1011}


@pytest.mark.parametrize(("events", "is_open"), [(1, True), (2, False)])
def test_replay_does_not_fill_the_outbox(
    begin: Begin[ManagerTalk], events: int, *, is_open: bool
) -> None:
    """
    A long replay that waits leaves room for what follows.
    """
    talk = begin(outbox_max=1, recovery_max=5)
    talk.do.disconnect(talk.connect(), 1006)
    talk.deliver("m1")
    talk.deliver("m2")
    back = talk.connect(peer=STALLED)
    for number in range(events):
        talk.deliver(f"later {number}")

    assert (back in talk.held("must_be_open")) is is_open


def test_nothing_waits_without_a_manager(talk: ManagerTalk) -> None:
    """
    An event of a thread without a manager is queued nowhere, and makes no session.
    """
    talk.deliver("m")

    assert talk.held("managers") == talk.held("sessions") == {}


def test_end_of_a_manager_drops_its_queue(talk: ManagerTalk) -> None:
    """
    What waited is counted as dropped.
    """
    talk.do.disconnect(talk.connect(), 1006)
    talk.deliver("m1")
    talk.deliver("m2")
    talk.do.wait(60)

    assert talk.count("events_dropped") == 2


def test_stalled_peer_takes_what_waited(talk: ManagerTalk) -> None:
    """
    Between stall and resume nothing arrives; after it, all.
    """
    connection = talk.connect()
    talk.do.stall(connection)

    assert texts_told(talk.deliver("m"), connection) == []
    assert texts_told(talk.do.resume(connection), connection) == ["m"]
