"""What kind of state a chat service is in, whatever its names."""

from __future__ import annotations

from collections.abc import Hashable

from models.chat_service.requests import Request
from models.chat_service.state import ServiceState
from models.session_manager.ids import Key
from models.session_manager.shape import MANY
from models.session_manager.shape import shape as shape_of_sessions


def shape(service: ServiceState) -> Hashable:
    """Return that of the session manager, and one row for each key that is stored or in use."""
    keys = {**service.turns.stored, **service.requests.lines, **service.subscriptions.live()}
    rows = tuple(sorted(_row(service, key) for key in keys))
    storage = service.storage
    return (
        shape_of_sessions(service.core),
        rows,
        min(MANY, len(service.requests.dead_letters)),
        (storage.pool.is_full, bool(storage.pool.taken), storage.writers.is_full),
        tuple(sorted(each.how for each in service.databases.open.values()))[:MANY],
        service.turns.fails,
    )


def _row(service: ServiceState, key: Key) -> tuple[object, ...]:
    stored = service.turns.stored.get(key)
    line = service.requests.lines.get(key, [])
    return (
        key in service.core.sessions.live,
        key in service.core.connections.managers,
        key in service.subscriptions.live(),
        min(MANY, len(stored.turns)) if stored else 0,
        bool(stored and stored.is_ended),
        bool(stored and service.is_kept(stored)),
        tuple(_state(request) for request in line[:MANY]),
    )


def _state(request: Request) -> str:
    if request.process:
        return f"{request.kind} {request.agent} handled"
    return f"{request.kind} resting" if request.has_begun else f"{request.kind} waiting"
