"""The model's places and database sessions, by the contract's Database sessions."""

from __future__ import annotations

import pytest
from threadline import Handle, Unpredictable
from threadline.outcome import Ok, Refused

from models.session_manager.peers import BROKEN
from tests.service_models import ServiceTalk, types, value

ALL = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]


def test_message_waits_for_the_writer() -> None:
    """
    While a database session has written, a message holds its place, until a commit lets it go on.
    """
    talk = ServiceTalk()
    connection = talk.connect()
    session = talk.open_database("v")
    talk.next().write_database(session)

    assert types(talk.say(connection), connection) == []
    assert talk.held("places") == {"taken": 2}
    assert talk.held("database_sessions_min") == 3
    assert types(talk.next().commit_database(session), connection) == ALL
    assert talk.held("places") == {"taken": 0}


def test_history_waits_for_a_place_only() -> None:
    """
    A reader does not wait for the writer.
    """
    talk = ServiceTalk()
    connection = talk.connect()
    session = talk.open_database("v")
    talk.next().write_database(session)

    assert types(talk.next().history(connection, None, None), connection) == ["thread_history"]


@pytest.mark.parametrize(("waited_s", "told"), [(29, []), (30, ["pool_timeout"])])
def test_wait_for_a_place_has_a_limit(waited_s: int, told: list[str]) -> None:
    """
    After pool_timeout_s seconds without a place a request is refused.
    """
    talk = ServiceTalk(pool_size=1)
    connection = talk.connect()
    talk.next().read_database(talk.open_database("v"))
    talk.say(connection)

    assert types(talk.wait(waited_s), connection) == told


def test_first_who_waits_is_served_first() -> None:
    """
    A place goes to the first whose wait is not over; the next one times out.
    """
    talk = ServiceTalk(pool_size=1)
    connection = talk.connect()
    session = talk.open_database("v")
    talk.next().read_database(session)
    talk.next().history(connection, "first", None)
    talk.wait(1)
    talk.next().history(connection, "second", None)
    timed_out = talk.wait(29)
    served = talk.next().roll_back_database(session)

    assert types(timed_out, connection, "first") == ["pool_timeout"]
    assert types(timed_out, connection, "second") == []
    assert types(served, connection, "second") == ["thread_history"]


def test_background_sweep_that_gets_no_place_is_counted() -> None:
    """
    It goes on at its next second.
    """
    talk = ServiceTalk(pool_size=1)
    session = talk.open_database()
    talk.next().read_database(session)
    talk.wait(89)

    assert talk.count("sweep_errors") == 0
    talk.wait(1)
    assert talk.count("sweep_errors") == 1
    talk.next().close_database(session)
    talk.wait(60)
    assert talk.count("sweep_errors") == 1


@pytest.mark.parametrize("how", ["awaited", "block"])
def test_closed_database_session_refuses_all(how: str) -> None:
    """
    Closing gives back the place, and nothing can be done on it afterwards.
    """
    talk = ServiceTalk()
    session = talk.open_database(how=how)
    talk.next().write_database(session)
    talk.next().close_database(session)

    assert talk.held("places") == {"taken": 0}
    assert talk.held("database_sessions_max") == 0
    assert talk.next().write_database(session) == Refused("closed")
    assert talk.next().commit_database(session) == Refused("closed")
    assert talk.next().close_database(session) == Refused("closed")


def test_block_ends_with_an_exception_and_with_a_cancellation() -> None:
    """
    Either closes the database session of a block; an awaited one has no block.
    """
    talk = ServiceTalk()
    one, two = talk.open_database(how="block"), talk.open_database(how="block")
    awaited = talk.open_database()
    talk.next().write_database(one)
    talk.next().raise_in_database(one)
    talk.next().cancel_database(two)

    assert talk.held("database_sessions_max") == 1
    assert talk.held("places") == {"taken": 0}
    with pytest.raises(Unpredictable):
        talk.next().raise_in_database(awaited)


def test_failing_commit_keeps_the_place() -> None:
    """
    A commit of what was written fails; one of what was read does not.
    """
    talk = ServiceTalk()
    writer, reader = talk.open_database(), talk.open_database("u")
    talk.next().write_database(writer)
    talk.next().read_database(reader)
    talk.next().storage_fails()

    assert talk.next().commit_database(writer) == Refused("storage_error")
    assert talk.next().commit_database(reader) == Ok(None)
    assert talk.held("places") == {"taken": 1}
    talk.next().roll_back_database(writer)
    assert talk.held("places") == {"taken": 0}


def test_nothing_may_have_to_wait_in_its_own_step() -> None:
    """
    A second writer, and what needs storage outside of a handling, are not to be asked for.
    """
    talk = ServiceTalk()
    one, two = talk.open_database(), talk.open_database("u")
    talk.next().write_database(one)

    with pytest.raises(Unpredictable):
        talk.next().write_database(two)
    with pytest.raises(Unpredictable):
        talk.next().sweep()
    with pytest.raises(Unpredictable):
        talk.next().restart()
    assert talk.held("places") == {"taken": 1}


@pytest.mark.parametrize(("how", "left"), [("awaited", 0), ("block", 1)])
def test_awaited_one_ends_with_its_connection(how: str, left: int) -> None:
    """
    What was awaited on the context of a connection is closed when that ends; a block is not.
    """
    talk = ServiceTalk()
    connected = value(talk.next().connect("ana", "t", None, "well"))
    opened = talk.next().open_database_session(connected["context"], how)
    talk.next().read_database(value(opened)["session"])
    talk.next().disconnect(connected["socket"], 1006)

    assert talk.held("database_sessions_max") == left
    assert talk.held("places") == {"taken": left}


def test_awaited_one_is_closed_with_its_socket() -> None:
    """
    While a connection that came due was not swept, nobody can tell whether it is closed.
    """
    talk = ServiceTalk(connection_timeout_s=10)
    connected = value(talk.next().connect("ana", "t", None, "well"))
    session = value(talk.next().open_database_session(connected["context"], "awaited"))["session"]
    talk.wait(10)

    assert talk.held("database_sessions_min") == 0
    assert talk.held("database_sessions_max") == 2
    with pytest.raises(Unpredictable):
        talk.next().read_database(session)
    talk.next().sweep()
    assert talk.held("database_sessions_max") == 0
    assert talk.next().read_database(session) == Refused("closed")


def test_crash_takes_database_sessions_with_it() -> None:
    """
    What was open is closed, and its places are free.
    """
    talk = ServiceTalk()
    session = talk.open_database()
    talk.next().write_database(session)
    talk.next().crash()

    assert talk.held("places") == {"taken": 0}
    assert talk.next().commit_database(session) == Refused("closed")


def test_lost_connection_has_no_database_session() -> None:
    """
    A connection whose peer is broken from the start needs none.
    """
    talk = ServiceTalk()
    talk.connect(peer=BROKEN)

    assert talk.held("database_sessions_max") == 0
    assert talk.held("close_codes") == {Handle("k", 1): 1011}


def test_history_that_waits_for_a_place_is_no_agent_to_stop() -> None:
    """
    Only what an agent was asked can be stopped.
    """
    talk = ServiceTalk(pool_size=1)
    connection = talk.connect()
    talk.next().read_database(talk.open_database("v"))
    talk.next().history(connection, None, None)

    assert types(talk.next().stop_agent(connection, None), connection) == ["nothing_to_stop"]


def test_stopped_message_leaves_the_line_for_a_place() -> None:
    """
    Its place comes free at once, and nothing of it is stored.
    """
    talk = ServiceTalk()
    connection = talk.connect()
    session = talk.open_database("v")
    talk.next().write_database(session)
    talk.say(connection)

    assert types(talk.next().stop_agent(connection, None), connection) == ["agent_stopped"]
    assert talk.held("places") == {"taken": 1}
    talk.next().close_database(session)
    assert talk.texts() == []


def test_nobody_opens_a_session_for_a_connection_that_came_due() -> None:
    """
    Between the end of a connection and its sweep, nobody knows what would end what is opened.
    """
    talk = ServiceTalk(connection_timeout_s=7, sweep_interval_s=1_000)
    talk.connect()
    context = Handle("x", 1)
    talk.wait(7)

    with pytest.raises(Unpredictable):
        talk.next().open_database_session(context, "awaited")
    talk.next().sweep()
    assert isinstance(talk.next().open_database_session(context, "awaited"), Ok)
