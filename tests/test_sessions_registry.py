"""The registry: which session a get finds, how long it lives, and what a refusal leaves."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from sessions.errors import InvalidContextError
from sessions.key import IsolationKey
from sessions.session import SessionData
from tests.sessions_peers import make_system

DAY_S = 86_400


def test_same_thread_is_the_same_session() -> None:
    """Two gets of one thread find one session."""
    registry = make_system()[0].registry
    first = registry.get_or_create_user_session("ana", "t")
    second = registry.get_or_create_user_session("ana", "t")

    assert (second["thread_id"], second["run_id"]) == (first["thread_id"], first["run_id"])


def test_request_id_is_new_on_every_call() -> None:
    """Two gets of one session have two request ids."""
    registry = make_system()[0].registry
    first = registry.get_or_create_user_session("ana", "t")

    assert registry.get_or_create_user_session("ana", "t")["request_id"] != first["request_id"]


@pytest.mark.parametrize("thread_id", ["default", "a:b", " padded ", "\u0041\u030a", "t" * 256])
def test_thread_id_is_returned_as_given(thread_id: str) -> None:
    """A new session gets exactly the thread id that was asked for."""
    registry = make_system()[0].registry

    assert registry.get_or_create_user_session("ana", thread_id)["thread_id"] == thread_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a:b", "c"), ("a", "b:c")),
        (("a_b", "c"), ("a", "b_c")),
        (("ana", "t"), ("ana", "t ")),
        (("ana", "t"), ("ana", "T")),
        (("ana", "\u00c5"), ("ana", "\u0041\u030a")),
        (("ana", "t"), ("ben", "t")),
    ],
)
def test_different_pairs_never_meet(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Two different pairs of user and thread are two sessions."""
    registry = make_system()[0].registry
    first = registry.get_or_create_user_session(*one)
    second = registry.get_or_create_user_session(*other)

    assert first["run_id"] != second["run_id"]


@pytest.mark.parametrize("none", [None, ""])
def test_no_thread_means_a_new_one_at_first(none: str | None) -> None:
    """Without a thread, the first get of a user makes one, named after its run."""
    data = make_system()[0].registry.get_or_create_user_session("ana", none)

    assert data["thread_id"] == f"thread_{data['run_id']}"


def test_echoing_the_returned_thread_finds_the_session() -> None:
    """A made-up thread id finds the same session when it is asked for."""
    registry = make_system()[0].registry
    made = registry.get_or_create_user_session("ana")
    echoed = registry.get_or_create_user_session("ana", made["thread_id"])

    assert echoed["run_id"] == made["run_id"]


def test_no_thread_means_the_latest_one() -> None:
    """Without a thread a get finds the one of the latest get, though no time has passed."""
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "first")
    registry.get_or_create_user_session("ana", "second")
    registry.get_or_create_user_session("ana", "first")

    assert registry.get_or_create_user_session("ana")["thread_id"] == "first"


def test_ping_does_not_make_a_thread_the_latest() -> None:
    """Extending a session leaves the latest thread the latest."""
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "first")
    registry.get_or_create_user_session("ana", "second")
    registry.extend("ana", "first")

    assert registry.get_or_create_user_session("ana")["thread_id"] == "second"


def test_latest_thread_that_is_due_gives_way() -> None:
    """Without a thread a get passes over a later thread that has expired."""
    system, clock = make_system()
    system.registry.get_or_create_user_session("ana", "pinged")
    system.registry.get_or_create_user_session("ana", "left")
    clock.now_s += DAY_S - 1
    system.registry.extend("ana", "pinged")
    clock.now_s += 1

    assert system.registry.get_or_create_user_session("ana")["thread_id"] == "pinged"


def test_other_run_becomes_the_current_one() -> None:
    """A get with another run changes the run of the thread for those that follow."""
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "t", "r1")
    registry.get_or_create_user_session("ana", "t", "r2")

    assert registry.get_or_create_user_session("ana", "t")["run_id"] == "r2"


BAD_IDS = ["", " ", "None", " TODO ", "undefined", "u" * 257, "a\x00b", "a\x85b", "\ud800"]


@pytest.mark.parametrize("user_id", BAD_IDS)
def test_bad_user_is_refused(user_id: str) -> None:
    """A user id that breaks a rule is refused, and leaves no session."""
    registry = make_system()[0].registry
    with pytest.raises(InvalidContextError):
        registry.get_or_create_user_session(user_id, "t")

    assert registry.live() == {}


@pytest.mark.parametrize("thread_id", BAD_IDS[1:])
def test_bad_thread_is_refused(thread_id: str) -> None:
    """A thread id that breaks a rule is refused, and leaves no session."""
    registry = make_system()[0].registry
    with pytest.raises(InvalidContextError):
        registry.get_or_create_user_session("ana", thread_id)

    assert registry.live() == {}


def test_refused_run_replaces_nothing() -> None:
    """A get refused for its run leaves the current run."""
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "t", "r1")
    with pytest.raises(InvalidContextError):
        registry.get_or_create_user_session("ana", "t", "null")

    assert registry.live() == {IsolationKey("ana", "t"): "r1"}


def test_refused_get_extends_nothing() -> None:
    """A refused get is no activity."""
    system, clock = make_system()
    system.registry.get_or_create_user_session("ana", "t")
    clock.now_s += 1
    with pytest.raises(InvalidContextError):
        system.registry.get_or_create_user_session("ana", "t", "null")
    clock.now_s += DAY_S - 1

    assert system.registry.live() == {}


def after_idling(idle_s: float) -> tuple[SessionData, SessionData]:
    system, clock = make_system()
    before = system.registry.get_or_create_user_session("ana", "t")
    clock.now_s += idle_s
    return before, system.registry.get_or_create_user_session("ana", "t")


def test_session_lives_until_a_second_before_its_limit() -> None:
    """A session idle for a second less than a day is found."""
    before, after = after_idling(DAY_S - 1)

    assert after["run_id"] == before["run_id"]


@pytest.mark.parametrize("idle_s", [DAY_S, DAY_S + 1])
def test_session_is_gone_at_its_limit(idle_s: float) -> None:
    """A session idle for a day or more is made anew, under the same thread."""
    before, after = after_idling(idle_s)

    assert after["thread_id"] == "t"
    assert after["run_id"] != before["run_id"]


def test_reading_extends_nothing() -> None:
    """A read shortly before the limit does not keep a session."""
    system, clock = make_system()
    system.registry.get_or_create_user_session("ana", "t")
    clock.now_s += DAY_S - 1
    system.registry.get_existing_session("ana", "t")
    clock.now_s += 1

    assert system.registry.get_existing_session("ana", "t") is None


def test_reading_creates_nothing() -> None:
    """A read of a thread that is not there leaves it so."""
    registry = make_system()[0].registry

    assert registry.get_existing_session("ana", "t") is None
    assert registry.live() == {}


def test_cleanup_counts_what_expired() -> None:
    """A clean-up removes what is due, and says how many it was."""
    system, clock = make_system()
    system.registry.get_or_create_user_session("ana", "old")
    clock.now_s += 1
    system.registry.get_or_create_user_session("ana", "young")
    clock.now_s += DAY_S - 1

    assert system.registry.cleanup_expired_sessions() == 1
    assert list(system.registry.live()) == [("ana", "young")]


def test_cleanup_counts_each_session_once() -> None:
    """A second clean-up finds nothing."""
    system, clock = make_system()
    system.registry.get_or_create_user_session("ana", "t")
    clock.now_s += DAY_S
    system.registry.cleanup_expired_sessions()

    assert system.registry.cleanup_expired_sessions() == 0


def test_invalidation_ends_one_users_sessions_only() -> None:
    """Invalidation spares a user whose id begins with the other's."""
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "t")
    registry.get_or_create_user_session("ana", "s")
    registry.get_or_create_user_session("anabel", "t")

    assert registry.invalidate_user_sessions("ana") == 2
    assert list(registry.live()) == [("anabel", "t")]


def test_threads_that_race_for_a_key_get_one_session() -> None:
    """Eight first gets of one key at the same moment find one run."""
    registry = make_system()[0].registry
    barrier = Barrier(8)
    runs: list[str] = []

    def get() -> None:
        barrier.wait()
        runs.append(registry.get_or_create_user_session("ana", "t")["run_id"])

    threads = [Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 8
    assert len(set(runs)) == 1


def test_gets_are_counted_as_created_or_reused() -> None:
    """A get that made a session and one that found it are counted apart."""
    system, _ = make_system()
    system.registry.get_or_create_user_session("ana", "t")
    system.registry.get_or_create_user_session("ana", "t")
    system.registry.get_or_create_user_session("ana")

    assert system.metrics().contexts_created == 1
    assert system.metrics().contexts_reused == 2


def test_log_tells_creation_from_reuse(caplog: pytest.LogCaptureFixture) -> None:
    """Each get logs whether it created or reused its session."""
    caplog.set_level("INFO")
    registry = make_system()[0].registry
    registry.get_or_create_user_session("ana", "t")
    registry.get_or_create_user_session("ana", "t")

    assert caplog.messages == ["Creating session: t", "Reusing session: t"]


def test_uses_are_counted_on_from_a_stored_number() -> None:
    """After a start, no message has the number of one that was stored before."""
    registry = make_system()[0].registry
    registry.count_on(7)
    registry.get_or_create_user_session("ana", "t")
    seen = registry.peek("ana", "t")

    assert seen is not None
    assert seen.used == 8
