"""The driver of the chat service: what it tells of what the service does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from threadline import Ok, Outcome, Refused
from threadline.lockstep.outcomes import actual_of

from drivers.service import ServiceDriver
from drivers.service_shared import Reached
from drivers.sessions_socket import Socket
from models.chat_service import ChatServiceModel
from sessions import UserExecutionContext

Chat: Any = ChatServiceModel  # as the lockstep calls it: real things in the place of handles


@pytest.fixture
def driver() -> Iterator[ServiceDriver]:
    with closing(ServiceDriver(queue_max=1)) as made:
        yield made


def value_of(outcome: Outcome) -> Any:
    assert isinstance(outcome, Ok)
    return outcome.value


def sent_in(outcome: Outcome) -> Any:
    assert isinstance(outcome, Ok)
    return outcome.told


def connected(driver: ServiceDriver, user: str = "ana", thread: str = "t") -> Socket:
    socket: Socket = value_of(actual_of(driver, Chat.connect(user, thread, None, "well")))["socket"]
    return socket


def test_events_are_grouped_by_thread(driver: ServiceDriver) -> None:
    """
    What arrives at one socket is told by the thread that it is of.
    """
    socket = connected(driver)

    sent = sent_in(actual_of(driver, Chat.say(socket, "u", None, "m", "hello", "raises early")))

    assert [event["type"] for event in sent[socket, "u"]] == ["agent_started", "error"]
    assert "message" not in sent[socket, "u"][1]


def test_frame_tells_the_ids_that_it_made(driver: ServiceDriver) -> None:
    """
    The value is the thread and the run of a session that a frame began, and else None.
    """
    socket = connected(driver)

    begun = value_of(actual_of(driver, Chat.ping_thread(socket, "u")))
    assert begun is None
    begun = value_of(actual_of(driver, Chat.history(socket, "u", None)))
    assert begun["thread"] == "u"
    assert value_of(actual_of(driver, Chat.history(socket, "u", None))) is None


def test_answer_of_a_post_comes_when_it_comes(driver: ServiceDriver) -> None:
    """
    A slow agent's reply arrives at its exchange in a later step; a refused post's at once.
    """
    slow = value_of(actual_of(driver, Chat.post("ana", "t", None, None, "hello", "slow")))[
        "exchange"
    ]
    refused = actual_of(driver, Chat.post("ana", "t", None, None, "more", "well"))

    assert sent_in(refused)[value_of(refused)["exchange"], None] == [
        {"type": "response", "status": 503, "code": "queue_full", "thread_id": None}
    ]
    answered = sent_in(actual_of(driver, Chat.wait(6)))
    assert [event["status"] for event in answered[slow, "t"]] == [200]


def test_restart_keeps_what_was_stored(driver: ServiceDriver) -> None:
    """
    After a stop and a start the thread is there, and its socket is not.
    """
    socket = connected(driver)
    actual_of(driver, Chat.say(socket, None, None, None, "hello", "well"))
    actual_of(driver, Chat.restart())

    census: Any = driver.census()
    assert list(census["sessions"]) == [("ana", "t")]
    assert census["closed"] == {socket: 1001}


def test_crash_tells_nobody(driver: ServiceDriver) -> None:
    """
    After a crash an agent at work sends nothing more, and no socket was closed.
    """
    socket = connected(driver)
    actual_of(driver, Chat.say(socket, None, None, None, "hello", "slow"))
    actual_of(driver, Chat.crash())

    census: Any = driver.census()
    assert actual_of(driver, Chat.wait(10)) == Ok(None)
    assert census["closed"] == {}
    assert census["requests"] == {}


def test_failed_storage_is_told(driver: ServiceDriver) -> None:
    """
    While storage fails a delete is refused; afterwards the turns that it should remove are there.
    """
    socket = connected(driver)
    actual_of(driver, Chat.say(socket, None, None, None, "hello", "well"))
    actual_of(driver, Chat.storage_fails())
    assert actual_of(driver, Chat.delete_thread("ana", "t")) == Refused("storage_error")
    actual_of(driver, Chat.storage_recovers())

    assert value_of(actual_of(driver, Chat.delete_thread("ana", "t"))) == {
        "thread_id": "t",
        "deleted": True,
    }


def test_failed_commit_is_not_made_up_for(driver: ServiceDriver) -> None:
    """
    After a commit that failed a second one is refused, until the session has rolled back.
    """
    context = value_of(actual_of(driver, Chat.get("ana", "t", None)))["context"]
    session = value_of(actual_of(driver, Chat.open_database_session(context, "block")))["session"]
    actual_of(driver, Chat.write_database(session))
    actual_of(driver, Chat.storage_fails())
    assert actual_of(driver, Chat.commit_database(session)) == Refused("storage_error")
    actual_of(driver, Chat.storage_recovers())

    assert actual_of(driver, Chat.commit_database(session)) == Refused("storage_error")
    assert actual_of(driver, Chat.roll_back_database(session)) == Ok(None)
    assert actual_of(driver, Chat.raise_in_database(session)) == Ok(None)
    assert actual_of(driver, Chat.commit_database(session)) == Refused("closed")


def test_run_leaves_no_file() -> None:
    """
    The disk of a run is gone with its driver.
    """
    driver = ServiceDriver()
    path: Path = driver._disk.path
    driver.close()

    assert not path.exists()


def test_shared_object_is_seen() -> None:
    """
    A dict that two users' contexts lead to counts; one that two contexts of one user do, does not.
    """
    reached = Reached()
    shared: dict[str, object] = {}
    for user in ("ana", "ana", "ben"):
        context = UserExecutionContext(user, "t", "r", "q")
        object.__setattr__(context, "additional_context", shared)
        reached.see(context)

    assert reached.shared() == 1
