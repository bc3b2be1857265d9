"""What a system holds at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.dependencies import Dependencies
from sessions.factory import WebSocketManagerFactory
from sessions.key import IsolationKey


@dataclass(frozen=True, slots=True)
class Census:
    """What is live: nothing that is due, whether or not it was swept.

    sessions: the current run of each; connections: by id, the key of the manager; queued: the
    events that wait for a reconnect, by manager; tasks: the names of those that have not ended.
    """

    sessions: dict[IsolationKey, str]
    managers: tuple[IsolationKey, ...]
    connections: dict[str, IsolationKey]
    queued: dict[IsolationKey, int]
    tasks: tuple[str, ...]


def take_census(dependencies: Dependencies, factory: WebSocketManagerFactory) -> Census:
    """Look at everything that lives; takes time in proportion to it, and changes nothing."""
    managers = factory.live()
    return Census(
        sessions=dependencies.registry.live(),
        managers=tuple(manager.key for manager in managers),
        connections={name: manager.key for manager in managers for name in manager.connections},
        queued={manager.key: manager.queued for manager in managers},
        tasks=dependencies.tasks.names(),
    )
