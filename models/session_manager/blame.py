"""Which property a disagreement between a session manager and its model breaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from threadline import Disagreement, Handle, Ok, Operation, Property, Refused
from threadline.operation import handles_in

from models.session_manager.ids import Key
from models.session_manager.state import State

Told = Mapping[object, list[object]]


class Owners(Protocol):
    """What a model knows of whose things are."""

    state: State
    owners: dict[int, str]
    written: dict[object, Key]
    keys: dict[object, Key]


def blame(
    model: Owners, asked: Operation, disagreement: Disagreement, breaks: Property | None
) -> Property:
    """Return the property broken: by whose id or text is shown, else by what is done or held."""
    if disagreement.of.startswith("census"):
        return blame_census(disagreement)
    if _shows_a_stray(model, asked, disagreement):
        return Property.ISOLATION
    expected, actual = disagreement.expected, disagreement.actual
    is_let_in = isinstance(expected, Refused) and isinstance(actual, Ok)
    if isinstance(expected, Refused) and is_let_in and "limit" in expected.reason:
        return Property.MEMORY
    return breaks or (Property.KEYS if is_let_in else Property.CONTINUITY)


def blame_census(disagreement: Disagreement) -> Property:
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


def told_of(outcome: object) -> Told:
    """Return what an outcome tells, by addressee."""
    return (outcome.told if isinstance(outcome, (Ok, Refused)) else None) or {}


def _is_more(one: object, other: object) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one > other


def _shows_a_stray(model: Owners, asked: Operation, disagreement: Disagreement) -> bool:
    """Return whether an outcome shows another user's, or at a connection another thread's."""
    expected, actual = disagreement.expected, disagreement.actual
    if not isinstance(actual, Ok):
        return False
    wanted = set(handles_in(expected.value)) if isinstance(expected, Ok) else set()
    user = getattr(asked, "user", None)
    surplus = (handle for handle in handles_in(actual.value) if handle not in wanted)
    if user is not None and _is_of_another(model, user, surplus):
        return True
    arrived = told_of(expected)
    return any(
        _is_stray(model, connection, event)
        for connection, events in told_of(actual).items()
        for event in events
        if event not in arrived.get(connection, [])
    )


def _is_of_another(model: Owners, user: str, handles: Iterable[Handle]) -> bool:
    """Return whether a handle was made for another user, and never became this one's by an echo."""
    sessions = model.state.sessions.of(user)
    own = {name for each in sessions for name in (each.thread, each.run, each.client)}
    makers = (model.owners.get(handle.step, user) for handle in handles if handle not in own)
    return any(maker != user for maker in makers)


def _is_stray(model: Owners, connection: object, event: object) -> bool:
    key = model.written.get(event.get("text")) if isinstance(event, dict) else None
    owner = model.keys.get(connection)
    return key is not None and owner is not None and key != owner
