"""The model's sessions, by the contract's Registry and Context."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from tests.conformance.talks import Begin, ManagerTalk, value

TALK = ManagerTalk

T1 = Handle("t", 1)


def test_thread_asked_for_is_the_thread_returned(talk: ManagerTalk) -> None:
    """
    A new session lives under exactly the id that was asked for.
    """
    assert value(talk.do.get("ana", " t", None))["thread"] == " t"
    assert talk.held("sessions") == {("ana", " t"): Handle("r", 1)}


def test_no_thread_is_the_one_of_the_latest_get(talk: ManagerTalk) -> None:
    """
    Without a thread it is the one that was got last, though all were got in one second.
    """
    talk.do.get("ana", "t", None)
    talk.do.get("ana", "u", None)
    talk.do.get("ana", "t", None)

    assert value(talk.do.get("ana", None, None))["thread"] == "t"


def test_ping_makes_no_thread_the_latest(talk: ManagerTalk) -> None:
    """
    A ping extends a life and changes no order.
    """
    connection = talk.connect()
    talk.do.get("ana", "u", None)
    talk.do.ping("ana", connection, None)

    assert value(talk.do.get("ana", "", None))["thread"] == "u"


def test_echoed_thread_is_the_same_session(talk: ManagerTalk) -> None:
    """
    A thread id that the system made finds its session.
    """
    talk.do.get("ana", None, None)

    assert value(talk.do.get("ana", T1, None))["run"] == Handle("r", 1)


def test_latest_thread_that_is_due_gives_way(begin: Begin[ManagerTalk]) -> None:
    """
    Without a thread a get passes over a later one that has expired.
    """
    talk = begin(session_ttl_s=10)
    pinged = talk.connect()
    talk.do.get("ana", "u", None)
    talk.do.wait(9)
    talk.do.ping("ana", pinged, None)
    talk.do.wait(1)

    assert value(talk.do.get("ana", None, None))["thread"] == "t"


def test_thread_of_another_user_is_a_new_key(talk: ManagerTalk) -> None:
    """
    An echoed thread id of ana's gives ben a session of his own.
    """
    talk.do.get("ana", None, None)

    assert value(talk.do.get("ben", T1, None))["run"] == Handle("r", 2)


def test_another_run_stays(talk: ManagerTalk) -> None:
    """
    A run given becomes the thread's current one.
    """
    talk.do.get("ana", "t", None)
    talk.do.get("ana", "t", "r")

    assert value(talk.do.get("ana", "t", None))["run"] == "r"


def test_request_is_new_each_time(talk: ManagerTalk) -> None:
    """
    Two gets of one session differ in the request, and are counted apart.
    """
    talk.do.get("ana", "t", None)
    again = value(talk.do.get("ana", "t", None))

    assert (again["run"], again["request"]) == (Handle("r", 1), Handle("q", 2))
    assert talk.count("contexts_created") == 1
    assert talk.count("contexts_reused") == 1


@pytest.mark.parametrize(("idle_s", "run"), [(9, "r_1"), (10, "r_3"), (11, "r_3")])
def test_session_expires_at_its_second(begin: Begin[ManagerTalk], idle_s: int, run: str) -> None:
    """
    A session idle for session_ttl_s seconds is gone, one second before it is not.
    """
    talk = begin(session_ttl_s=10)
    talk.do.get("ana", "t", None)
    talk.do.wait(idle_s)

    assert str(value(talk.do.get("ana", "t", None))["run"]) == run


def test_reading_extends_nothing(begin: Begin[ManagerTalk]) -> None:
    """
    A session that is only read expires in its time.
    """
    talk = begin(session_ttl_s=10)
    talk.do.get("ana", "t", None)
    talk.do.wait(9)
    talk.do.existing("ana", "t")
    talk.do.wait(1)

    assert talk.do.existing("ana", "t") == Ok(None)


@pytest.mark.parametrize(("sweep_interval_s", "freed"), [(60, 1), (10, 0)])
def test_clean_up_counts_what_no_sweep_has_freed(
    begin: Begin[ManagerTalk], sweep_interval_s: int, freed: int
) -> None:
    """
    An expired session is counted once: by the clean-up, unless a sweep came first.
    """
    talk = begin(session_ttl_s=10, sweep_interval_s=sweep_interval_s)
    talk.do.get("ana", "t", None)
    talk.do.wait(10)

    assert talk.do.clean_up_sessions() == Ok(freed)


def test_session_over_the_limit_is_refused(begin: Begin[ManagerTalk]) -> None:
    """
    A user with max_sessions_per_user live sessions gets no other, and loses none.
    """
    talk = begin(max_sessions_per_user=1)
    talk.do.get("ana", "t", None)

    assert talk.do.get("ana", "u", None) == Refused("session limit")
    assert list(talk.held("sessions")) == [("ana", "t")]


def test_refused_run_replaces_none(talk: ManagerTalk) -> None:
    """
    A refused get leaves the thread's run as it is.
    """
    talk.do.get("ana", "t", "r")
    talk.do.get("ana", "t", "null")

    assert talk.held("sessions") == {("ana", "t"): "r"}


def test_refused_get_extends_nothing(begin: Begin[ManagerTalk]) -> None:
    """
    A get that is refused is no activity.
    """
    talk = begin(session_ttl_s=10)
    talk.do.get("ana", "t", None)
    talk.do.wait(9)
    talk.do.get("ana", "t", "null")
    talk.do.wait(1)

    assert talk.held("sessions") == {}


def test_reading_creates_nothing(talk: ManagerTalk) -> None:
    """
    A read of a thread that is not there leaves it so.
    """
    assert talk.do.existing("ana", "t") == Ok(None)
    assert talk.held("sessions") == {}


def test_clean_up_counts_each_session_once(begin: Begin[ManagerTalk]) -> None:
    """
    What is younger stays, and a second clean-up finds nothing.
    """
    talk = begin(session_ttl_s=10)
    talk.do.get("ana", "old", None)
    talk.do.wait(1)
    talk.do.get("ana", "young", None)
    talk.do.wait(9)

    assert talk.do.clean_up_sessions() == Ok(1)
    assert talk.do.clean_up_sessions() == Ok(0)
    assert list(talk.held("sessions")) == [("ana", "young")]


def test_clean_up_counts_a_session_that_expired_before_its_manager(
    begin: Begin[ManagerTalk],
) -> None:
    """
    The later end of its manager takes nothing from the count.
    """
    talk = begin(session_ttl_s=10, connection_timeout_s=20)
    talk.connect()
    talk.do.wait(20)

    assert talk.do.clean_up_sessions() == Ok(1)


def test_session_limit_counts_what_lives(begin: Begin[ManagerTalk]) -> None:
    """
    Every get over the limit is counted, what there is can be got, and what is due counts no more.
    """
    talk = begin(max_sessions_per_user=1, session_ttl_s=10)
    talk.do.get("ana", "t", None)
    for thread in ("u", "v"):
        assert talk.do.get("ana", thread, None) == Refused("session limit")

    assert talk.count("session_limit_refusals") == 2
    talk.do.wait(9)
    assert value(talk.do.get("ana", "t", None))["thread"] == "t"
    assert value(talk.do.get("ben", "u", None))["thread"] == "u"
    talk.do.wait(10)
    assert value(talk.do.get("ana", "u", None))["thread"] == "u"


def test_websocket_entry_begins_a_conversation(talk: ManagerTalk) -> None:
    """
    Each request there has a session of its own, and a refused one has none.
    """
    first = value(talk.do.from_websocket("ana", "c1", ("es",)))
    second = value(talk.do.from_websocket("ana", None, ()))
    refused = Refused("invalid context")

    assert first["connection"] == "c1"
    assert first["additional"] == {"tags": ("es",)}
    assert second["thread"] == Handle("t", 2)
    assert talk.do.from_websocket("none", None, ()) == refused
    assert talk.do.from_websocket("ana", "\n", ()) == refused
    assert len(talk.held("sessions")) == 2


def test_invalidation_ends_one_user_only(talk: ManagerTalk) -> None:
    """
    All of ana's goes; ana:b and what is theirs stays.
    """
    connection = talk.connect("ana")
    talk.connect("ana:b")

    assert talk.do.invalidate("ana") == Ok(1)
    assert talk.held("close_codes") == {connection: 4401}
    assert list(talk.held("managers")) == [("ana:b", "t")]
    assert list(talk.held("sessions")) == [("ana:b", "t")]


def test_deprecated_function_warns_though_it_refuses(talk: ManagerTalk) -> None:
    """
    The warning comes with the call, whatever becomes of it.
    """
    refused = Refused("invalid context", warnings=("DeprecationWarning",))

    assert talk.do.create(" ", None, None) == refused


@pytest.mark.parametrize(("deep", "is_good"), [(9, True), (10, True), (11, False)])
def test_child_is_at_most_ten_deep(talk: ManagerTalk, deep: int, *, is_good: bool) -> None:
    """
    A depth over 10 is refused.
    """
    talk.do.get("ana", "t", None)

    assert isinstance(talk.do.child(Handle("x", 1), deep), Ok) is is_good


def test_clean_up_does_not_count_what_ended_with_its_manager(begin: Begin[ManagerTalk]) -> None:
    """
    An unused session whose manager came due was not idle for too long.
    """
    talk = begin(sweep_interval_s=1_000)
    talk.do.disconnect(talk.connect(), 1006)
    talk.do.wait(60)

    assert talk.do.clean_up_sessions() == Ok(0)
