"""How long a manager lives, and how many there may be, by the contract's Managers."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from models.session_manager.socket_faults import STALLED, WELL
from tests.conformance.talks import Begin, ManagerTalk, value

TALK = ManagerTalk

KEY = ("ana", "t")


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
    connection = talk.connect()

    assert talk.do.cleanup_manager(KEY, None) == Ok(True)
    assert talk.held("close_codes") == {connection: 1001}
    assert talk.do.cleanup_manager(KEY, None) == Ok(False)


@pytest.mark.parametrize(("waited_s", "managers"), [(59, {KEY: 0}), (60, {}), (61, {})])
def test_first_connection_is_awaited_as_long(
    talk: ManagerTalk, waited_s: int, managers: dict[object, int]
) -> None:
    """
    A manager that never had a connection is in grace from the start.
    """
    await_connection(talk, "t")
    talk.do.wait(waited_s)

    assert talk.held("managers") == managers


def await_connection(talk: ManagerTalk, *threads: str) -> None:
    """Make a manager without a connection for each thread of ana's."""
    for thread in threads:
        talk.do.create_manager(value(talk.do.get("ana", thread, None))["context"], None)


@pytest.mark.parametrize("silent_s", [29, 30])
def test_frame_postpones_the_timeout(begin: Begin[ManagerTalk], silent_s: int) -> None:
    """
    A ping is a sign of life, even one that addresses another thread; a refused message is none.
    """
    talk = begin(connection_timeout_s=30)
    connection = talk.connect()
    talk.do.wait(29)
    talk.do.ping("ana", connection, "u")
    talk.do.wait(silent_s - 1)
    talk.do.message("ana", "null", None, connection, "m")
    talk.do.wait(1)

    assert talk.held("managers") == ({KEY: 0} if silent_s < 30 else {})


def test_background_sweep_closes_what_is_due(begin: Begin[ManagerTalk]) -> None:
    """
    The socket of a due manager is closed within a sweep's interval.
    """
    talk = begin(connection_timeout_s=70)
    connection = talk.connect()
    talk.do.wait(119)
    assert talk.held("may_be_open") == {connection}
    talk.do.wait(1)

    assert talk.held("close_codes") == {connection: 1001}


def test_due_socket_is_told_so_though_its_send_fails_first(begin: Begin[ManagerTalk]) -> None:
    """
    The socket of a manager that timed out is closed with 1001, whatever its send comes to.
    """
    talk = begin(connection_timeout_s=3, send_timeout_s=5)
    connection = talk.connect(peer=STALLED)
    talk.do.wait(5)
    talk.do.sweep()

    assert talk.held("close_codes") == {connection: 1001}


@pytest.mark.parametrize(("alone_s", "sessions"), [(59, [KEY]), (60, []), (61, [])])
def test_unused_session_ends_with_the_grace(
    talk: ManagerTalk, alone_s: int, sessions: list[object]
) -> None:
    """
    An unused session is gone the moment its manager is due.
    """
    talk.do.disconnect(talk.connect(), 1006)
    talk.do.wait(alone_s)

    assert list(talk.held("sessions")) == sessions


def test_reconnect_after_the_grace_has_a_session_of_its_own(talk: ManagerTalk) -> None:
    """
    A session begun after an unswept manager's end does not end with that manager.
    """
    talk.do.disconnect(talk.connect(), 1006)
    talk.do.wait(59)
    talk.do.wait(1)
    talk.connect()
    talk.do.sweep()

    assert talk.held("sessions") == {KEY: Handle("r", 5)}
    assert talk.count("managers_cleaned_up") == 1


def test_manager_is_found_by_context_and_by_key(talk: ManagerTalk) -> None:
    """
    Two calls with contexts of one thread come to one manager.
    """
    await_connection(talk, "t", "t")

    assert talk.do.get_manager(KEY, None) == Ok(KEY)
    assert talk.do.get_manager(None, Handle("x", 1)) == Ok(KEY)
    assert talk.do.manager_count("ana") == Ok(1)


def test_manager_of_a_user_begins_a_conversation(begin: Begin[ManagerTalk]) -> None:
    """
    One for a user alone comes with a new session; one that is refused leaves none.
    """
    talk = begin(max_managers_per_user=1)
    begun = value(talk.do.create_manager(None, "ana"))
    key = ("ana", begun["thread"])

    assert list(talk.held("sessions")) == list(talk.held("managers")) == [key]
    talk.do.connect("ana", begun["thread"], None, WELL)
    assert talk.do.create_manager(None, "ana") == Refused("manager limit")
    assert list(talk.held("sessions")) == [key]


def test_manager_limit_is_each_users_own(begin: Begin[ManagerTalk]) -> None:
    """
    At the limit a further tab of a thread in use is welcome, and so is another user.
    """
    talk = begin(max_managers_per_user=2)
    talk.connect(thread="t")
    talk.connect(thread="u")

    assert talk.do.connect("ana", "v", None, WELL) == Refused("manager limit")
    talk.connect(thread="t")
    talk.connect("ben")
    assert len(talk.held("connections")) == 4
    assert talk.count("manager_limit_refusals") == 1
    assert talk.count("emergency_cleanups") == 0


@pytest.mark.parametrize(("managers", "left", "emergencies"), [(3, 4, 0), (4, 1, 1), (5, 2, 1)])
def test_idle_managers_make_way_from_80_percent(
    begin: Begin[ManagerTalk], managers: int, left: int, emergencies: int
) -> None:
    """
    From four of five, managers with neither connection nor queue go first. Of five, the fifth has
    itself made the four before it go.
    """
    talk = begin(max_managers_per_user=5)
    await_connection(talk, *map(str, range(managers)))
    talk.connect()

    assert talk.do.manager_count("ana") == Ok(left)
    assert talk.count("emergency_cleanups") == emergencies


def test_emergency_spares_connections_and_queues(begin: Begin[ManagerTalk]) -> None:
    """
    A manager with a live connection stays, and so does one that has events waiting.
    """
    talk = begin(max_managers_per_user=4)
    talk.connect(thread="connected")
    await_connection(talk, "waiting", "idle", "idle too")
    talk.deliver("m", "waiting")
    talk.connect(thread="one more")

    assert [thread for _, thread in talk.held("managers")] == ["connected", "waiting", "one more"]


def test_due_manager_makes_way_without_emergency(begin: Begin[ManagerTalk]) -> None:
    """
    A manager that is due counts no longer, though nothing swept it.
    """
    talk = begin(max_managers_per_user=1, sweep_interval_s=1_000)
    await_connection(talk, "old")
    talk.do.wait(60)
    talk.connect(thread="new")

    assert list(talk.held("managers")) == [("ana", "new")]
    assert talk.count("managers_cleaned_up") == 1
    assert talk.count("emergency_cleanups") == 0


@pytest.mark.parametrize(("user", "reason"), [(None, "nothing given"), (" ", "invalid context")])
def test_manager_needs_a_name(talk: ManagerTalk, user: str | None, reason: str) -> None:
    """
    A manager of nobody is not made.
    """
    assert talk.do.create_manager(None, user) == Refused(reason)
    assert talk.do.get_manager(None, None) == Refused("nothing given")
    assert talk.held("managers") == {}
