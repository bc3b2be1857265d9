"""Which property a disagreement between a store and its model breaks."""

from __future__ import annotations

from threadline.failure import Disagreement, Property
from threadline.operation import Operation
from threadline.outcome import Ok

from models.conversation_store.model import StoreModel
from models.conversation_store.operations import Append, Clear, Delete, History, Pop, Threads


def blame(model: StoreModel, operation: Operation, disagreement: Disagreement) -> Property:
    """Return the property broken, by what the system shows too much of, or else is missing.

    Too much: somebody else's is isolation, what is gone is memory. Missing: a key that is not
    found is keys, a turn that is not found is continuity.
    """
    if disagreement.of.startswith("census"):
        return Property.KEYS if isinstance(operation, Delete) else _blame_census(disagreement)
    actual = disagreement.actual
    if not isinstance(actual, Ok):
        return Property.KEYS if isinstance(operation, Delete) else Property.CONTINUITY
    if isinstance(operation, Threads):
        return _blame_threads(model, operation.user, disagreement)
    if isinstance(operation, (Append, Clear, History, Pop)):
        return _blame_turns(model, operation, actual.value)
    return Property.KEYS


def _blame_census(disagreement: Disagreement) -> Property:
    expected, actual = disagreement.expected, disagreement.actual
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        return Property.MEMORY
    if actual.keys() - expected.keys() and expected.keys() - actual.keys():
        return Property.KEYS
    if sum(actual.values()) > sum(expected.values()) or actual.keys() - expected.keys():
        return Property.MEMORY
    return Property.CONTINUITY


def _blame_threads(model: StoreModel, user: str, disagreement: Disagreement) -> Property:
    assert isinstance(disagreement.actual, Ok)
    listed = disagreement.actual.value
    surplus = set(listed) if isinstance(listed, (list, tuple)) else set()
    surplus -= {thread for owner, thread in model.conversations if owner == user}
    if not surplus:
        return Property.KEYS
    if surplus & {thread for owner, thread in model.conversations if owner != user}:
        return Property.ISOLATION
    return Property.MEMORY


def _blame_turns(
    model: StoreModel, operation: Append | Clear | History | Pop, value: object
) -> Property:
    key = model.key(operation.conversation)
    shown = set(value) if isinstance(value, (list, tuple)) else {value}
    strays = shown - model.written.get(key, set())
    if any(strays & texts for other, texts in model.written.items() if other != key):
        return Property.ISOLATION
    if isinstance(value, list) and len(value) > len(model.conversations.get(key, [])):
        return Property.MEMORY
    return Property.CONTINUITY
