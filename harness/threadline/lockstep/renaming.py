"""The one-to-one renaming between the model's handles and the system's real ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from ..handle import Handle
from ..operation import handles_in, map_atoms

# Numbers are never shown as handles: a count of 1 is not the row whose id is 1.
PLAIN = frozenset({int, bool, float, bytes, type(None)})
ATOMS = PLAIN | {str}
_NESTED = frozenset({Handle, tuple, frozenset})  # what in a key can be or hold a handle


@dataclass(frozen=True, slots=True, eq=False)
class Stranger:
    """Stands, in what a reader sees, for a value of the system that has no name, and says why.

    Equal only to itself: two of them in a set are two.
    """

    kind: str
    why: str = "never returned before"

    def __repr__(self) -> str:
        return f"<a {self.kind} {self.why}>"


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Untold:
    """Stands, in what a reader sees, for a value that cannot be printed, or not all of it."""

    text: str

    def __repr__(self) -> str:
        return f"<a value that is not printed: {self.text}>"


class Kept(NamedTuple):
    """Which ids were bound at some time."""

    real: dict[Handle, object]
    handles: dict[tuple[str, object], Handle]
    kinds: dict[str, None]


class Renaming:
    """Which real id each handle stands for; starts empty in every run.

    `was_given` returns whether the trace gave a text as an argument: a system that returns it has
    not made an id.
    """

    def __init__(self, was_given: Callable[[str], bool] = _never) -> None:
        self._was_given = was_given
        self.real: dict[Handle, object] = {}
        self._handles: dict[tuple[str, object], Handle] = {}
        self._kinds: dict[str, None] = {}  # in order of appearance
        self._binding = True
        self._new: dict[tuple[str, object], Handle] | None = None  # what an outcome might bind

    def kept(self) -> Kept:
        """Return which ids are bound now, for `restore`."""
        return Kept(dict(self.real), dict(self._handles), dict(self._kinds))

    def restore(self, kept: Kept) -> None:
        """Forget the ids that were bound since then."""
        self.real, self._handles = dict(kept.real), dict(kept.handles)
        self._kinds = dict(kept.kinds)

    def binds(self, expected: object, actual: object) -> bool:
        """Return whether two values are the same up to ids, and bind ids that are met first here.

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
            return self._has_members(expected, actual)  # type: ignore[arg-type]
        return expected == actual

    def knows(self, expected: object, actual: object) -> bool:
        """Return whether two values are the same up to ids, of which none is new."""
        self._binding = False
        try:
            return self.binds(expected, actual)
        finally:
            self._binding = True

    def binds_what_it_can(self, expected: object, actual: object) -> None:
        """Bind the ids that are new in two values which are not the same, place by place."""
        if type(expected) is Handle:
            if expected not in self.real:
                self._binds_id(expected, actual)
        elif isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
            for one, other in zip(expected, actual, strict=False):
                self.binds_what_it_can(one, other)
        elif isinstance(expected, dict) and isinstance(actual, dict):
            for key, value in expected.items():
                if (real := self._real_key(key)) in actual:
                    self.binds_what_it_can(value, actual[real])

    def named(self, actual: object, expected: object = None) -> object:
        """Return the system's value with handles in place of ids, for a reader.

        An id that no outcome has returned is told from other text by standing where the model
        has a handle; it prints as its kind, never as itself, so that the text is stable.
        """
        if type(expected) is Handle and actual is not None:
            known = self._handle_of(actual, expected.kind)
            return known if type(known) is Handle else self._unknown(actual, expected)
        if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
            pairs = zip_longest(actual, expected[: len(actual)])
            return [self.named(item, model_item) for item, model_item in pairs]
        if isinstance(actual, (set, frozenset)):
            return type(actual)([self._named_key(item, expected) for item in actual])
        if isinstance(actual, dict):
            named = {self._named_key(key, expected): value for key, value in actual.items()}
            values = expected if isinstance(expected, dict) else {}
            return {key: self.named(value, values.get(key)) for key, value in named.items()}
        return map_atoms(actual, self._handle_of)

    def named_outcome(self, actual: object, expected: object = None) -> object:
        """Return a value of an outcome by its names, binding the ids that are new in it.

        So only what differs is shown as unknown, and not the ids beside it.
        """
        self._new = {}
        try:
            return self.named(actual, expected)
        finally:
            self._new = None

    def told(self, text: str) -> str:
        """Return what a system says in its own words, with handles in place of text ids."""
        ids = {real: str(handle) for handle, real in self.real.items() if type(real) is str}
        words = "|".join(re.escape(real) for real in sorted(ids, key=len, reverse=True) if real)
        return re.sub(rf"(?<!\w)({words})(?!\w)", lambda m: ids[m[0]], text) if words else text

    def _named_key(self, actual: object, expected: object) -> object:
        """Return a key or a member by its name; where the model has handles, it is one of these."""
        keys = expected if isinstance(expected, (dict, set, frozenset)) else ()
        if actual in keys:
            return actual  # the model's own word, beside handles
        # Which of a set's own comes first is another in each process.
        like = min((key for key in keys if any(handles_in(key))), key=str, default=None)
        named = self.named(actual, like)
        if type(named) is int and not keys:
            named = self._bound(named) or named  # a key counts nothing, and so may be an id
        return tuple(named) if isinstance(named, list) else named

    def _unknown(self, actual: object, expected: Handle) -> Handle | Stranger:
        """Return what stands for a value that no handle is bound to, where the model has one."""
        kind = expected.kind
        try:
            hash(actual)
        except Exception:
            return Stranger(type(actual).__name__, f"that cannot be hashed, so no {kind}")
        if expected in self.real:
            return Stranger(kind)
        if type(actual) is str and self._was_given(actual):
            return Stranger(repr(actual), f"given as an argument, so no new {kind}")
        is_new = self._new is not None and expected not in self._new.values()
        if self._new is not None and is_new:
            return self._new.setdefault((kind, actual), expected)
        return self._new.get((kind, actual), Stranger(kind)) if self._new else Stranger(kind)

    def _bound(self, atom: object) -> Handle | None:
        """Return the handle that was bound to a value first, of whatever kind."""
        return next(filter(None, (self._handles.get((kind, atom)) for kind in self._kinds)), None)

    def _binds_id(self, handle: Handle, actual: object) -> bool:
        if handle in self.real:
            real = self.real[handle]
            return type(real) is type(actual) and real == actual
        try:
            if not self._binding or actual is None or (handle.kind, actual) in self._handles:
                return False
            if type(actual) is str and self._was_given(actual):
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
        keys = dict(zip(actual, actual, strict=True))
        for key, value in expected.items():
            real = self._real_key(key)
            if real not in keys or not _alike(real, keys[real]):
                return False
            if not self.binds(value, actual[real]):
                return False
        return True

    def _has_members(self, expected: Set[object], actual: Set[object]) -> bool:
        members = dict(zip(actual, actual, strict=True))
        wanted = map(self._real_key, expected)
        return len(expected) == len(members) and all(
            item in members and _alike(item, members[item]) for item in wanted
        )

    def _real_key(self, key: object) -> object:
        if type(key) is str or (type(key) is tuple and _NESTED.isdisjoint(map(type, key))):
            return key
        return map_atoms(key, self._known)

    def _known(self, atom: object) -> object:
        return self.real.get(atom, atom) if type(atom) is Handle else atom

    def _handle_of(self, atom: object, kind: str = "") -> object:
        """Return the handle of an id, if it is one: first the one of this kind."""
        if type(atom) in PLAIN and not kind:
            return atom
        try:
            handles = (self._handles.get((each, atom)) for each in (kind, *self._kinds))
            known = next(filter(None, handles), None)
        except TypeError:  # what cannot be hashed is no id
            known = None
        if known is not None:
            return known
        return atom if type(atom) is str else Stranger(type(atom).__name__)


class NotHeld(KeyError):
    """A system's census leaves out a part that was asked for."""


class Named(Mapping[str, object]):
    """What a system holds, with handles in place of ids; a part is named when it is looked at.

    Naming costs more than comparing, and invariants look at little.
    """

    def __init__(self, held: Mapping[str, object], renaming: Renaming) -> None:
        self._held = held
        self._renaming = renaming
        self._named: dict[str, object] = {}

    def __getitem__(self, name: str) -> object:
        if name not in self._held:
            raise NotHeld(name)
        if name not in self._named:
            self._named[name] = self._renaming.named(self._held[name])
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return repr(dict(self))


def _alike(one: object, other: object) -> bool:
    """Return whether two equal values are of the same types, items too (1 is not True)."""
    if type(one) is tuple and type(other) is tuple:
        kinds = tuple(map(type, one))
        return kinds == tuple(map(type, other)) and (
            tuple not in kinds or all(map(_alike, one, other))
        )
    return type(one) is type(other)


def real_key(to: object, real: Mapping[Handle, object]) -> object:
    """Return an addressee as the system names it, or itself where it has no id yet."""
    return map_atoms(to, lambda atom: real.get(atom, atom) if type(atom) is Handle else atom)
