"""The message queue: order, retries, dead letters, limit, removal."""

from __future__ import annotations

import pytest

from sessions.context import UserExecutionContext
from sessions.errors import QueueFullError
from sessions.event import Json
from sessions.messages.message import Message, Priority, Queued
from sessions.queue import MessageQueue, QueueCounts
from sessions.settings import Settings
from tests.sessions_clock import ManualClock


def make_queue(settings: Settings | None = None) -> tuple[MessageQueue, ManualClock]:
    clock = ManualClock()
    return MessageQueue(clock, settings or Settings()), clock


def message(
    payload: Json, thread_id: str = "t", priority: Priority = Priority.NORMAL, user_id: str = "ana"
) -> Message:
    context = UserExecutionContext(user_id, thread_id, "r", "q")
    return Message(context, "chat", {"n": payload}, session_number=1, priority=priority)


def taken(queue: MessageQueue) -> Queued:
    """Return the next message, of which there must be one."""
    queued = queue.take()
    assert queued is not None
    return queued


def handled(queue: MessageQueue) -> list[Json]:
    """Take all that can be taken now, each with success, and return the payloads."""
    payloads = []
    while queued := queue.take():
        payloads.append(queued.message.payload["n"])
        queue.succeeded(queued)
    return payloads


def test_message_keeps_its_ids() -> None:
    """User, thread and run come out as they went in."""
    queue, _ = make_queue()
    context = UserExecutionContext("ana", "t:1", "r2", "q")
    queue.put(Message(context, "chat", {"text": "hi"}, session_number=1))

    assert taken(queue).message.context == context


def test_message_does_not_follow_its_senders_changes() -> None:
    """A payload that its sender changes later stays in the queue as it was put."""
    queue, _ = make_queue()
    payload: dict[str, Json] = {"text": "hi"}
    queue.put(message(payload))
    payload["text"] = "changed"

    assert taken(queue).message.payload == {"n": {"text": "hi"}}


def test_thread_keeps_its_order_against_priority() -> None:
    """A critical message waits for an earlier one of low priority on its own thread."""
    queue, _ = make_queue()
    queue.put(message(1, priority=Priority.LOW))
    queue.put(message(2, priority=Priority.CRITICAL))

    assert handled(queue) == [1, 2]


def test_priority_goes_before_arrival_between_threads() -> None:
    """Critical, high, normal, low: whatever came first."""
    queue, _ = make_queue()
    queue.put(message("low", "a", Priority.LOW))
    queue.put(message("normal", "b", Priority.NORMAL))
    queue.put(message("high", "c", Priority.HIGH))
    queue.put(message("critical", "d", Priority.CRITICAL))

    assert handled(queue) == ["critical", "high", "normal", "low"]


def test_arrival_decides_between_threads_of_one_priority() -> None:
    """Of two threads with normal messages, the earlier message goes first."""
    queue, _ = make_queue()
    queue.put(message(1, "a"))
    queue.put(message(2, "b"))
    queue.put(message(3, "a"))

    assert handled(queue) == [1, 2, 3]


def test_full_queue_refuses_and_keeps_what_it_has() -> None:
    """A message more than queue_max is refused under the contract's reason."""
    queue, _ = make_queue(Settings(queue_max=2))
    queue.put(message(1))
    queue.put(message(2))

    with pytest.raises(QueueFullError) as refused:
        queue.put(message(3))
    assert refused.value.reason == "queue full"
    assert handled(queue) == [1, 2]


def test_message_being_handled_takes_room() -> None:
    """There is room again when a message was handled, not when it was taken."""
    queue, _ = make_queue(Settings(queue_max=1))
    queue.put(message(1))
    queued = taken(queue)
    with pytest.raises(QueueFullError):
        queue.put(message(2))
    queue.succeeded(queued)
    queue.put(message(3))

    assert handled(queue) == [3]


def test_removal_of_a_thread_leaves_the_users_others() -> None:
    """All of a thread's messages go, and none of another thread or user."""
    queue, _ = make_queue()
    queue.put(message(1, "t"))
    queue.put(message(2, "t"))
    queue.put(message(3, "u"))
    queue.put(message(4, "t", user_id="ben"))

    assert queue.remove_thread("ana", "t") == 2
    assert handled(queue) == [3, 4]


def test_message_removed_while_it_was_handled_is_not_retried() -> None:
    """Its failure changes nothing for a later message of the same thread."""
    queue, _ = make_queue()
    queue.put(message(1))
    queued = taken(queue)
    queue.remove_thread("ana", "t")
    queue.put(message(2))
    queue.failed(queued)

    assert queue.counts() == QueueCounts()
    assert handled(queue) == [2]


def test_users_are_served_in_turn() -> None:
    """Who has many messages gets one handled for each of another's, however late those come."""
    queue, _ = make_queue()
    for number in range(4):
        queue.put(message(f"ana {number}", f"t{number}"))
    assert taken(queue).message.payload["n"] == "ana 0"
    for number in range(2):
        queue.put(message(f"ben {number}", f"t{number}", Priority.LOW, user_id="ben"))

    assert handled(queue) == ["ana 1", "ben 0", "ana 2", "ben 1", "ana 3"]


def test_users_who_are_busy_are_passed_over_and_keep_their_turn() -> None:
    queue, _ = make_queue()
    for user in ("ana", "ben", "cem"):
        queue.put(message(user, user_id=user))

    assert taken_but(queue, "ana") == "ben"
    assert handled(queue) == ["ana", "cem"]


def test_user_has_a_limit_of_his_own() -> None:
    """What is over takes no room of it."""
    over: list[Message] = []
    clock = ManualClock()
    queue = MessageQueue(clock, Settings(queue_max_per_user=2), over.__contains__)
    first = message("one")
    queue.put(first)
    queue.put(message("two", "u"))
    with pytest.raises(QueueFullError, match="a user may have 2"):
        queue.put(message("three"))
    queue.put(message("other", user_id="ben"))
    over += [each for each in queue.messages() if each.payload["n"] == "one"]
    queue.put(message("three"))

    assert [each.payload["n"] for each in queue.messages()] == ["two", "three", "other"]


def taken_but(queue: MessageQueue, busy: str) -> Json:
    """Return the payload of the next message of anybody but one user."""
    queued = queue.take(busy.__eq__)
    assert queued is not None
    return queued.message.payload["n"]
