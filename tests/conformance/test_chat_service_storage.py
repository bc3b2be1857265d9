"""What the model stores, and what outlives a stop, by the contract's Persistence."""

from __future__ import annotations

import pytest
from threadline.handle import Dangling, Handle
from threadline.outcome import Ok, Refused

from models.session_manager.socket_faults import WELL
from tests.conformance.talks import Begin, ServiceTalk, events, types, value

TALK = ServiceTalk


def test_restart_keeps_turns_and_threads(talk: ServiceTalk) -> None:
    """
    After a restart the thread goes on under its run, idle since its last turn, with a new client.
    """
    connection = talk.connect()
    talk.wait(10)
    talk.say(connection, "one")
    talk.wait(5)
    restarted = talk.do.restart()

    assert restarted == Ok(None)
    assert talk.held("sessions") == {("ana", "t"): Handle("r", 1)}
    assert talk.held("close_codes") == {connection: 1001}
    assert talk.texts() == [("user", "one"), ("agent", "You said: one")]
    got = value(talk.do.get("ana", None, None))
    assert got["created_s"] == 10.0
    assert got["client"] == Handle("c", 5)
    resumed = talk.do.connect("ana", "t", "c1", WELL)
    assert events(resumed, value(resumed)["socket"])[0]["resumed"] is True
    assert talk.count("messages") == 0


def test_restart_forgets_a_thread_without_a_turn(talk: ServiceTalk) -> None:
    """
    A session whose thread has no stored turn is gone.
    """
    talk.do.get("ana", "t", None)
    talk.do.restart()

    assert talk.held("sessions") == {}


@pytest.mark.parametrize(("idle_s", "sessions"), [(9, [("ana", "t")]), (10, [])])
def test_restart_loads_no_expired_thread(
    begin: Begin[ServiceTalk], idle_s: int, sessions: list[object]
) -> None:
    """
    A thread expires by its last turn, though a get had let its session live on.
    """
    talk = begin(session_ttl_s=10)
    talk.post()
    talk.wait(5)
    talk.do.get("ana", "t", None)
    talk.wait(idle_s - 5)
    talk.do.restart()

    assert list(talk.held("sessions")) == sessions


def test_restart_loads_no_invalidated_thread(talk: ServiceTalk) -> None:
    """
    An invalidated session does not come back, and its conversation does.
    """
    talk.post("one")
    talk.do.invalidate("ana")
    talk.do.restart()

    assert talk.held("sessions") == {}
    assert talk.texts() == [("user", "one"), ("agent", "You said: one")]


def test_invalidation_that_was_not_stored_is_refused(talk: ServiceTalk) -> None:
    """
    The sessions have ended, but a restart has them back.
    """
    talk.post()
    talk.do.storage_fails()

    assert talk.do.invalidate("ana") == Refused("storage_error")
    assert talk.held("sessions") == {}
    talk.do.restart()
    assert list(talk.held("sessions")) == [("ana", "t")]


def test_latest_thread_after_a_restart_is_that_of_the_latest_turn(talk: ServiceTalk) -> None:
    """
    Turns count, whatever was got later.
    """
    connection = talk.connect()
    talk.say(connection, thread="t")
    talk.say(connection, thread="u")
    talk.do.get("ana", "t", None)
    talk.do.restart()

    assert value(talk.do.existing("ana", None))["thread"] == "u"


def test_crash_closes_no_socket_and_tells_nobody(talk: ServiceTalk) -> None:
    """
    Neither connection nor exchange hears of a crash, and what has no turn is lost.
    """
    connection = talk.connect()
    talk.say(connection, "one", "slow")
    talk.post("two")

    assert talk.do.crash() == Ok(None)
    assert talk.held("close_codes") == {}
    assert talk.held("requests") == {("ana", "t"): 1}
    assert talk.wait(10) == Ok(None)
    assert talk.texts() == [("user", "one"), ("agent", "You said: one")]
    with pytest.raises(Dangling):
        talk.say(connection)


@pytest.mark.parametrize("end", ["crash", "restart"])
def test_question_is_answered_after_the_next_start(talk: ServiceTalk, end: str) -> None:
    """
    It goes on once, under its run and its message id, for whoever is on the thread by then.
    """
    talk.say(talk.connect(), "zero")
    talk.say(Handle("k", 1), "one", "slow", message="m")
    getattr(talk.do, end)()
    back = talk.do.connect("ana", "t", None, WELL)
    told = talk.wait(10)

    assert [each["run_id"] for each in events(told, value(back)["socket"])] == [Handle("r", 1)] * 4
    assert types(told, value(back)["socket"])[-1] == "agent_completed"
    assert talk.texts()[-1] == ("agent", "You said: one Before that: zero")
    getattr(talk.do, end)()
    assert talk.held("requests") == {}
    later = value(talk.do.connect("ana", "t", None, WELL))["socket"]
    (again,) = events(talk.say(later, message="m"), later)
    assert (again["type"], again["answer_position"]) == ("already_handled", 4)
    assert again["response"] == "You said: one Before that: zero"


@pytest.mark.parametrize("agent", ["refuses", "raises late", "unavailable", "never ends"])
def test_question_that_was_given_up_is_not_taken_up(talk: ServiceTalk, agent: str) -> None:
    """
    Who was told that there is no answer gets none later.
    """
    talk.say(talk.connect(), "one", agent)
    talk.wait(300)
    talk.do.crash()

    assert talk.held("requests") == {}
    talk.wait(40)
    assert talk.texts() == [("user", "one")]


def test_question_that_was_stopped_is_not_taken_up(talk: ServiceTalk) -> None:
    connection = talk.connect()
    talk.say(connection, "one", "slow")
    talk.do.stop_agent(connection, None)
    talk.do.crash()

    assert talk.held("requests") == {}


def test_stop_ends_exchanges(talk: ServiceTalk) -> None:
    """
    A posted message that a stop cancels is answered with 409, and a stream just ends.
    """
    talk.post(agent="slow")
    talk.do.post_stream("ben", "t", None, None, "text", "slow")
    stopped = talk.do.restart()

    assert events(stopped, Handle("h", 1)) == [
        {"type": "response", "status": 409, "code": "agent_failed", "thread_id": "t"}
    ]
    assert types(stopped, Handle("h", 2), None) == ["end"]


def test_failing_commit_is_told_and_nothing_is_stored(talk: ServiceTalk) -> None:
    """
    Without the user's turn there is no agent.
    """
    connection = talk.connect()
    talk.do.storage_fails()

    assert types(talk.say(connection), connection) == ["storage_error"]
    assert talk.texts() == []


def test_failing_commit_of_an_answer_leaves_the_turn_of_the_user(talk: ServiceTalk) -> None:
    """
    The answer is told of only once it is stored.
    """
    connection = talk.connect()
    talk.say(connection, "one", "slow")
    talk.do.storage_fails()

    assert types(talk.wait(6), connection)[-1] == "storage_error"
    assert talk.texts() == [("user", "one")]


def test_storage_recovers(talk: ServiceTalk) -> None:
    """
    A message after that is stored, without a gap in the positions.
    """
    connection = talk.connect()
    talk.do.storage_fails()
    talk.say(connection, "one")
    talk.do.storage_recovers()

    assert events(talk.say(connection, "two"), connection)[0]["position"] == 1


def test_deletes_a_thread_with_all_that_it_has(talk: ServiceTalk) -> None:
    """
    Session, request, manager and turns go, and the sockets are closed with 4404.
    """
    connection = talk.connect()
    talk.say(connection)
    talk.say(connection, agent="slow")
    deleted = talk.do.delete_thread("ana", "t")

    assert value(deleted) == {"thread_id": "t", "deleted": True}
    assert talk.held("sessions") == {}
    assert talk.held("requests") == {}
    assert talk.held("close_codes") == {connection: 4404}
    assert talk.texts() == []
    assert value(talk.do.delete_thread("ana", "t")) == {"thread_id": "t", "deleted": False}


def test_deletion_that_fails_leaves_the_turns(talk: ServiceTalk) -> None:
    """
    The session has ended, the rows remain.
    """
    talk.post("one")
    talk.do.storage_fails()

    assert talk.do.delete_thread("ana", "t") == Refused("storage_error")
    assert talk.held("sessions") == {}
    assert len(talk.texts()) == 2


@pytest.mark.parametrize(("idle_s", "turns"), [(9, 2), (10, 0)])
def test_conversation_is_due_at_its_second(
    begin: Begin[ServiceTalk], idle_s: int, turns: int
) -> None:
    """
    Whether or not it was swept, a conversation is gone retention_s seconds after its last turn.
    """
    talk = begin(retention_s=10, session_ttl_s=5)
    talk.post()
    talk.wait(idle_s)

    assert len(talk.texts()) == turns
    assert len(value(talk.do.threads("ana"))["threads"]) == turns // 2


def test_session_keeps_a_conversation_that_it_began_before(begin: Begin[ServiceTalk]) -> None:
    """
    A live session keeps it until it ends, for a sweep too.
    """
    talk = begin(retention_s=10, session_ttl_s=20)
    talk.post()
    talk.wait(15)
    talk.do.sweep()

    assert len(talk.texts()) == 2
    talk.wait(5)
    assert talk.texts() == []


def test_session_that_began_later_has_a_new_conversation(begin: Begin[ServiceTalk]) -> None:
    """
    What was due when the session began is gone for it: positions begin anew.
    """
    talk = begin(retention_s=10, session_ttl_s=5)
    talk.post("one")
    talk.wait(10)
    talk.post("two")

    assert talk.texts() == [("user", "two"), ("agent", "You said: two")]


def test_sweep_that_cannot_remove_is_refused_and_counted_in_the_background(
    begin: Begin[ServiceTalk],
) -> None:
    """
    A sweep asked for says so; that of the background goes on.
    """
    talk = begin(retention_s=10, session_ttl_s=5)
    talk.post()
    talk.wait(10)
    talk.do.storage_fails()

    assert talk.do.sweep() == Refused("storage_error")
    talk.wait(50)
    assert talk.count("sweep_errors") == 1
    talk.do.storage_recovers()
    assert talk.do.sweep() == Ok(None)


def test_lists_the_thread_of_the_latest_turn_first(talk: ServiceTalk) -> None:
    """
    Threads are a user's own, with the second of their last turn.
    """
    connection = talk.connect()
    talk.say(connection, thread="u")
    talk.wait(5)
    talk.say(connection, thread="t")
    talk.post(user="ben")

    assert value(talk.do.threads("ana")) == {
        "threads": [
            {"thread_id": "t", "last_active_at_s": 5.0},
            {"thread_id": "u", "last_active_at_s": 0.0},
        ]
    }


def test_session_that_began_when_it_was_due_keeps_no_conversation(
    begin: Begin[ServiceTalk],
) -> None:
    """
    A get at that very second finds nothing that it could keep.
    """
    talk = begin(retention_s=10, session_ttl_s=5)
    talk.post()
    talk.wait(10)
    talk.do.get("ana", "t", None)

    assert talk.texts() == []


def test_deleted_session_is_not_freed_once_more(begin: Begin[ServiceTalk]) -> None:
    """
    A session that had expired is gone with its thread.
    """
    talk = begin(session_ttl_s=5)
    talk.post()
    talk.wait(5)
    talk.do.delete_thread("ana", "t")

    assert talk.do.clean_up_sessions() == Ok(0)


def test_turns_of_another_user_are_not_seen(talk: ServiceTalk) -> None:
    """
    A thread id that another user has too is another thread, with message ids of its own.
    """
    talk.do.post("ana", "t", None, "m", "secret", "well")
    posted = talk.do.post("ben", "t", None, "m", "hello", "well")

    assert events(posted, Handle("h", 2))[0]["response"] == "You said: hello"
    assert [turn["text"] for turn in value(talk.do.thread_messages("ben", "t", None))["turns"]] == [
        "hello",
        "You said: hello",
    ]


def test_acknowledged_turn_is_there_after_a_crash(talk: ServiceTalk) -> None:
    """
    A thread goes on where its stored turns end.
    """
    talk.post("one")
    talk.do.crash()

    assert events(talk.post("two"), Handle("h", 3))[0]["position"] == 4


@pytest.mark.parametrize("agent", ["never ends", "refuses", "raises late"])
def test_thread_is_idle_since_its_last_turn(talk: ServiceTalk, agent: str) -> None:
    """
    What an agent that failed did does not count.
    """
    talk.post()
    talk.wait(5)
    talk.post(agent=agent)
    talk.wait(5)
    talk.do.restart()

    assert value(talk.do.get("ana", "t", None))["created_s"] == 5.0


def test_second_process_is_refused(talk: ServiceTalk) -> None:
    """
    One process has the database for itself, whatever becomes of the one that wants it too.
    """
    talk.post()

    assert talk.do.start_second() == Refused("database taken")
    assert talk.do.start_second() == Refused("database taken")
    talk.do.restart()
    talk.do.crash()
    assert talk.do.start_second() == Refused("database taken")
    assert talk.texts() == [("user", "hello there"), ("agent", "You said: hello there")]
