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
from sessions import ChatSystem
from sessions.ids import UnifiedIdGenerator

Sessions: Any = SessionManagerModel  # as the lockstep calls it: real things in the place of handles


class Numbered(UnifiedIdGenerator):
    """Ids that are easy to tell from others."""

    def generate_base_id(self, prefix: str = "id", *_: object) -> str:
        return f"{prefix}_1700000000000_{self._next_number()}_00"


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


def test_makes_the_system_it_is_told_to() -> None:
    """
    A part of the system can be another, which is how mutants come in.
    """
    with closing(SessionsDriver(lambda **given: ChatSystem(make_ids=Numbered, **given))) as driver:
        assert value(actual_of(driver, Sessions.get("ana", "t", None)))["request"].endswith("_00")
