"""The conversation store's contract, on each store by its policy."""

from __future__ import annotations

import pytest
from threadline import Ok, Refused

from tests.conformance.talks import StoreTalk, value

TALK = StoreTalk


@pytest.mark.parametrize("thread", ["t", "t1", "b:t", " t", "", "T"])
def test_turns_come_back_in_order(talk: StoreTalk, thread: str) -> None:
    """
    What was appended is read as it was given, under any thread.
    """
    handle = talk.open("ana", thread, "one", " Two", "", "one")

    assert talk.do.history(handle, None) == Ok(["one", " Two", "", "one"])


@pytest.mark.parametrize(
    ("limit", "texts"),
    [(0, []), (1, ["three"]), (2, ["two", "three"]), (100, ["one", "two", "three"])],
)
def test_limit_keeps_the_latest(talk: StoreTalk, limit: int, texts: list[str]) -> None:
    """
    With a limit the latest turns are read, in order.
    """
    handle = talk.open("ana", "t", "one", "two", "three")

    assert talk.do.history(handle, limit) == Ok(texts)


@pytest.mark.parametrize(
    "other", [("ben", "t"), ("ana", "t1"), ("ana", "T"), ("ana", " t"), ("an", "at")]
)
def test_conversations_never_meet(talk: StoreTalk, other: tuple[str, str]) -> None:
    """
    What one pair of user and thread has, no other pair reads, pops or clears.
    """
    mine, theirs = talk.open("ana", "t", "one"), talk.open(*other)
    talk.do.clear(theirs)

    assert talk.do.history(theirs, None) == Ok([])
    assert talk.do.pop(theirs) == Ok(None)
    assert talk.do.history(mine, None) == Ok(["one"])


def test_joined_ids_never_meet(talk: StoreTalk) -> None:
    """
    Two pairs that a separator would join to one are two.
    """
    talk.open("ana", "b:t", "one")

    assert talk.do.history(talk.open("ana:b", "t"), None) == Ok([])


def test_pop_takes_the_latest(talk: StoreTalk) -> None:
    """
    The latest turn is removed and returned, and None where there is none.
    """
    handle = talk.open("ana", "t", "one", "two")

    assert [value(talk.do.pop(handle)) for _ in range(3)] == ["two", "one", None]


def test_clear_takes_all(talk: StoreTalk) -> None:
    """
    No turn is left; whether the conversation is, the store's policy says.
    """
    handle = talk.open("ana", "t", "one", "two")
    talk.do.clear(handle)

    assert talk.do.history(handle, None) == Ok([])
    assert len(talk.held("conversations")) == (not talk.model.policy.clear_deletes)
    talk.do.append(handle, "three")
    assert talk.do.history(handle, None) == Ok(["three"])


def test_two_handles_share_a_conversation_where_the_policy_says_so(talk: StoreTalk) -> None:
    """
    What is appended through one handle is read through another, if the store is shared.
    """
    talk.open("ana", "t", "one")

    texts = ["one"] if talk.model.policy.shared else []
    assert talk.do.history(talk.open("ana", "t"), None) == Ok(texts)


def test_turns_outlive_a_reopening_where_the_policy_says_so(talk: StoreTalk) -> None:
    """
    After the store was closed a durable one has the turns, in their order.
    """
    talk.open("ana", "t", "one", "two", "one")
    talk.do.reopen()

    again = talk.open("ana", "t")
    texts = ["one", "two", "one"] if talk.model.policy.durable else []
    assert talk.do.history(again, None) == Ok(texts)
    assert talk.do.pop(again) == Ok(texts[-1] if texts else None)


@pytest.mark.needs("threads")
def test_threads_are_a_users_own(talk: StoreTalk) -> None:
    """
    A user's threads are listed, sorted: those that have had a turn.
    """
    for user, thread in [("ana", "t1"), ("ana", "t"), ("ana:b", "t"), ("Ana", "u"), ("ben", "t")]:
        talk.open(user, thread, "one")
    talk.open("ana", "never written")

    assert talk.do.threads("ana") == Ok(["t", "t1"])


@pytest.mark.needs("delete")
def test_delete_removes_one_conversation(talk: StoreTalk) -> None:
    """
    Neither a thread of a longer name nor another user's goes; a second delete is refused.
    """
    handle = talk.open("ana", "t", "one")
    for user, thread in [("ana", "t1"), ("ben", "t")]:
        talk.open(user, thread, "one")

    assert talk.do.delete("ana", "t") == Ok(None)
    assert talk.do.delete("ana", "t") == Refused("unknown thread")
    assert talk.do.history(handle, None) == Ok([])
    assert list(talk.held("conversations")) == [("ana", "t1"), ("ben", "t")]
