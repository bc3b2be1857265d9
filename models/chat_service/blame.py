"""Which property a disagreement between a chat service and its model breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from threadline.failure import Disagreement, Property
from threadline.operation import Operation, handles_in, map_atoms
from threadline.outcome import Ok, Refused

from models.chat_service import operations_storage
from models.chat_service.messages import MessagesModel
from models.session_manager.blame import blame as blame_of_sessions
from models.session_manager.ids import Key

DATABASE = (
    operations_storage.OpenDatabaseSession,
    operations_storage.WriteDatabase,
    operations_storage.ReadDatabase,
    operations_storage.CommitDatabase,
    operations_storage.RollBackDatabase,
    operations_storage.CloseDatabase,
    operations_storage.RaiseInDatabase,
    operations_storage.CancelDatabase,
)
Sent = Mapping[object, Mapping[object, list[object]]]


def blame(model: MessagesModel, operation: Operation, disagreement: Disagreement) -> Property:
    """Return the property broken: isolation if another's text or id arrives, else as in sessions.

    A commit that should have failed is continuity, a database session that should be closed is
    memory.
    """
    if disagreement.of.startswith("census"):
        return blame_of_sessions(model, operation, _counted(disagreement))
    if _shows_a_stray(model, disagreement):
        return Property.ISOLATION
    expected = disagreement.expected
    if isinstance(expected, Refused) and expected.reason == "storage_error":
        return Property.CONTINUITY
    if isinstance(expected, Refused) and isinstance(operation, DATABASE):
        return Property.MEMORY
    return blame_of_sessions(model, operation, disagreement)


def _counted(disagreement: Disagreement) -> Disagreement:
    """Return a disagreement on a set or a number as one on entries and how much is in each."""
    sides = disagreement.expected, disagreement.actual
    expected, actual = (
        dict.fromkeys(side, 0)
        if isinstance(side, (set, frozenset))
        else {"count": side}
        if isinstance(side, int)
        else side
        for side in sides
    )
    return Disagreement(disagreement.of, expected, actual)


def _shows_a_stray(model: MessagesModel, disagreement: Disagreement) -> bool:
    """Say whether something arrived that is another's than its receiver's, and none expected."""
    expected, actual = _sent(disagreement.expected), _sent(disagreement.actual)
    for receiver, events in actual.items():
        owner = model.keys.get(receiver)
        wanted = [*_events(expected.get(receiver, {}))]
        surplus = [event for event in _events(events) if event not in wanted]
        if owner and _keys_in(model, surplus) - _keys_in(model, wanted) - {owner}:
            return True
        if owner and _users_in(model, surplus) - _users_in(model, wanted) - {owner[0]}:
            return True
    return False


def _keys_in(model: MessagesModel, events: list[object]) -> set[Key]:
    """Return of which threads the texts are that stand in events."""
    texts: list[str] = []

    def note(atom: object) -> object:
        if isinstance(atom, str):
            texts.append(atom)
        return atom

    map_atoms(events, note)
    return {
        key
        for written, key in model.written.items()
        if any(re.search(rf"(?<!\w){re.escape(str(written))}(?!\w)", text) for text in texts)
    }


def _users_in(model: MessagesModel, events: list[object]) -> set[str]:
    """Return whose the ids are that stand in events, but for those of the events themselves."""
    ids = (handle for handle in handles_in(events) if not handle.kind.startswith("e"))
    return {model.owners[handle.step] for handle in ids if handle.step in model.owners}


def _sent(outcome: object) -> Sent:
    value = outcome.value if isinstance(outcome, Ok) else None
    sent = value.get("sent") if isinstance(value, dict) else None
    return sent if isinstance(sent, dict) else {}


def _events(by_thread: Mapping[object, list[object]]) -> Iterator[object]:
    for events in by_thread.values():
        yield from events
