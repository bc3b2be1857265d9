"""Which property a disagreement breaks, where a model says nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .failure import Disagreement, Property
from .operation import Operation, atoms_in
from .outcome import Ok, Refused

Owner = Callable[[object], object]


def blame(
    belongs_to: Owner, asked: Operation, disagreement: Disagreement, breaks: Property
) -> Property:
    """Return the property broken: by what is shown or held too much, or else what was asked."""
    expected, actual = disagreement.expected, disagreement.actual
    if disagreement.of.startswith("census"):
        return breaks if breaks is Property.KEYS else _blame_held(expected, actual, breaks)
    if not isinstance(actual, (Ok, Refused)):
        return breaks
    own = _owners(belongs_to, atoms_in([*asked.arguments().values()]), or_themselves=True)
    wanted, shown = _value(expected), _value(actual)
    if _is_anothers(belongs_to, _surplus(wanted, shown), own):
        return Property.ISOLATION
    told, heard = _told(actual), _told(expected)
    for to, what in told.items():
        addressed = _owners(belongs_to, atoms_in([to]), or_themselves=True)
        if _is_anothers(belongs_to, _surplus(heard.get(to, []), what), addressed):
            return Property.ISOLATION
    if any(len(what) > len(heard.get(to, [])) for to, what in told.items()):
        return Property.MEMORY if breaks is Property.CONTINUITY else breaks
    return Property.MEMORY if _size(shown) > _size(wanted) else breaks


def _blame_held(expected: object, actual: object, breaks: Property) -> Property:
    """Return keys if things are under other names, memory if there are too many, else what is
    broken.
    """
    if not isinstance(expected, (dict, set, frozenset)) or not isinstance(actual, type(expected)):
        more = _amount(actual) > _amount(expected)
        return Property.MEMORY if more else breaks
    held, wanted = set(actual), set(expected)
    if held - wanted and wanted - held:
        return Property.KEYS
    more = _amount(actual) > _amount(expected)
    return Property.MEMORY if held - wanted or more else breaks


def _amount(value: object) -> float:
    """Return how much there is in all: a number is an amount itself."""
    if isinstance(value, dict):
        return sum(map(_amount, value.values()))
    return value if isinstance(value, (int, float)) else _size(value)


def _is_anothers(belongs_to: Owner, surplus: Iterable[object], own: set[object]) -> bool:
    """Return whether something has an owner, and none of those who may see it."""
    owners = (_owners(belongs_to, [atom]) for atom in surplus)
    return any(found and not found & own for found in owners)


def _owners(
    belongs_to: Owner, atoms: Iterable[object], *, or_themselves: bool = False
) -> set[object]:
    """Return whose these are; an atom that is nobody's may be an owner itself."""
    found: set[object] = set()
    for atom in atoms:
        owner = belongs_to(atom)
        found |= set(owner) if isinstance(owner, (set, frozenset)) else {owner}
        if or_themselves:
            found.add(atom)
    return found - {None}


def _surplus(wanted: object, shown: object) -> list[object]:
    expected = atoms_in(wanted)
    return [atom for atom in atoms_in(shown) if atom not in expected]


def _value(outcome: object) -> object:
    return outcome.value if isinstance(outcome, Ok) else None


def _told(outcome: object) -> Mapping[object, list[object]]:
    return (outcome.told if isinstance(outcome, (Ok, Refused)) else None) or {}


def _size(value: object) -> int:
    return len(value) if isinstance(value, (list, tuple, dict, set, frozenset)) else 0
