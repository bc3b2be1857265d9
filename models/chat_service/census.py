"""What a right chat service holds, for comparison after each step."""

from __future__ import annotations

from threadline import Census

from models.chat_service.state import ServiceState
from models.session_manager.census import WATCHED as WATCHED_IN_SESSIONS
from models.session_manager.census import census as census_of_sessions

WATCHED = WATCHED_IN_SESSIONS | {"database_sessions", "shared"}
# Tasks that a system may need; our choice.
TASKS_PER_SOCKET = 3  # its sender, a send in flight, and that one's timer
TASKS_PER_REQUEST = 6  # its handling, its agent, a wait and its timer, and an exchange's two
TASKS_PER_DATABASE_SESSION = 3  # its block, a statement, its close
TASKS_ELSE = 6  # the sweep, what hands out the queue, and what these wait for


def census(service: ServiceState) -> Census:
    """Return what a session manager holds, and: requests, how many are in each line;
    subscriptions, the keys; dead_letters, how many; responses, how many clients the service keeps
    waiting, and exchanges, which of them wait; agents, how many run; storage_errors, how
    many of each kind were noted; sockets_without_database, how many have no database session;
    places, how many of the pool are taken.

    The latter is left out while nobody can tell: where a session of a connection that has ended
    and was not swept holds one. The rest is for invariants.
    """
    lines = service.requests.lines
    databases = service.databases.open.values()
    dying = [session for session in databases if service.is_dying(session)]
    places = {"places": {"taken": service.storage.pool.taken}}
    return {
        **census_of_sessions(service.core),
        "requests": {key: len(line) for key, line in lines.items()},
        "subscriptions": set(service.subscriptions.live()),
        "dead_letters": len(service.requests.dead_letters),
        "responses": len(service.open_exchanges()),
        "exchanges": set(service.open_exchanges()),
        "agents": service.handling.running,
        "storage_errors": dict(service.storage.noted),
        "sockets_without_database": 0,
        **({} if any(session.held for session in dying) else places),
        **_database_sessions(service, len(databases), len(dying)),
        "tasks_max": _tasks_max(service),
    }


def _database_sessions(service: ServiceState, opened: int, dying: int) -> dict[str, int]:
    """Return how many database sessions are open, at least and at most.

    One for each connection, one for each request that waits for a place, and an operation's own.
    """
    connections = service.core.connections
    waiting = service.requests.storing()
    at_least = len(connections.live) + waiting + opened - dying
    at_most = at_least + len(connections.awaiting_sweep) + dying
    return {"database_sessions_min": at_least, "database_sessions_max": at_most}


def _tasks_max(service: ServiceState) -> int:
    connections = service.core.connections
    sockets = len(connections.live) + len(connections.awaiting_sweep)
    requests = len(service.requests.all())
    databases = len(service.databases.open) + sockets
    return (
        TASKS_PER_SOCKET * sockets
        + TASKS_PER_REQUEST * (requests + len(service.requests.stopping))
        + TASKS_PER_DATABASE_SESSION * databases
        + TASKS_ELSE
    )
