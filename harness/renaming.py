"""The one-to-one renaming between the model's handles and the system's real ids."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

from .handle import Handle
from .operation import map_atoms

# Numbers are never shown as handles: a count of 1 is not the row whose id is 1.
PLAIN = frozenset({int, bool, float, bytes, type(None)})
ATOMS = PLAIN | {str}


class Stranger(NamedTuple):
    """Stands, in what a reader sees, for a value of the system that has no name."""

    kind: str

    def __repr__(self) -> str:
        return f"<a {self.kind} never returned before>"


class Renaming:
    """Which real id each handle stands for; starts empty in every run."""

    def __init__(self) -> None:
        self.real: dict[Handle, object] = {}
        self._handles: dict[tuple[str, object], Handle] = {}
        self._kinds: dict[str, None] = {}  # in order of appearance

    def binds(self, expected: object, actual: object) -> bool:
        """Say whether two values are the same up to ids, and bind ids that are met first here.

        Everything but ids is compared as it is, types included (1 is not True); lists and tuples
        are both sequences.
        """
        kind = type(expected)
        if kind in ATOMS:
            return kind is type(actual) and expected == actual
        if kind is Handle:
            return self._binds_id(expected, actual)  # type: ignore[arg-type]
        if isinstance(expected, (list, tuple)):
            return (
                isinstance(actual, (list, tuple))
                and len(expected) == len(actual)
                and all(map(self.binds, expected, actual))
            )
        if kind is not type(actual):
            return False
        if kind is dict:
            return self._binds_items(expected, actual)  # type: ignore[arg-type]
        if kind is set or kind is frozenset:
            return map_atoms(expected, self._known) == actual
        return expected == actual

    def named(self, actual: object, expected: object = None) -> object:
        """Return the system's value with handles in place of ids, for a reader.

        An id that no outcome has returned is told from other text by standing where the model
        has a handle; it prints as its kind, never as itself, so that the text is stable.
        """
        if type(expected) is Handle:
            known = self._handle_of(actual)
            return known if type(known) is Handle or actual is None else Stranger(expected.kind)
        if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
            pairs = zip_longest(actual, expected[: len(actual)])
            return [self.named(item, model_item) for item, model_item in pairs]
        return map_atoms(actual, self._handle_of)

    def _binds_id(self, handle: Handle, actual: object) -> bool:
        if handle in self.real:
            real = self.real[handle]
            return type(real) is type(actual) and real == actual
        try:
            if actual is None or (handle.kind, actual) in self._handles:
                return False
        except TypeError:  # what cannot be hashed is no id
            return False
        self.real[handle] = actual
        self._handles[handle.kind, actual] = handle
        self._kinds[handle.kind] = None
        return True

    def _binds_items(self, expected: Mapping[object, object], actual: dict[object, object]) -> bool:
        if len(expected) != len(actual):
            return False
        for key, value in expected.items():
            real_key = key if _is_plain(key) else map_atoms(key, self._known)
            if real_key not in actual or not self.binds(value, actual[real_key]):
                return False
        return True

    def _known(self, atom: object) -> object:
        return self.real.get(atom, atom) if type(atom) is Handle else atom

    def _handle_of(self, atom: object) -> object:
        if type(atom) in PLAIN:
            return atom
        try:
            by_kind = (self._handles.get((kind, atom)) for kind in self._kinds)
            known = next(filter(None, by_kind), None)
        except TypeError:  # what cannot be hashed is no id
            known = None
        if known is not None:
            return known
        return atom if type(atom) is str else Stranger(type(atom).__name__)


def _is_plain(key: object) -> bool:
    """Say whether a key is the same for model and system, as nearly every one is: no id in it."""
    return type(key) in ATOMS or (type(key) is tuple and ATOMS.issuperset(map(type, key)))
