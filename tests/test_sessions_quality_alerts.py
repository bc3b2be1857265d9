"""Quality alerts: who is subscribed, and what a broadcast brings to whom."""

from __future__ import annotations

import asyncio

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.quality.alert_handler import QualityAlertHandler
from sessions.quality.manager import QualityManager
from sessions.queue.message import Message
from tests.sessions_quality import Managers, Outbox, Sent, asked
from tests.sessions_stores import context

T = IsolationKey("ana", "t")
U = IsolationKey("ana", "u")
BENS = IsolationKey("ben", "t")


def alerts(action: str, context: UserExecutionContext) -> Message:
    return asked({"action": action}, "subscribe_quality_alerts", context)


def test_subscription_is_answered_on_the_context_of_its_message() -> None:
    """The answer goes to the asker, and the subscription keeps the message's very context."""
    outbox = Outbox()
    manager = QualityManager(Managers(T), outbox)
    message = alerts("subscribe", context())

    asyncio.run(QualityAlertHandler(manager, outbox).handle(message))

    assert outbox.answers == [Sent(message.context, "quality_alerts_subscribed", {}, "m1", "c1")]
    assert manager.subscriptions() == {T: message.context}


def test_later_subscription_of_a_thread_replaces_the_earlier() -> None:
    """One thread has one subscription, whose broadcasts come on the latest one's run."""
    outbox = Outbox()
    manager = QualityManager(Managers(T), outbox)

    manager.subscribe(context(run_id="r1"))
    manager.subscribe(context(run_id="r2"))
    manager.broadcast("quality_alert", {"text": "hear"})

    assert outbox.published == [
        Sent(context(run_id="r2"), "quality_alert", {"text": "hear"}, None, None)
    ]


def test_thread_without_a_manager_is_not_subscribed() -> None:
    """Nobody hears there, so the answer says so, and an older subscription is gone."""
    outbox, managers = Outbox(), Managers(T)
    manager = QualityManager(managers, outbox)
    manager.subscribe(context())
    managers.live.clear()

    asyncio.run(QualityAlertHandler(manager, outbox).handle(alerts("subscribe", context())))
    managers.live.add(T)

    assert [sent.kind for sent in outbox.answers] == ["quality_alerts_unsubscribed"]
    assert manager.subscriptions() == {}


def test_unsubscribed_thread_hears_no_more() -> None:
    """Only the thread that unsubscribed is left out of the next broadcast."""
    outbox = Outbox()
    manager = QualityManager(Managers(T, U), outbox)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    asyncio.run(QualityAlertHandler(manager, outbox).handle(alerts("unsubscribe", context())))
    manager.broadcast("quality_update", {})

    assert [sent.kind for sent in outbox.answers] == ["quality_alerts_unsubscribed"]
    assert [sent.context for sent in outbox.published] == [context(thread_id="u")]


def test_subscription_ends_with_its_manager() -> None:
    """A manager made anew under the same key has no subscription."""
    managers = Managers(T, U)
    manager = QualityManager(managers, Outbox())
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    manager.ended(T)

    assert manager.subscriptions() == {U: context(thread_id="u")}


def test_subscription_of_a_manager_that_is_due_is_not_heard() -> None:
    """What is due is gone, though nobody has said so yet."""
    outbox, managers = Outbox(), Managers(T, U)
    manager = QualityManager(managers, outbox)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    managers.live.remove(T)
    manager.broadcast("quality_alert", {})

    assert [sent.context for sent in outbox.published] == [context(thread_id="u")]


def test_broadcast_comes_to_each_thread_on_a_context_of_its_own() -> None:
    """Two users with one thread id, and one user's two threads, each hear under their own ids."""
    outbox = Outbox()
    manager = QualityManager(Managers(T, U, BENS), outbox)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u", run_id="r2"))
    manager.subscribe(context("ben", run_id="r3"))

    manager.broadcast("quality_alert", {"text": "hear"})

    assert [sent.context for sent in outbox.published] == [
        context(),
        context(thread_id="u", run_id="r2"),
        context("ben", run_id="r3"),
    ]
    assert [sent.asker for sent in outbox.published] == [None, None, None]


def test_broadcast_shares_nothing_between_threads() -> None:
    """A change of one thread's payload reaches neither the other's nor the sender's."""
    outbox = Outbox()
    payload: dict[str, Json] = {"list": [1]}
    manager = QualityManager(Managers(T, U), outbox)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    manager.broadcast("quality_update", payload)
    first, second = outbox.published
    assert isinstance(first.fields["list"], list)
    first.fields["list"].append(2)

    assert second.fields == {"list": [1]}
    assert payload == {"list": [1]}
