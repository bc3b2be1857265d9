"""The model's connections and deliveries, by the contract's Connections and managers."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from models.session_manager.peers import BRIEF, BROKEN, STALLED
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
    asker = talk.connect()

    assert texts_told(talk.do.message("ana", "u", None, asker, "m"), asker) == ["m"]


def test_pong_reaches_the_asker_only(talk: ManagerTalk) -> None:
    """
    The other tab hears nothing of a ping.
    """
    one, two = talk.connect(), talk.connect()
    sent = talk.do.ping("ana", one, None)

    assert texts_told(sent, one) == ["pong"]
    assert texts_told(sent, two) == []


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


@pytest.mark.parametrize(("code", "managers"), [(1000, {}), (1006, {KEY: 0})])
def test_clean_close_ends_the_manager_at_once(
    talk: ManagerTalk, code: int, managers: dict[object, int]
) -> None:
    """
    The manager goes with its last connection if that said good-bye, and else is in grace.
    """
    connection = talk.connect()
    talk.do.disconnect(connection, code)

    assert talk.held("managers") == managers


def test_one_tab_closed_leaves_the_other(talk: ManagerTalk) -> None:
    """
    A clean close of one of two tabs ends neither manager nor the other tab.
    """
    one, two = talk.connect(), talk.connect()
    talk.do.disconnect(one, 1000)

    assert texts_told(talk.deliver("m"), two) == ["m"]


@pytest.mark.parametrize(("alone_s", "managers"), [(59, {KEY: 0}), (60, {}), (61, {})])
def test_grace_ends_at_its_second(
    talk: ManagerTalk, alone_s: int, managers: dict[object, int]
) -> None:
    """
    A manager without a connection for reconnect_grace_s seconds is gone.
    """
    talk.do.disconnect(talk.connect(), 1006)
    talk.do.wait(alone_s)

    assert talk.held("managers") == managers


def test_session_never_used_ends_with_its_manager(talk: ManagerTalk) -> None:
    """
    A session that a connection began goes with it; one that had a message stays.
    """
    talk.do.disconnect(talk.connect(thread="t"), 1000)
    used = talk.connect(thread="u")
    talk.do.message("ana", None, None, used, "m")
    talk.do.disconnect(used, 1000)

    assert list(talk.held("sessions")) == [("ana", "u")]


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
    talk.connect(peer=BROKEN)

    assert talk.held("managers") == {KEY: 1}


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


def test_manager_limit_spares_who_is_connected(begin: Begin[ManagerTalk]) -> None:
    """
    With as many connected managers as allowed, another is refused.
    """
    talk = begin(max_managers_per_user=2)
    talk.connect(thread="t")
    talk.connect(thread="u")

    assert talk.do.connect("ana", "v", None, "well") == Refused("manager limit")
    assert list(talk.held("sessions")) == [KEY, ("ana", "u")]


def test_idle_manager_makes_way(begin: Begin[ManagerTalk]) -> None:
    """
    At 80 % of the limit a manager with nobody and nothing goes first, counted once.
    """
    talk = begin(max_managers_per_user=2)
    talk.do.disconnect(talk.connect(thread="t"), 1006)
    talk.connect(thread="u")
    talk.connect(thread="v")

    assert list(talk.held("managers")) == [("ana", "u"), ("ana", "v")]
    assert talk.count("emergency_cleanups") == 1


def test_due_manager_closes_its_sockets_when_swept(begin: Begin[ManagerTalk]) -> None:
    """
    A manager without a frame for connection_timeout_s is gone; its sockets may stay till a sweep.
    """
    talk = begin(connection_timeout_s=30)
    connection = talk.connect()
    talk.do.wait(30)
    assert talk.held("managers") == {}
    assert talk.held("may_be_open") == {connection}
    talk.do.sweep()

    assert talk.held("close_codes") == {connection: 1001}


def test_key_and_context_that_differ_are_a_mismatch(talk: ManagerTalk) -> None:
    """
    A look-up by another key than the context's own is refused, and counted.
    """
    talk.do.get("ana", "t", None)
    outcome = talk.do.get_manager(("ana", "u"), Handle("x", 1))

    assert outcome == Refused("context mismatch")
    assert talk.count("mismatches") == 1


def test_clean_up_tells_the_truth(talk: ManagerTalk) -> None:
    """
    A manager is cleaned up once.
    """
    talk.connect()

    assert talk.do.cleanup_manager(KEY, None) == Ok(True)
    assert talk.do.cleanup_manager(KEY, None) == Ok(False)
