"""The session limit: on it, on either side, and what does not count."""

from __future__ import annotations

import pytest

from sessions.errors import SessionLimitError
from sessions.settings import Settings
from sessions.system import ChatSystem
from tests.sessions_peers import make_system

DAY_S = 86_400


def system_with_sessions(number: int, settings: Settings | None = None) -> ChatSystem:
    system, _ = make_system(settings)
    for thread in range(number):
        system.registry.get_or_create_user_session("ana", f"t{thread}")
    return system


def test_999_sessions_leave_room() -> None:
    """A user with a session less than the limit gets another."""
    system = system_with_sessions(999)
    system.registry.get_or_create_user_session("ana", "one more")

    assert len(system.registry.live()) == 1000


def test_1000_sessions_are_the_limit() -> None:
    """A user with as many sessions as the limit gets no other, and loses none."""
    system = system_with_sessions(1000)
    with pytest.raises(SessionLimitError):
        system.registry.get_or_create_user_session("ana", "one more")

    assert len(system.registry.live()) == 1000


def test_one_above_the_session_limit_is_refused_as_well() -> None:
    """Every further get of a new thread is refused, and counted."""
    system = system_with_sessions(1000)
    with pytest.raises(SessionLimitError):
        system.registry.get_or_create_user_session("ana", "one more")
    with pytest.raises(SessionLimitError):
        system.registry.get_or_create_user_session("ana", "and another")

    assert system.metrics().session_limit_refusals == 2


def test_limit_leaves_existing_sessions_in_use() -> None:
    """A user at the limit still gets the sessions there are."""
    system = system_with_sessions(2, Settings(max_sessions_per_user=2))

    assert system.registry.get_or_create_user_session("ana", "t0")["thread_id"] == "t0"


def test_due_session_leaves_its_place() -> None:
    """A session that is due counts no longer, though nothing swept it."""
    system, clock = make_system(Settings(max_sessions_per_user=1))
    system.registry.get_or_create_user_session("ana", "old")
    clock.now_s += DAY_S

    assert system.registry.get_or_create_user_session("ana", "new")["thread_id"] == "new"
