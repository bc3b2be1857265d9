"""What the model refuses of frames and posts, and what it answers, by the contract's Messages."""

from __future__ import annotations

import json

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok, Refused

from models.chat_service.malformed_frames import MALFORMED_FRAMES
from models.chat_service.payload import Frame
from tests.conformance.talks import Begin, ServiceTalk, events, types, value

TALK = ServiceTalk

LONG = "a" * 32_768


@pytest.mark.parametrize("flaw", MALFORMED_FRAMES)
def test_tells_the_code_of_a_flaw(talk: ServiceTalk, flaw: str) -> None:
    """
    A flawed frame is answered on the connection's own context, and nothing else happens.
    """
    connection = talk.connect()
    told = talk.do.malformed(connection, flaw)

    assert events(told, connection) == [
        {
            "type": "error",
            "code": MALFORMED_FRAMES[flaw].code,
            "thread_id": "t",
            "run_id": Handle("r", 1),
            "event_id": Handle("e", 2),
            "message_id": None,
        }
    ]
    assert talk.count("messages") == 0


def test_measures_frames_in_bytes(begin: Begin[ServiceTalk]) -> None:
    """
    One byte more than allowed is too large, before anything else is looked at.
    """
    talk = begin(message_bytes_max=1)
    connection = talk.connect()

    assert MALFORMED_FRAMES["too large"].size_bytes == 262_145
    assert types(talk.do.malformed(connection, "no JSON"), connection) == ["bad_json"]
    assert types(talk.do.malformed(connection, "a JSON list"), connection) == ["too_large"]


def test_flaws_of_form_are_what_they_say() -> None:
    """
    What is called no JSON is none, and what has a flaw further in is an object.
    """
    further = [
        flaw.frame
        for flaw in MALFORMED_FRAMES.values()
        if flaw.code not in ("bad_json", "too_large")
    ]

    assert {type(json.loads(frame)) for frame in further} == {dict}
    with pytest.raises(json.JSONDecodeError):
        json.loads(MALFORMED_FRAMES["no JSON"].frame)
    with pytest.raises(UnicodeDecodeError):
        json.loads(MALFORMED_FRAMES["no UTF-8"].frame)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame("user_message", {"text": LONG}), ""),
        (Frame("user_message", {"text": LONG + "a"}), "bad_payload"),
        (Frame("user_message", {"text": ""}, thread="none"), "bad_payload"),
        (Frame("user_message", {"text": "a\ud800"}), "bad_payload"),
        (Frame("user_message", {"text": "a\n"}), ""),
        (Frame("user_message", {"text": "a"}, thread="none"), "bad_id"),
        (Frame("user_message", {"text": "a"}, thread=""), ""),
        (Frame("user_message", {"text": "a"}, message="a" * 257), "bad_id"),
        (Frame("ping", thread="null"), "bad_id"),
        (Frame("get_thread_history", {"limit": None}), ""),
        (Frame("get_thread_history", {"limit": 500}), ""),
        (Frame("get_thread_history", {"limit": 501}), "bad_payload"),
        (Frame("get_thread_history", {"limit": True}), "bad_payload"),
        (Frame("get_quality_metrics", {"period_hours": 720}), ""),
        (Frame("get_quality_metrics", {"period_hours": 0}), "bad_payload"),
        (Frame("subscribe_quality_alerts", {"action": None}), "bad_payload"),
    ],
)
def test_finds_what_is_wrong_first(frame: Frame, code: str) -> None:
    """
    The payload is looked at before the ids, each at its limits.
    """
    assert frame.flaw() == code


def test_refused_frame_lets_the_manager_live(begin: Begin[ServiceTalk]) -> None:
    """
    Any frame counts for the manager of its connection.
    """
    talk = begin(connection_timeout_s=10)
    connection = talk.connect()
    talk.wait(9)
    talk.do.malformed(connection, "no JSON")
    talk.wait(9)

    assert talk.held("managers") == {("ana", "t"): 0}


def test_pong_tells_the_run_of_the_addressed_thread(begin: Begin[ServiceTalk]) -> None:
    """
    A ping extends a live session, and makes none.
    """
    talk = begin(session_ttl_s=10)
    connection = talk.connect()
    talk.wait(9)
    pong = talk.do.ping_thread(connection, None)
    elsewhere = talk.do.ping_thread(connection, "u")
    talk.wait(9)

    assert events(pong, connection)[0]["run_id"] == Handle("r", 1)
    assert events(elsewhere, connection, "u")[0]["run_id"] is None
    assert list(talk.held("sessions")) == [("ana", "t")]


def test_history_has_the_latest_turns_oldest_first(talk: ServiceTalk) -> None:
    """
    The limit cuts off the oldest, and the answer goes to the asker only.
    """
    one, two = talk.connect(), talk.connect()
    talk.say(one, "one", message="m")
    talk.wait(5)
    told = talk.do.history(one, None, 1)

    assert events(told, one)[0]["turns"] == [
        {
            "position": 2,
            "role": "agent",
            "text": "You said: one",
            "message_id": "m",
            "run_id": Handle("r", 1),
            "at_s": 0.0,
        }
    ]
    assert events(told, two) == []


def test_posts_and_gets_the_reply(talk: ServiceTalk) -> None:
    """
    A post begins a thread of its own, and is answered once, with the reply.
    """
    posted = talk.do.post("ana", None, None, "m", "hello there", "well")
    thread, run = Handle("t", 1), Handle("r", 1)

    assert value(posted) == {"exchange": Handle("h", 1), "thread": thread, "run": run}
    assert events(posted, Handle("h", 1), thread) == [
        {
            "type": "response",
            "status": 200,
            "thread_id": thread,
            "run_id": run,
            "message_id": "m",
            "position": 2,
            "response": "You said: hello there",
        }
    ]


def test_posts_twice_and_is_handled_once(talk: ServiceTalk) -> None:
    """
    The second post of a message id gets the position of the first, and its answer.
    """
    talk.do.post("ana", "t", None, "m", "hello there", "well")
    again = talk.do.post("ana", "t", None, "m", "hello there", "well")

    assert events(again, Handle("h", 2)) == [
        {
            "type": "response",
            "status": 200,
            "thread_id": "t",
            "run_id": Handle("r", 1),
            "message_id": "m",
            "position": 1,
            "answer_position": 2,
            "response": "You said: hello there",
            "already_handled": True,
        }
    ]


def test_streams_every_event_and_an_end(talk: ServiceTalk) -> None:
    """
    A stream has the five events of its request, as the thread's tabs have them.
    """
    tab = talk.connect()
    streamed = talk.do.post_stream("ana", "t", None, None, "hello there", "well")
    exchange = Handle("h", 2)

    assert len(events(streamed, exchange)) == 5
    assert events(streamed, exchange) == events(streamed, tab)
    assert types(streamed, exchange, None) == ["end"]


@pytest.mark.parametrize(
    ("agent", "status", "code"),
    [("refuses", 502, "agent_failed"), ("never ends", 504, "agent_timeout")],
)
def test_posts_and_gets_the_status_of_an_error(
    begin: Begin[ServiceTalk], agent: str, status: int, code: str
) -> None:
    """
    What goes wrong with the agent is a status, with the thread.
    """
    talk = begin(agent_timeout_s=0.5)
    posted = talk.post(agent=agent)
    later = talk.wait(1)

    assert [*events(posted, Handle("h", 1)), *events(later, Handle("h", 1))] == [
        {"type": "response", "status": status, "code": code, "thread_id": "t"}
    ]


@pytest.mark.parametrize(
    ("thread", "text", "status", "code"),
    [
        ("none", "text", 422, "bad_id"),
        ("t", "", 422, "bad_payload"),
        ("u", "text", 429, "session_limit"),
    ],
)
def test_refused_post_has_a_status(
    begin: Begin[ServiceTalk], thread: str, text: str, status: int, code: str
) -> None:
    """
    Stream or not, what is refused before it is queued is one response, of no thread.
    """
    talk = begin(max_sessions_per_user=1)
    talk.connect()
    posted = talk.do.post_stream("ana", thread, None, None, text, "well")

    assert events(posted, Handle("h", 2), None) == [
        {"type": "response", "status": status, "code": code, "thread_id": None}
    ]


def test_stopped_post_is_a_conflict(talk: ServiceTalk) -> None:
    """
    Whoever waits for a reply that was stopped gets 409.
    """
    connection = talk.connect()
    talk.post(agent="slow")
    stopped = talk.do.stop_agent(connection, None)

    assert events(stopped, Handle("h", 2))[0]["status"] == 409
    assert types(stopped, connection) == ["agent_stopped"]


@pytest.mark.parametrize(("limit", "code"), [(0, "bad_payload"), (501, "bad_payload")])
def test_thread_messages_refuse_a_limit(talk: ServiceTalk, limit: int, code: str) -> None:
    """
    A limit is 1 to 500; a thread that is not there has no turns.
    """
    assert talk.do.thread_messages("ana", "t", limit) == Refused(code)
    assert talk.do.thread_messages("ana", "t", 500) == Ok({"thread_id": "t", "turns": []})
    assert talk.do.thread_messages("ana", "none", 1) == Refused("bad_id")


def test_post_to_a_full_queue_is_unavailable(begin: Begin[ServiceTalk]) -> None:
    """
    The one that fills it is answered when it comes to that.
    """
    talk = begin(queue_max=1)
    talk.post(agent="slow")
    refused = talk.post()

    assert [event["status"] for event in events(refused, Handle("h", 2), None)] == [503]
    assert [event["status"] for event in events(talk.wait(6), Handle("h", 1))] == [200]


@pytest.mark.parametrize("user", [" ", "none", "a\ud800"])
def test_requests_of_a_bad_user_are_refused(begin: Begin[ServiceTalk], user: str) -> None:
    """
    Whatever is asked for: a list of threads too, and a full queue is told to nobody unknown.
    """
    talk = begin(queue_max=1)
    talk.post(agent="slow")
    refused = talk.post(user=user)

    assert events(refused, Handle("h", 2), None)[0]["code"] == "bad_id"
    assert talk.do.threads(user) == Refused("bad_id")
    assert talk.do.thread_messages(user, "t", None) == Refused("bad_id")
    assert talk.do.delete_thread(user, "t") == Refused("bad_id")
