"""The driver of the session manager: what it leaves behind, repeats and translates."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest
from threadline import Ok
from threadline.driver import end
from threadline.lockstep.outcomes import actual_of

from drivers.sessions import SessionsDriver
from models.session_manager import SessionManagerModel

Sessions: Any = SessionManagerModel  # as the lockstep calls it: real things in the place of handles


def value(outcome: object) -> Any:
    assert isinstance(outcome, Ok), outcome
    return outcome.value


def test_close_leaves_no_task_and_no_loop() -> None:
    """
    Whatever is under way when a run ends has ended after it.
    """
    driver = SessionsDriver()
    actual_of(driver, Sessions.connect("ana", "t", None, "stalled"))
    actual_of(driver, Sessions.deliver("ana", "t", "m"))
    end(driver)

    assert driver.pump.tasks() == []
    assert driver.pump.loop.is_closed()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_two_runs_are_the_same() -> None:
    """
    The same operations give the same ids, to the last digit.
    """
    with closing(SessionsDriver()) as one, closing(SessionsDriver()) as two:
        assert value(actual_of(one, Sessions.get("ana", None, None))) == value(
            actual_of(two, Sessions.get("ana", None, None))
        )
