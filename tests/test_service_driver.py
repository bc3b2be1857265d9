"""The driver of the chat service: what it tells of what the service does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivers.service import ServiceDriver
from drivers.service_shared import Reached
from models.chat_service import ChatServiceModel
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
