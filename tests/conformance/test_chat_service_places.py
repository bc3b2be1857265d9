"""The model's places and database sessions, by the contract's Database sessions."""

from __future__ import annotations

import pytest
from threadline import Handle, Unpredictable
from threadline.outcome import Ok, Refused

from models.session_manager.socket_faults import BROKEN
from tests.conformance.talks import Begin, ServiceTalk, types, value

TALK = ServiceTalk

ALL = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]


def test_message_waits_for_the_writer(talk: ServiceTalk) -> None:
    """
    While a database session has written, a message holds its place, until a commit lets it go on.
    """
    connection = talk.connect()
    session = talk.open_database("v")
    talk.do.write_database(session)

    assert types(talk.say(connection), connection) == []
    assert talk.held("places") == {"taken": 2}
    assert talk.held("database_sessions_min") == 3
    assert types(talk.do.commit_database(session), connection) == ALL
    assert talk.held("places") == {"taken": 0}


def test_history_waits_for_a_place_only(talk: ServiceTalk) -> None:
    """
    A reader does not wait for the writer.
    """
    connection = talk.connect()
    session = talk.open_database("v")
    talk.do.write_database(session)

    assert types(talk.do.history(connection, None, None), connection) == ["thread_history"]


@pytest.mark.parametrize(("waited_s", "told"), [(29, []), (30, ["pool_timeout"])])
def test_wait_for_a_place_has_a_limit(
    begin: Begin[ServiceTalk], waited_s: int, told: list[str]
) -> None:
    """
    After pool_timeout_s seconds without a place a request is refused.
    """
    talk = begin(pool_size=1)
    connection = talk.connect()
    talk.do.read_database(talk.open_database("v"))
    talk.say(connection)

    assert types(talk.wait(waited_s), connection) == told


def test_first_who_waits_is_served_first(begin: Begin[ServiceTalk]) -> None:
    """
    A place goes to the first whose wait is not over; the next one times out.
    """
    talk = begin(pool_size=1)
    connection = talk.connect()
    session = talk.open_database("v")
    talk.do.read_database(session)
    talk.do.history(connection, "first", None)
    talk.wait(1)
    talk.do.history(connection, "second", None)
    timed_out = talk.wait(29)
    served = talk.do.roll_back_database(session)

    assert types(timed_out, connection, "first") == ["pool_timeout"]
    assert types(timed_out, connection, "second") == []
    assert types(served, connection, "second") == ["thread_history"]


def test_background_sweep_that_gets_no_place_is_counted(begin: Begin[ServiceTalk]) -> None:
    """
    It goes on at its next second.
    """
    talk = begin(pool_size=1)
    session = talk.open_database()
    talk.do.read_database(session)
    talk.wait(89)

    assert talk.count("sweep_errors") == 0
    talk.wait(1)
    assert talk.count("sweep_errors") == 1
    talk.do.close_database(session)
    talk.wait(60)
    assert talk.count("sweep_errors") == 1


@pytest.mark.parametrize("how", ["awaited", "block"])
def test_closed_database_session_refuses_all(talk: ServiceTalk, how: str) -> None:
    """
    Closing gives back the place, and nothing can be done on it afterwards.
    """
    session = talk.open_database(how=how)
    talk.do.write_database(session)
    talk.do.close_database(session)

    assert talk.held("places") == {"taken": 0}
    assert talk.held("database_sessions_max") == 0
    assert talk.do.write_database(session) == Refused("closed")
    assert talk.do.commit_database(session) == Refused("closed")
    assert talk.do.close_database(session) == Refused("closed")


def test_block_ends_with_an_exception_and_with_a_cancellation(talk: ServiceTalk) -> None:
    """
    Either closes the database session of a block; an awaited one has no block.
    """
    one, two = talk.open_database(how="block"), talk.open_database(how="block")
    awaited = talk.open_database()
    talk.do.write_database(one)
    talk.do.raise_in_database(one)
    talk.do.cancel_database(two)

    assert talk.held("database_sessions_max") == 1
    assert talk.held("places") == {"taken": 0}
    with pytest.raises(Unpredictable):
        talk.do.raise_in_database(awaited)


def test_failing_commit_keeps_the_place(talk: ServiceTalk) -> None:
    """
    A commit of what was written fails; one of what was read does not.
    """
    writer, reader = talk.open_database(), talk.open_database("u")
    talk.do.write_database(writer)
    talk.do.read_database(reader)
    talk.do.storage_fails()

    assert talk.do.commit_database(writer) == Refused("storage_error")
    assert talk.do.commit_database(reader) == Ok(None)
    assert talk.held("places") == {"taken": 1}
    talk.do.roll_back_database(writer)
    assert talk.held("places") == {"taken": 0}


def test_nothing_may_have_to_wait_in_its_own_step(talk: ServiceTalk) -> None:
    """
    A second writer, and what needs storage outside of a handling, are not to be asked for.
    """
    one, two = talk.open_database(), talk.open_database("u")
    talk.do.write_database(one)

    with pytest.raises(Unpredictable):
        talk.do.write_database(two)
    with pytest.raises(Unpredictable):
        talk.do.sweep()
    with pytest.raises(Unpredictable):
        talk.do.restart()
    assert talk.held("places") == {"taken": 1}


@pytest.mark.parametrize(("how", "left"), [("awaited", 0), ("block", 1)])
def test_awaited_one_ends_with_its_connection(talk: ServiceTalk, how: str, left: int) -> None:
    """
    What was awaited on the context of a connection is closed when that ends; a block is not.
    """
    connected = value(talk.do.connect("ana", "t", None, "well"))
    opened = talk.do.open_database_session(connected["context"], how)
    talk.do.read_database(value(opened)["session"])
    talk.do.disconnect(connected["socket"], 1006)

    assert talk.held("database_sessions_max") == left
    assert talk.held("places") == {"taken": left}


def test_awaited_one_is_closed_with_its_socket(begin: Begin[ServiceTalk]) -> None:
    """
    While a connection that came due was not swept, nobody can tell whether it is closed.
    """
    talk = begin(connection_timeout_s=10)
    connected = value(talk.do.connect("ana", "t", None, "well"))
    session = value(talk.do.open_database_session(connected["context"], "awaited"))["session"]
    talk.wait(10)

    assert talk.held("database_sessions_min") == 0
    assert talk.held("database_sessions_max") == 2
    with pytest.raises(Unpredictable):
        talk.do.read_database(session)
    talk.do.sweep()
    assert talk.held("database_sessions_max") == 0
    assert talk.do.read_database(session) == Refused("closed")


def test_crash_takes_database_sessions_with_it(talk: ServiceTalk) -> None:
    """
    What was open is closed, and its places are free.
    """
    session = talk.open_database()
    talk.do.write_database(session)
    talk.do.crash()

    assert talk.held("places") == {"taken": 0}
    assert talk.do.commit_database(session) == Refused("closed")


def test_lost_connection_has_no_database_session(talk: ServiceTalk) -> None:
    """
    A connection whose peer is broken from the start needs none.
    """
    talk.connect(peer=BROKEN)

    assert talk.held("database_sessions_max") == 0
    assert talk.held("close_codes") == {Handle("k", 1): 1011}


def test_history_that_waits_for_a_place_is_no_agent_to_stop(begin: Begin[ServiceTalk]) -> None:
    """
    Only what an agent was asked can be stopped.
    """
    talk = begin(pool_size=1)
    connection = talk.connect()
    talk.do.read_database(talk.open_database("v"))
    talk.do.history(connection, None, None)

    assert types(talk.do.stop_agent(connection, None), connection) == ["nothing_to_stop"]


def test_stopped_message_leaves_the_line_for_a_place(talk: ServiceTalk) -> None:
    """
    Nothing of it is stored; that it was stopped waits for the place of writers in its stead.
    """
    connection = talk.connect()
    session = talk.open_database("v")
    talk.do.write_database(session)
    talk.say(connection)

    assert types(talk.do.stop_agent(connection, None), connection) == ["agent_stopped"]
    assert talk.held("places") == {"taken": 2}
    talk.do.close_database(session)
    assert talk.held("places") == {"taken": 0}
    assert talk.texts() == []


def test_nobody_opens_a_session_for_a_connection_that_came_due(begin: Begin[ServiceTalk]) -> None:
    """
    Between the end of a connection and its sweep, nobody knows what would end what is opened.
    """
    talk = begin(connection_timeout_s=7, sweep_interval_s=1_000)
    talk.connect()
    context = Handle("x", 1)
    talk.wait(7)

    with pytest.raises(Unpredictable):
        talk.do.open_database_session(context, "awaited")
    talk.do.sweep()
    assert isinstance(talk.do.open_database_session(context, "awaited"), Ok)


def test_commit_that_failed_is_not_made_up_for(talk: ServiceTalk) -> None:
    """
    A second commit is refused, too, until the session has rolled back.
    """
    session = talk.open_database()
    talk.do.write_database(session)
    talk.do.storage_fails()
    talk.do.commit_database(session)
    talk.do.storage_recovers()

    assert talk.do.commit_database(session) == Refused("storage_error")
    assert talk.do.roll_back_database(session) == Ok(None)
    assert talk.do.commit_database(session) == Ok(None)
