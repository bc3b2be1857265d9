"""The driver of the session manager: what it leaves behind, repeats and translates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from threadline import Ok, Refused
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


@pytest.fixture
def driver() -> Iterator[SessionsDriver]:
    driver = SessionsDriver()
    yield driver
    end(driver)


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


def test_gives_settings_to_the_system() -> None:
    """
    A limit drawn for a run holds in it.
    """
    with closing(SessionsDriver(max_sessions_per_user=1)) as driver:
        actual_of(driver, Sessions.get("ana", "t", None))

        assert actual_of(driver, Sessions.get("ana", "u", None)) == Refused("session limit")


@pytest.mark.parametrize(
    ("context_user", "reason"), [(None, "nothing given"), (" ", "invalid context")]
)
def test_tells_a_missing_name_from_a_bad_one(
    driver: SessionsDriver, context_user: str | None, reason: str
) -> None:
    """
    Both are ValueErrors to the system's callers, and two refusals to a run.
    """
    assert actual_of(driver, Sessions.create_manager(None, context_user)) == Refused(reason)


def test_warning_is_part_of_the_outcome(driver: SessionsDriver) -> None:
    """
    The deprecated function gives its warning, and nothing of it leaves the driver.
    """
    assert actual_of(driver, Sessions.create("ana", "t", None)).warnings == ("DeprecationWarning",)


def test_outcome_tells_what_arrived(driver: SessionsDriver) -> None:
    """
    Every outcome shows the events that reached a socket since the last.
    """
    socket = value(actual_of(driver, Sessions.connect("ana", "t", None, "well")))["socket"]
    outcome = actual_of(driver, Sessions.deliver("ana", "t", "m"))
    assert isinstance(outcome, Ok)
    told: Any = outcome.told

    assert [event["text"] for event in told[socket]] == ["m"]
    assert actual_of(driver, Sessions.deliver("ana", "u", "m")) == Ok()


def test_stalled_peer_takes_what_waited(driver: SessionsDriver) -> None:
    """
    Between stall and resume nothing arrives; after it, all.
    """
    socket = value(actual_of(driver, Sessions.connect("ana", "t", None, "well")))["socket"]
    actual_of(driver, Sessions.stall(socket))
    assert actual_of(driver, Sessions.deliver("ana", "t", "m")) == Ok()
    resumed: Any = actual_of(driver, Sessions.resume(socket))

    assert [event["text"] for event in resumed.told[socket]] == ["m"]


def test_refused_connection_leaves_no_socket(driver: SessionsDriver) -> None:
    """
    A socket that was refused is not among the open ones.
    """
    actual_of(driver, Sessions.connect(" ", "t", None, "well"))

    assert driver.census()["open"] == set()
