"""The model's lines, and what ends them, by the contract's Queue."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok

from tests.conformance.talks import Begin, ServiceTalk, events, types

TALK = ServiceTalk

COMPLETED = [
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
]


def test_handles_one_message_of_a_thread_at_a_time(talk: ServiceTalk) -> None:
    """
    The second message waits for the first, and then follows at once.
    """
    connection = talk.connect()
    talk.say(connection, agent="slow")

    assert types(talk.say(connection), connection) == []
    assert talk.held("requests") == {("ana", "t"): 2}
    assert types(talk.wait(6), connection)[-6:] == ["agent_completed", *COMPLETED]
    assert talk.held("requests") == {}


def test_one_worker_takes_the_most_urgent_first(begin: Begin[ServiceTalk]) -> None:
    """
    A free worker takes a history before a message, and that before anything of quality.
    """
    talk = begin(queue_workers=1)
    connection = talk.connect()
    talk.say(connection, agent="slow", thread="busy")
    talk.do.validate(connection, "low", "content", None, None)
    talk.say(connection, thread="normal")
    talk.do.history(connection, "high", None)
    told = talk.wait(6)
    assert isinstance(told, Ok)
    first_ids = {
        thread: events(told, connection, thread)[0]["event_id"].kind
        for thread in ("high", "normal", "low")
    }

    # The busy thread had e to e4: three of the agent's events, and the reply.
    assert first_ids == {"high": "e5", "normal": "e6", "low": "e11"}


def test_two_workers_leave_the_third_thread_waiting(begin: Begin[ServiceTalk]) -> None:
    """
    As many threads are handled at once as there are workers.
    """
    talk = begin(queue_workers=2)
    connection = talk.connect()
    talk.say(connection, agent="slow", thread="one")
    talk.say(connection, agent="slow", thread="two")

    assert types(talk.say(connection, thread="three"), connection, "three") == []
    assert types(talk.wait(6), connection, "three") == COMPLETED


def test_full_queue_refuses_on_the_context_of_the_connection(begin: Begin[ServiceTalk]) -> None:
    """
    What waits, rests or is handled counts, and a refused message begins no session.
    """
    talk = begin(queue_max=1)
    connection = talk.connect()
    talk.say(connection, agent="slow")
    refused = talk.say(connection, thread="u", message="m")

    assert events(refused, connection) == [
        {
            "type": "error",
            "code": "queue_full",
            "thread_id": "t",
            "run_id": Handle("r", 1),
            "event_id": Handle("e", 3),
            "message_id": "m",
        }
    ]
    assert list(talk.held("sessions")) == [("ana", "t")]


def test_queue_of_one_user_can_be_full(begin: Begin[ServiceTalk]) -> None:
    """
    Who has as many messages as a user may have is refused one more, and nobody else is.
    """
    talk = begin(queue_max_per_user=1)
    connection, other = talk.connect(), talk.connect("ben")
    talk.say(connection, agent="slow")

    assert types(talk.say(connection, thread="u"), connection) == ["queue_full"]
    assert types(talk.say(other), other)[-1:] == ["agent_completed"]


def test_users_are_served_in_turn(begin: Begin[ServiceTalk]) -> None:
    """
    One who comes later waits for one message of another, not for all that it has.
    """
    talk = begin(queue_workers=1)
    connection, other = talk.connect(), talk.connect("ben")
    for thread in ("one", "two", "three"):
        talk.say(connection, f"text {thread}", "slow", thread=thread)
    talk.say(other)

    told = talk.wait(6)
    assert types(told, other) == []
    told = talk.wait(6)
    assert types(told, connection, "two")[-1:] == ["agent_completed"]
    assert types(told, other)[-1:] == ["agent_completed"]


def test_one_user_has_not_all_workers(begin: Begin[ServiceTalk]) -> None:
    """
    A worker is left to others, whatever a user's agents do.
    """
    talk = begin(queue_workers=2, queue_workers_per_user=1)
    connection, other = talk.connect(), talk.connect("ben")
    talk.say(connection, "one", "never ends", thread="one")
    talk.say(connection, "two", thread="two")

    assert types(talk.say(other), other)[-1:] == ["agent_completed"]


def test_session_limit_is_told(begin: Begin[ServiceTalk]) -> None:
    """
    A message for one thread more than a user may have is refused, and counted.
    """
    talk = begin(max_sessions_per_user=1)
    connection = talk.connect()

    assert types(talk.say(connection, thread="u"), connection) == ["session_limit"]
    assert talk.count("session_limit_refusals") == 1


def test_stopped_agent_leaves_the_turn_of_the_user(talk: ServiceTalk) -> None:
    """
    The agent of another tab's message stops, both tabs are told, and the next one follows.
    """
    one, two = talk.connect(), talk.connect()
    talk.say(one, "one", "slow")
    talk.say(one, "two")
    stopped = talk.do.stop_agent(two, None)

    assert types(stopped, one) == ["agent_stopped", *COMPLETED]
    assert types(stopped, two) == ["agent_stopped", *COMPLETED]
    assert talk.texts()[:2] == [("user", "one"), ("user", "two")]
    assert talk.count("messages") == 3


def test_stops_an_agent_that_rests(talk: ServiceTalk) -> None:
    """
    A message that rests for a retry is forgotten.
    """
    connection = talk.connect()
    talk.say(connection, agent="unavailable")

    assert types(talk.do.stop_agent(connection, None), connection) == ["agent_stopped"]
    assert talk.wait(31) == Ok(None)


@pytest.mark.parametrize("agent", ["well", "refuses"])
def test_nothing_to_stop_where_no_agent_is_at_work(talk: ServiceTalk, agent: str) -> None:
    """
    Stopping what has ended is refused, and no message.
    """
    connection = talk.connect()
    talk.say(connection, agent=agent)

    assert types(talk.do.stop_agent(connection, None), connection) == ["nothing_to_stop"]
    assert talk.count("messages") == 1


def test_nothing_to_stop_where_the_first_waits_for_a_worker(begin: Begin[ServiceTalk]) -> None:
    """
    A message that no worker has taken yet cannot be stopped.
    """
    talk = begin(queue_workers=1)
    connection = talk.connect()
    talk.say(connection, agent="slow")
    talk.say(connection, thread="u")

    assert types(talk.do.stop_agent(connection, "u"), connection) == ["nothing_to_stop"]


@pytest.mark.parametrize(("ttl_s", "told"), [(6, []), (7, ["agent_completed"])])
def test_expiry_cancels_at_its_very_second(
    begin: Begin[ServiceTalk], ttl_s: int, told: list[str]
) -> None:
    """
    A session that expires as its agent would answer ends first: no event, no turn.
    """
    talk = begin(session_ttl_s=ttl_s)
    connection = talk.connect()
    talk.say(connection, "one", "slow")
    talk.wait(5)

    assert types(talk.wait(1), connection) == told
    assert len(talk.texts()) == 1 + len(told)
    assert talk.held("requests") == {}


def test_expired_message_costs_no_turn(begin: Begin[ServiceTalk]) -> None:
    """
    What waits behind an agent as their session expires is gone, and its user is next as before.
    """
    talk = begin(queue_workers=1, session_ttl_s=6)
    connection, other = talk.connect(), talk.connect("ben")
    talk.say(connection, "one", "slow")
    talk.say(connection, "two")
    talk.wait(1)
    talk.say(connection, "three", "slow", thread="u")
    talk.say(other)
    told = talk.wait(5)

    assert types(told, connection, "u") == ["agent_started"]
    assert types(told, other) == []


def test_request_belongs_to_the_session_that_accepted_it(talk: ServiceTalk) -> None:
    """
    A thread that is asked for again after an invalidation has no old request.
    """
    connection = talk.connect()
    talk.say(connection, agent="slow")
    talk.do.invalidate("ana")
    again = talk.connect()

    assert talk.held("requests") == {}
    assert types(talk.wait(6), again) == []


def test_invalidation_ends_what_a_user_has(talk: ServiceTalk) -> None:
    """
    Requests, dead letters, managers and sessions of the user go, and another's stay.
    """
    connection, other = talk.connect("ana"), talk.connect("ben")
    talk.say(connection, agent="unavailable")
    talk.say(other, agent="unavailable")
    talk.wait(31)
    talk.say(connection, agent="slow")
    talk.say(other, agent="slow")
    ended = talk.do.invalidate("ana")

    assert ended == Ok(1)
    assert talk.held("dead_letters") == 1
    assert talk.held("requests") == {("ben", "t"): 1}
    assert talk.held("close_codes") == {connection: 4401}


def test_worker_of_a_cancelled_message_takes_another(begin: Begin[ServiceTalk]) -> None:
    """
    With one worker, an invalidation of one user lets another's message be handled.
    """
    talk = begin(queue_workers=1)
    connection, other = talk.connect("ana"), talk.connect("ben")
    talk.say(connection, agent="never ends")
    talk.say(other)

    assert types(talk.do.invalidate("ana"), other) == COMPLETED


def test_dead_letters_are_bounded(begin: Begin[ServiceTalk]) -> None:
    """
    The oldest dead letter makes room, and is counted.
    """
    talk = begin(dead_letters_max=1)
    connection = talk.connect()
    talk.say(connection, agent="unavailable")
    talk.say(connection, agent="unavailable", thread="u")
    talk.wait(31)

    assert talk.held("dead_letters") == 1
    assert talk.count("dead_lettered") == 2
    assert talk.count("dead_letters_dropped") == 1


def test_events_wait_for_a_reconnect(talk: ServiceTalk) -> None:
    """
    What an agent does while nobody is there is replayed.
    """
    connection = talk.connect()
    talk.say(connection, agent="slow")
    talk.do.disconnect(connection, 1006)
    talk.wait(6)
    again = talk.do.connect("ana", "t", None, "well")

    assert types(again, Handle("k", 5)) == ["connected", *COMPLETED[1:]]


def test_handled_message_makes_room(begin: Begin[ServiceTalk]) -> None:
    """
    There is room again when a message was handled, not when it was taken.
    """
    talk = begin(queue_max=1)
    connection = talk.connect()
    talk.say(connection, agent="slow")

    assert types(talk.say(connection), connection) == ["queue_full"]
    talk.wait(6)
    assert types(talk.say(connection), connection) == COMPLETED


def test_threads_of_two_users_with_one_id_are_two(talk: ServiceTalk) -> None:
    """
    A message of another user's thread of the same id does not wait.
    """
    ana, ben = talk.connect("ana"), talk.connect("ben")
    talk.say(ana, agent="slow")

    assert types(talk.say(ben), ben) == COMPLETED
