"""What must hold of the sockets, tasks and database sessions of a system after every step."""

from __future__ import annotations

from typing import Any

from threadline import Census, Property

from models.session_manager import invariants


def no_task_outlives_its_work(model: Census, system: Census) -> None:
    """There are no more tasks than what is live can need."""
    tasks: Any = system["tasks"]
    most: Any = model["tasks_max"]
    assert tasks <= most, f"{tasks} tasks are alive; what is live needs at most {most}"


def no_database_session_outlives_its_owner(model: Census, system: Census) -> None:
    """No more database sessions are open than there are owners, swept or not."""
    opened: Any = system["database_sessions"]
    most: Any = model["database_sessions_max"]
    assert opened <= most, f"{opened} database sessions are open; there are {most} owners"


def no_database_session_ends_early(model: Census, system: Census) -> None:
    """Each connection, and each owner that has not closed its own, has a database session."""
    opened: Any = system["database_sessions"]
    least: Any = model["database_sessions_min"]
    assert opened >= least, f"{opened} database sessions are open; {least} owners need one"


def no_object_is_shared(_model: Census, system: Census) -> None:
    """No two users' contexts lead to one object that could be changed."""
    shared: Any = system.get("shared", 0)
    assert not shared, f"{shared} objects that can be changed are reached from two users' contexts"


INVARIANTS = (
    (Property.CONTINUITY, invariants.no_live_socket_is_closed),
    (Property.MEMORY, invariants.no_socket_outlives_its_manager),
    (Property.CONTINUITY, invariants.every_socket_is_closed_with_its_code),
    (Property.MEMORY, no_task_outlives_its_work),
    (Property.MEMORY, no_database_session_outlives_its_owner),
    (Property.CONTINUITY, no_database_session_ends_early),
    (Property.ISOLATION, no_object_is_shared),
)
