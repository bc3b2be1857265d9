"""What must hold of the sockets and tasks of a system after every step, by property."""

from __future__ import annotations

from typing import Any

from threadline import Census, Property

TASKS_PER_SOCKET_MAX = 3  # its sender, a send in flight, and that one's timer; our choice
TASKS_ELSE_MAX = 1  # the sweep


def no_live_socket_is_closed(model: Census, system: Census) -> None:
    """The socket of every live connection is open."""
    closed = _set(model, "must_be_open") - _set(system, "open")
    assert not closed, f"{_names(closed)} should be open; open are {_names(_set(system, 'open'))}"


def no_socket_outlives_its_manager(model: Census, system: Census) -> None:
    """A socket without a live manager is closed, once that was swept."""
    may_be_open = _set(model, "must_be_open") | _set(model, "may_be_open")
    left = _set(system, "open") - may_be_open
    assert not left, f"{_names(left)} should be closed; only {_names(may_be_open)} may be open"


def every_socket_is_closed_with_its_code(model: Census, system: Census) -> None:
    """A socket is closed with the code that tells its peer why."""
    expected: Any = model["close_codes"]
    actual: Any = system["closed"]
    wrong = {
        f"{socket} with {code}, not {expected.get(socket, 'at all')}"
        for socket, code in actual.items()
        if expected.get(socket) != code
    }
    assert not wrong, f"closed {_names(wrong)}"


def no_task_outlives_its_socket(model: Census, system: Census) -> None:
    """There are no more tasks than sockets not swept yet can need."""
    tasks: Any = system["tasks"]
    sockets = len(_set(model, "must_be_open") | _set(model, "may_be_open"))
    most = TASKS_ELSE_MAX + TASKS_PER_SOCKET_MAX * sockets
    assert tasks <= most, f"{tasks} tasks are alive; {sockets} sockets need at most {most}"


def _set(census: Census, name: str) -> set[object]:
    found: Any = census[name]
    return set(found)


def _names(things: set[Any]) -> str:
    return ", ".join(sorted(map(str, things))) or "none"


INVARIANTS = (
    (Property.CONTINUITY, no_live_socket_is_closed),
    (Property.MEMORY, no_socket_outlives_its_manager),
    (Property.CONTINUITY, every_socket_is_closed_with_its_code),
    (Property.MEMORY, no_task_outlives_its_socket),
)
