"""Which property a disagreement between a session manager and its model breaks."""

from __future__ import annotations

from collections.abc import Iterable

from threadline.failure import Disagreement, Property
from threadline.handle import Handle
from threadline.operation import Operation, handles_in
from threadline.outcome import Ok, Refused

from models.session_manager.model import SessionManagerModel
from models.session_manager.operations import BaseId, ContextIds, ReadId, Tamper, WebsocketIds
from models.session_manager.operations_connections import (
    CleanupManager,
    CreateManager,
    GetManager,
    ManagerCount,
    Metrics,
)

IDS = (BaseId, ContextIds, WebsocketIds, ReadId)
BY_KEY = (CreateManager, GetManager, CleanupManager, ManagerCount)


def blame(model: SessionManagerModel, operation: Operation, disagreement: Disagreement) -> Property:
    """Return the property broken: by whose id or text is shown, else by what is done or held."""
    if disagreement.of.startswith("census"):
        return _blame_census(disagreement)
    if _shows_a_stray(model, operation, disagreement) or isinstance(operation, Tamper):
        return Property.ISOLATION
    expected, actual = disagreement.expected, disagreement.actual
    if isinstance(operation, Metrics) or (
        isinstance(expected, Refused) and "limit" in expected.reason and isinstance(actual, Ok)
    ):
        return Property.MEMORY
    if isinstance(operation, IDS) or (isinstance(expected, Refused) and isinstance(actual, Ok)):
        return Property.KEYS
    if isinstance(operation, BY_KEY):
        return Property.KEYS
    return Property.CONTINUITY


def _blame_census(disagreement: Disagreement) -> Property:
    """Call it keys if things are under other names, memory if too many, else continuity."""
    expected, actual = disagreement.expected, disagreement.actual
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        return Property.MEMORY
    surplus, missing = actual.keys() - expected.keys(), expected.keys() - actual.keys()
    if surplus and missing:
        return Property.KEYS
    if surplus or any(_is_more(actual[key], expected[key]) for key in expected if key in actual):
        return Property.MEMORY
    return Property.CONTINUITY


def _is_more(one: object, other: object) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one > other


def _shows_a_stray(
    model: SessionManagerModel, operation: Operation, disagreement: Disagreement
) -> bool:
    """Say whether an outcome shows what is another user's, or another thread's at a connection."""
    expected, actual = disagreement.expected, disagreement.actual
    if not isinstance(actual, Ok):
        return False
    wanted = set(handles_in(expected.value)) if isinstance(expected, Ok) else set()
    user = getattr(operation, "user", None)
    surplus = (handle for handle in handles_in(_value(actual)) if handle not in wanted)
    if user is not None and _is_of_another(model, user, surplus):
        return True
    arrived = _sent(expected)
    return any(
        _is_stray(model, connection, event)
        for connection, events in _sent(actual).items()
        for event in events
        if event not in arrived.get(connection, [])
    )


def _is_of_another(model: SessionManagerModel, user: str, handles: Iterable[Handle]) -> bool:
    """Say whether a handle was made for another user, and never became this one's by an echo."""
    sessions = model.state.sessions.of(user)
    own = {name for each in sessions for name in (each.thread, each.run, each.client)}
    makers = (model.owners.get(handle.step, user) for handle in handles if handle not in own)
    return any(maker != user for maker in makers)


def _is_stray(model: SessionManagerModel, connection: object, event: object) -> bool:
    key = model.written.get(event.get("text")) if isinstance(event, dict) else None
    owner = model.keys.get(connection)
    return key is not None and owner is not None and key != owner


def _value(outcome: Ok) -> object:
    value = outcome.value
    return value["value"] if isinstance(value, dict) and "sent" in value else value


def _sent(outcome: object) -> dict[object, list[object]]:
    value = outcome.value if isinstance(outcome, Ok) else None
    sent = value.get("sent") if isinstance(value, dict) else None
    return sent if isinstance(sent, dict) else {}
