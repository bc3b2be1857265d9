"""Which property a disagreement between a chat service and its model breaks."""

from __future__ import annotations

import re

from threadline import Disagreement, Operation, Property, Refused
from threadline.operation import atoms_in, handles_in

from models.session_manager.blame import Owners, Told, blame_census, told_of
from models.session_manager.blame import blame as blame_of_sessions
from models.session_manager.ids import Key


def blame(
    model: Owners, asked: Operation, disagreement: Disagreement, breaks: Property | None
) -> Property:
    """Return the property broken: isolation if another's text or id arrives, else as in sessions.

    A commit that should have failed is continuity, a database session that should be closed is
    memory.
    """
    if disagreement.of.startswith("census"):
        return blame_census(_counted(disagreement))
    if _shows_a_stray(model, disagreement):
        return Property.ISOLATION
    expected = disagreement.expected
    if isinstance(expected, Refused) and expected.reason == "storage_error":
        return Property.CONTINUITY
    if isinstance(expected, Refused) and "database" in asked.kind:
        return Property.MEMORY
    return blame_of_sessions(model, asked, disagreement, breaks)


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


def _shows_a_stray(model: Owners, disagreement: Disagreement) -> bool:
    """Return whether something arrived that is another's than its receiver's, and none expected."""
    expected = _by_receiver(told_of(disagreement.expected))
    for receiver, events in _by_receiver(told_of(disagreement.actual)).items():
        owner = model.keys.get(receiver)
        wanted = expected.get(receiver, [])
        surplus = [event for event in events if event not in wanted]
        if owner and _keys_in(model, surplus) - _keys_in(model, wanted) - {owner}:
            return True
        if owner and _users_in(model, surplus) - _users_in(model, wanted) - {owner[0]}:
            return True
    return False


def _by_receiver(told: Told) -> dict[object, list[object]]:
    """Return what each socket and exchange was told, of whatever thread."""
    found: dict[object, list[object]] = {}
    for address, events in told.items():
        receiver = address[0] if isinstance(address, tuple) else address
        found.setdefault(receiver, []).extend(events)
    return found


def _keys_in(model: Owners, events: list[object]) -> set[Key]:
    """Return of which threads the texts are that stand in events."""
    texts = [atom for atom in atoms_in(events) if isinstance(atom, str)]
    return {
        key
        for written, key in model.written.items()
        if any(re.search(rf"(?<!\w){re.escape(str(written))}(?!\w)", text) for text in texts)
    }


def _users_in(model: Owners, events: list[object]) -> set[str]:
    """Return whose the ids are that stand in events, but for those of the events themselves."""
    ids = (handle for handle in handles_in(events) if not handle.kind.startswith("e"))
    return {model.owners[handle.step] for handle in ids if handle.step in model.owners}
