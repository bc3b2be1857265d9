"""The driver of the chat service: what it tells of what the service does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from threadline import Handle
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.trace import Header, Recorder

from drivers.service import ServiceDriver
from drivers.service_shared import Reached
from models.chat_service import ChatServiceModel
from models.chat_service.agents import NEVER_ENDS, SLOW
from models.session_manager.socket_faults import WELL
from sessions import UserExecutionContext

Chat: Any = ChatServiceModel  # as the lockstep calls it: real things in the place of handles


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


@pytest.mark.parametrize("agent", [SLOW, NEVER_ENDS])
def test_an_error_of_a_message_that_is_over_is_not_noted(agent: str) -> None:
    """
    The place for its answer, or for its end, is waited for until the second in which its session
    is due: nobody bears the error. Held by another one from the beginning.
    """
    target = load_target("drivers.service:ServiceDriver")
    settings = {"session_ttl_s": 8, "agent_timeout_s": 6, "pool_size": 1, "pool_timeout_s": 2}
    header = Header(target.model.name, target.name, settings=settings)
    steps = [
        Chat.post("ana", "t", None, None, "m1", agent),
        Chat.get("ben", "u", None),
        Chat.open_database_session(Handle("x", 2), "awaited"),
        Chat.read_database(Handle("s", 3)),
        Chat.wait(8),
    ]

    assert replay(Runs(target, Recorder(None)), header, [*enumerate(steps, 1)]) is None


def test_an_error_of_a_message_that_was_stopped_is_noted() -> None:
    """
    Its end is stored after its session is over, too, and waits for a place as long as it may.
    """
    target = load_target("drivers.service:ServiceDriver")
    settings = {"session_ttl_s": 6, "pool_size": 2, "pool_timeout_s": 6, "sweep_interval_s": 1000}
    header = Header(target.model.name, target.name, settings=settings)
    steps = [
        Chat.get("ben", "u", None),
        Chat.open_database_session(Handle("x", 1), "awaited"),
        Chat.write_database(Handle("s", 2)),
        Chat.post("ana", "t", None, None, "m4", SLOW),
        Chat.connect("ana", None, None, WELL),
        Chat.stop_agent(Handle("k", 5), "t"),
        Chat.wait(6),
    ]

    assert replay(Runs(target, Recorder(None)), header, [*enumerate(steps, 1)]) is None


def test_a_message_that_is_over_is_told_no_error() -> None:
    """
    A connection of its thread outlives its session, and hears nothing of it any more.
    """
    target = load_target("drivers.service:ServiceDriver")
    settings = {"session_ttl_s": 8, "pool_size": 1, "pool_timeout_s": 2, "sweep_interval_s": 1000}
    header = Header(target.model.name, target.name, settings=settings)
    steps = [
        Chat.connect("ana", None, None, WELL),
        Chat.say(Handle("k", 1), None, None, None, "m2", SLOW),
        Chat.open_database_session(Handle("x", 1), "awaited"),
        Chat.write_database(Handle("s", 3)),
        Chat.wait(8),
    ]

    assert replay(Runs(target, Recorder(None)), header, [*enumerate(steps, 1)]) is None
