"""The model's quality rules, subscriptions and reports, by the contract's Messages."""

from __future__ import annotations

import pytest
from threadline.handle import Handle
from threadline.outcome import Ok

from tests.conformance.talks import Begin, ServiceTalk, events, types

TALK = ServiceTalk


@pytest.mark.parametrize(
    ("content", "content_type", "strict", "issues", "score", "is_valid"),
    [
        ("long enough", "text", False, [], 100, True),
        ("too short", "text", False, ["too_short"], 70, True),
        ("  too short  ", "text", False, ["too_short"], 70, True),
        ("ten chars!", "text", False, [], 100, True),
        ("x" * 39, "text", True, ["too_short"], 70, False),
        ("x" * 40, "text", True, [], 100, True),
        ("WHY DO YOU SHOUT", "text", False, ["shouting"], 70, True),
        ("WHY DO YOU SHOUt", "text", False, [], 100, True),
        ("1234567890", "text", False, [], 100, True),
        ("This is still ToDo", "markdown", False, ["placeholder"], 70, True),
        ("see LOREM Ipsum there", "text", False, ["placeholder"], 70, True),
        ("lorem, ipsum, dolor", "text", False, [], 100, True),
        ("short todo", "text", False, ["placeholder"], 70, True),
        ("todo", "text", False, ["too_short", "placeholder"], 40, False),
        ("TODO", "text", False, ["too_short", "shouting", "placeholder"], 10, False),
        ("TODO", "json", True, ["too_short", "shouting", "placeholder", "not_json"], 0, False),
        ('{"a": "long enough"}', "json", False, [], 100, True),
        ("not json, ever", "json", False, ["not_json"], 70, True),
        ("not json, ever", "markdown", False, [], 100, True),
        ("[" * 30_000, "json", False, ["not_json"], 70, True),
        ("9" * 5_000, "json", False, ["not_json"], 70, True),
    ],
)
def test_judges(
    talk: ServiceTalk,
    content: str,
    content_type: str,
    strict: bool,
    issues: list[str],
    score: int,
    is_valid: bool,
) -> None:
    """
    Each issue costs 30; strict allows none. No text breaks the parser.
    """
    connection = talk.connect()
    told = talk.do.validate(connection, None, content, content_type, strict)
    found = events(told, connection)[0]

    assert [found[name] for name in ("issues", "score", "valid")] == [issues, score, is_valid]


def test_answers_a_validation(talk: ServiceTalk) -> None:
    """
    What is not given is what it is by default.
    """
    connection = talk.connect()
    told = talk.do.validate(connection, None, "TODO", None, None)

    assert events(told, connection) == [
        {
            "type": "content_validation_result",
            "thread_id": "t",
            "run_id": Handle("r", 1),
            "event_id": Handle("e", 2),
            "message_id": None,
            "content_type": "text",
            "strict_mode": False,
            "valid": False,
            "score": 10,
            "issues": ["too_short", "shouting", "placeholder"],
        }
    ]


@pytest.mark.parametrize(
    ("agent_name", "answers", "average"), [(None, 2, 85), ("rule_based", 2, 85), ("x", 0, None)]
)
def test_measures_the_answers(
    talk: ServiceTalk, agent_name: str | None, answers: int, average: int | None
) -> None:
    """
    The answers of the thread's agent are scored: 100 for the first, 70 for the second.
    """
    connection = talk.connect()
    talk.say(connection, "one")
    talk.say(connection, "todo")
    told = events(talk.do.quality_metrics(connection, None, agent_name, None), connection)[0]

    assert told["answers"] == answers
    assert told["average_score"] == average
    assert told["agent_name"] == agent_name
    assert told["period_hours"] == 24


def test_average_is_rounded_down(talk: ServiceTalk) -> None:
    """
    Three answers of 100 and one of 70 are 92 on average.
    """
    connection = talk.connect()
    for text in ("one", "two", "three", "todo"):
        talk.say(connection, text)
    told = talk.do.quality_metrics(connection, None, None, None)

    assert events(told, connection)[0]["average_score"] == 92


@pytest.mark.parametrize(("waited_s", "answers"), [(3_599, 1), (3_600, 0)])
def test_measures_the_last_hours_only(
    begin: Begin[ServiceTalk], waited_s: int, answers: int
) -> None:
    """
    An answer of exactly an hour ago is not of the last hour.
    """
    talk = begin(connection_timeout_s=7_200)
    connection = talk.connect()
    talk.say(connection)
    talk.wait(waited_s)
    told = talk.do.quality_metrics(connection, None, None, 1)

    assert events(told, connection)[0]["answers"] == answers


def test_detailed_report_has_a_score_for_each_answer(talk: ServiceTalk) -> None:
    """
    A summary has none.
    """
    connection = talk.connect()
    talk.say(connection, "one")
    summary = events(talk.do.quality_report(connection, None, None, None), connection)[0]
    detailed = talk.do.quality_report(connection, None, "detailed", "week")
    told = events(detailed, connection)[0]

    assert "scores" not in summary
    assert summary["period"] == "day"
    assert told["scores"] == [{"position": 2, "score": 100}]
    assert told["report_type"] == "detailed"
    assert told["period"] == "week"


def test_broadcast_reaches_subscribed_threads(talk: ServiceTalk) -> None:
    """
    An alert goes to every connection of a subscribed thread, under the run of its subscription.
    """
    one, two, elsewhere = talk.connect(), talk.connect(), talk.connect(thread="u")
    subscribed = talk.do.subscribe(one, None, "subscribe")
    talk.do.get("ana", "t", "another run")
    sent = talk.do.broadcast("quality_alert", "text")

    assert types(subscribed, one) == ["quality_alerts_subscribed"]
    assert types(subscribed, two) == []
    assert events(sent, one) == events(sent, two)
    assert events(sent, one)[0]["run_id"] == Handle("r", 1)
    assert events(sent, one)[0]["text"] == "text"
    assert types(sent, elsewhere, "u") == []


def test_subscription_ends_with_its_manager(talk: ServiceTalk) -> None:
    """
    A new manager of the thread has none.
    """
    connection = talk.connect()
    talk.do.subscribe(connection, None, "subscribe")
    subscribed = talk.held("subscriptions")
    talk.do.disconnect(connection, 1000)
    talk.connect()

    assert subscribed == {("ana", "t")}
    assert talk.held("subscriptions") == set()
    assert talk.do.broadcast("quality_alert", "text") == Ok(None)


def test_subscription_outlives_its_connection(talk: ServiceTalk) -> None:
    """
    An update waits in the recovery queue of a manager that has no connection.
    """
    connection = talk.connect()
    talk.do.subscribe(connection, None, "subscribe")
    talk.do.disconnect(connection, 1006)
    talk.do.broadcast("quality_update", "text")

    assert talk.held("managers") == {("ana", "t"): 1}


@pytest.mark.parametrize(("thread", "action"), [("t", "unsubscribe"), ("u", "subscribe")])
def test_unsubscribed(talk: ServiceTalk, thread: str, action: str) -> None:
    """
    Whoever unsubscribes, or asks for a thread without a manager, has no subscription.
    """
    connection = talk.connect()
    told = talk.do.subscribe(connection, thread, action)

    assert types(told, connection, thread) == ["quality_alerts_unsubscribed"]
    assert talk.held("subscriptions") == set()


def test_report_is_of_its_period(begin: Begin[ServiceTalk]) -> None:
    """
    A day later the week still has both answers, each with its position and score.
    """
    talk = begin(connection_timeout_s=200_000, session_ttl_s=200_000)
    connection = talk.connect()
    talk.say(connection, "one")
    talk.say(connection, "todo")
    talk.wait(86_400)
    day, week = (
        events(talk.do.quality_report(connection, None, "detailed", period), connection)[0]
        for period in ("day", "week")
    )

    assert day["scores"] == []
    assert week["scores"] == [{"position": 2, "score": 100}, {"position": 4, "score": 70}]


def test_broadcast_comes_to_each_thread_on_its_own_ids(talk: ServiceTalk) -> None:
    """
    Two users with one thread id hear under their own runs, a later subscription's if there is one;
    who unsubscribed hears no more.
    """
    ana, ben, left = talk.connect("ana"), talk.connect("ben"), talk.connect(thread="u")
    for connection in (ana, ben, left):
        talk.do.subscribe(connection, None, "subscribe")
    talk.do.get("ana", "t", "later")
    talk.do.subscribe(ana, None, "subscribe")
    unsubscribed = talk.do.subscribe(left, None, "unsubscribe")
    sent = talk.do.broadcast("quality_update", "text")

    assert types(unsubscribed, left, "u") == ["quality_alerts_unsubscribed"]
    assert [event["run_id"] for event in events(sent, ana)] == ["later"]
    assert [event["run_id"] for event in events(sent, ben)] == [Handle("r", 2)]
    assert events(sent, left, "u") == []


def test_subscription_of_a_manager_that_is_due_is_not_heard(begin: Begin[ServiceTalk]) -> None:
    """
    What is due is gone, though nothing has swept it.
    """
    talk = begin(connection_timeout_s=10, sweep_interval_s=1_000)
    talk.do.subscribe(talk.connect(), None, "subscribe")
    talk.wait(10)

    assert talk.held("subscriptions") == set()
    assert talk.do.broadcast("quality_alert", "text") == Ok(None)
