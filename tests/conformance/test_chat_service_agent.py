"""The model's agent requests, by the contract's Messages."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok

from tests.conformance.talks import Begin, ServiceTalk, events, types, value

TALK = ServiceTalk

STARTED = ["agent_started", "agent_thinking", "tool_executing", "tool_completed"]
FAILED = ["agent_started", "agent_failed"]
FAILED_LATE = ["agent_started", "agent_thinking", "agent_failed"]


def test_answers_a_message_with_five_events(talk: ServiceTalk) -> None:
    """
    A user's message yields these events, of its own thread, run and message.
    """
    connection = talk.connect()
    same = {"thread_id": "t", "run_id": Handle("r", 1), "message_id": "m"}
    said = talk.say(connection, "hello there", message="m")

    assert events(said, connection) == [
        {"type": "agent_started", "event_id": Handle("e", 2), **same, "position": 1},
        {"type": "agent_thinking", "event_id": Handle("e2", 2), **same, "turns": 0},
        {
            "type": "tool_executing",
            "event_id": Handle("e3", 2),
            **same,
            "tool": "word_count",
            "arguments": {"text": "hello there"},
        },
        {
            "type": "tool_completed",
            "event_id": Handle("e4", 2),
            **same,
            "tool": "word_count",
            "result": 2,
        },
        {
            "type": "agent_completed",
            "event_id": Handle("e5", 2),
            **same,
            "position": 2,
            "response": "You said: hello there",
        },
    ]


def test_starts_an_agent_as_it_takes_a_message(talk: ServiceTalk) -> None:
    """
    A start_agent yields the same five events.
    """
    connection = talk.connect()
    started = talk.do.start_agent(connection, None, None, None, "hello there", "well")

    assert types(started, connection) == [*STARTED, "agent_completed"]


def test_remembers_the_latest_turn_of_the_user(talk: ServiceTalk) -> None:
    """
    The second reply tells what was said before, and the history has all turns.
    """
    connection = talk.connect()
    talk.say(connection, "one")
    talk.say(connection, "two")

    assert talk.texts() == [
        ("user", "one"),
        ("agent", "You said: one"),
        ("user", "two"),
        ("agent", "You said: two Before that: one"),
    ]


def test_does_not_handle_a_message_twice(talk: ServiceTalk) -> None:
    """
    A message id that the thread has is answered with its position, and another thread has none.
    """
    connection = talk.connect()
    talk.say(connection, message="m")
    again = talk.say(connection, message="m")
    elsewhere = talk.say(connection, thread="u", message="m")

    assert types(again, connection) == ["already_handled"]
    assert events(again, connection)[0]["position"] == 1
    assert types(elsewhere, connection, "u") == [*STARTED, "agent_completed"]


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("refuses", FAILED),
        ("raises early", FAILED),
        ("raises late", FAILED_LATE),
        ("lost", FAILED_LATE),
        ("silent", FAILED_LATE),
    ],
)
def test_tells_of_an_agent_that_failed(talk: ServiceTalk, agent: str, told: list[str]) -> None:
    """
    What the agent raised is told, and only the user's turn is stored.
    """
    connection = talk.connect()

    assert types(talk.say(connection, "one", agent), connection) == told
    assert talk.texts() == [("user", "one")]


@pytest.mark.parametrize(("waited_s", "told"), [(299, []), (300, ["agent_timeout"])])
def test_cancels_an_agent_that_never_ends(
    begin: Begin[ServiceTalk], waited_s: int, told: list[str]
) -> None:
    """
    After agent_timeout_s seconds an agent is cancelled.
    """
    talk = begin(connection_timeout_s=3_600)
    connection = talk.connect()
    talk.say(connection, agent="never ends")

    assert types(talk.wait(waited_s), connection) == told


def test_slow_agent_takes_three_seconds_twice(talk: ServiceTalk) -> None:
    """
    A slow agent has its first event after 3 s, and its reply after 6 s.
    """
    connection = talk.connect()

    assert types(talk.say(connection, agent="slow"), connection) == ["agent_started"]
    assert types(talk.wait(2), connection) == []
    assert types(talk.wait(1), connection) == STARTED[1:]
    assert types(talk.wait(3), connection) == ["agent_completed"]


@pytest.mark.parametrize(("agent_timeout_s", "told"), [(3, ["agent_timeout"]), (4, STARTED[1:])])
def test_timeout_wins_over_an_event_of_its_second(
    begin: Begin[ServiceTalk], agent_timeout_s: int, told: list[str]
) -> None:
    """
    An event at the second at which the agent is due comes too late.
    """
    talk = begin(agent_timeout_s=agent_timeout_s)
    connection = talk.connect()
    talk.say(connection, agent="slow")

    assert types(talk.wait(3), connection) == told


def test_agent_that_is_unavailable_twice_answers_at_its_third_try(talk: ServiceTalk) -> None:
    """
    It is tried again after 1 s and after 2 s more; the turn and agent_started are not repeated.
    """
    connection = talk.connect()

    assert types(talk.say(connection, "one", "unavailable twice"), connection) == STARTED[:1]
    assert types(talk.wait(2), connection) == []
    assert types(talk.wait(1), connection) == [*STARTED[1:], "agent_completed"]
    assert talk.texts() == [("user", "one"), ("agent", "You said: one")]
    assert talk.count("retries") == 2


@pytest.mark.parametrize(
    ("waited_s", "retries"), [(0, 1), (1, 2), (2, 2), (3, 3), (7, 4), (15, 5), (30, 5), (31, 5)]
)
def test_retries_at_1_3_7_15_and_31_seconds(talk: ServiceTalk, waited_s: int, retries: int) -> None:
    """
    A message rests for 1, 2, 4, 8 and 16 s before its retries.
    """
    talk.say(talk.connect(), agent="unavailable")
    talk.wait(waited_s)

    assert talk.count("retries") == retries


def test_message_that_failed_after_every_retry_is_a_dead_letter(talk: ServiceTalk) -> None:
    """
    At 31 s the message is a dead letter, and the asker is told.
    """
    connection = talk.connect()
    talk.say(connection, agent="unavailable")
    talk.wait(30)
    before = talk.held("dead_letters")
    told = talk.wait(1)

    assert before == 0
    assert talk.held("dead_letters") == 1
    assert types(told, connection) == ["agent_failed"]
    assert talk.held("requests") == {}


def test_retry_holds_back_its_thread_alone(talk: ServiceTalk) -> None:
    """
    While a message rests the next of its thread waits, and another thread's is handled.
    """
    connection = talk.connect()
    talk.say(connection, agent="unavailable twice")

    assert types(talk.say(connection), connection) == []
    assert len(types(talk.say(connection, thread="u"), connection, "u")) == 5
    assert len(types(talk.wait(3), connection)) == 9


def test_accepts_under_the_ids_of_a_session_that_it_begins(talk: ServiceTalk) -> None:
    """
    The value of a frame has the ids of a session that is new by it.
    """
    connection = talk.connect()

    assert value(talk.say(connection)) is None
    assert value(talk.say(connection, thread="u")) == {"thread": "u", "run": Handle("r", 3)}
    assert value(talk.do.say(connection, "u", "run", None, "text", "well")) == {
        "thread": "u",
        "run": "run",
    }


def test_frame_of_an_ended_connection_is_ignored(talk: ServiceTalk) -> None:
    """
    Nothing comes of what a connection sends after its end.
    """
    connection = talk.connect()
    talk.do.disconnect(connection, 1006)

    assert talk.say(connection) == Ok(None)
    assert talk.count("messages") == 0


def test_agent_is_shown_the_latest_twenty_turns(talk: ServiceTalk) -> None:
    """
    Of 22 turns it sees 20, and of these it tells the user's latest.
    """
    connection = talk.connect()
    talk.say_often(connection, 11)
    said = events(talk.say(connection, "last"), connection)

    assert said[1]["turns"] == 20
    assert said[4]["response"] == "You said: last Before that: text 10"


def test_each_message_id_has_the_position_of_its_own_turn(talk: ServiceTalk) -> None:
    """
    The second message's id is answered with the second message's position.
    """
    connection = talk.connect()
    talk.say(connection, message="one")
    talk.say(connection, message="two")

    assert events(talk.say(connection, message="two"), connection)[0]["position"] == 3


def test_session_that_had_a_message_outlives_its_manager(talk: ServiceTalk) -> None:
    """
    A clean close ends the manager, and not the session.
    """
    connection = talk.connect()
    talk.say(connection)
    talk.do.disconnect(connection, 1000)

    assert list(talk.held("sessions")) == [("ana", "t")]


def test_agent_is_told_what_a_message_refers_to(talk: ServiceTalk) -> None:
    """
    Each reference, in order; also after a crash, when it is asked again.
    """
    connection = talk.connect()
    said = talk.do.refer(connection, None, ("a", "b"), "hello", "well")
    talk.do.refer(connection, None, ("c",), "and then?", "slow")
    talk.do.crash()
    again = talk.connect()

    assert events(said, connection)[1]["references"] == ["a", "b"]
    assert events(talk.wait(3), again)[0]["references"] == ["c"]


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"agent_timeout_s": 7, "session_ttl_s": 7}, [*STARTED[1:], "agent_completed"]),
        ({"agent_timeout_s": 6, "session_ttl_s": 7}, ["agent_timeout"]),
        ({"agent_timeout_s": 7, "session_ttl_s": 6}, []),
    ],
)
def test_answer_at_the_very_second_is_too_late(
    begin: Begin[ServiceTalk], limits: dict[str, int], told: list[str]
) -> None:
    """
    One that comes as the time of its agent is over, or its session expires, though before both hear
    of it: what is due is gone.
    """
    talk = begin(**limits)
    connection = talk.connect()
    talk.say(connection, agent="punctual")

    assert types(talk.wait(6), connection) == told


def test_run_of_an_agent_is_closed_when_it_is_over(talk: ServiceTalk) -> None:
    """
    After its answer, or once it is stopped, nothing of it goes on.
    """
    connection = talk.connect()
    talk.say(connection, "one")
    assert talk.held("agents") == 0
    talk.say(connection, "two", "never ends")
    assert talk.held("agents") == 1
    talk.do.stop_agent(connection, None)
    assert talk.held("agents") == 0


def test_a_client_who_hangs_up_is_told_nothing_more(talk: ServiceTalk) -> None:
    """
    His message is answered all the same; nobody waits for that any more.
    """
    posted = talk.do.post_stream("ana", "t", None, None, "hello there", "slow")
    assert talk.held("responses") == 1
    exchange = value(posted)["exchange"]

    talk.do.hang_up(exchange)
    waited = talk.do.wait(6)

    assert talk.held("responses") == 0
    assert isinstance(waited, Ok)
    assert not waited.told
    turns = value(talk.do.thread_messages("ana", "t", None))["turns"]
    assert [turn["text"] for turn in turns] == ["hello there", "You said: hello there"]
