"""A state as a value that can be compared and hashed, whatever objects it is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from functools import cache, partial
from types import BuiltinFunctionType, CellType, FunctionType, GeneratorType, MethodType
from typing import Any

from ..handle import Handle
from ..model import Census
from ..operation import map_atoms
from .renaming import ATOMS

DEPTH_MAX = 200  # of what a model holds, as far as states are compared; our choice
# Atoms that stand for themselves: they are equal to nothing else here, as 1 is to True and 1.0.
BARE = frozenset({str, int, type(None), Handle})


def copied(held: Census | None) -> Census | None:
    """Return what a system holds now, which it may change later; ids stay the same objects."""
    if not isinstance(held, Mapping):
        return held
    return {name: map_atoms(value, lambda atom: atom) for name, value in held.items()}


class States:
    """Gives equal states the same value, in whatever order their dicts were filled.

    Of a generator that is where it stands, and what it knows there; of a function what it does, and
    what it knows. Of their `self` it is what is plain there, as that mostly leads to all the rest.
    A part that has been met in any state before has a name, so that states are compared by few of
    them.
    """

    def __init__(self) -> None:
        self._names: dict[Hashable, object] = {}

    def value(self, state: object) -> Hashable:
        """Return the value of a state, to be compared with other values from here."""
        return _Freezer(self._names).freeze(state)


class _Freezer:
    """Freezes each object once, and says of one that leads back to itself how far back it is.

    `kept` are the objects that lead to nothing outside of them that is on the way now: these are
    the same wherever they are met. `back` is how near to the root anything led since it was set.
    """

    def __init__(self, names: dict[Hashable, object]) -> None:
        self.names = names
        self.kept: dict[int, Hashable] = {}
        self.path: dict[int, int] = {}
        self.back = DEPTH_MAX

    def freeze(self, value: object) -> Hashable:
        kind: type = type(value)
        if kind in BARE:
            return value
        if kind in ATOMS:
            return kind.__name__, value  # 1 is not True
        name = id(value)
        if name in self.kept:
            return self.kept[name]
        path = self.path
        depth = len(path)
        if name in path:
            self.back = min(self.back, path[name])
            return "again", depth - path[name]
        if depth >= DEPTH_MAX:
            return "deep", name
        before, self.back = self.back, DEPTH_MAX
        path[name] = depth
        parts = _way(kind)(self, value)
        found = self.names.setdefault((kind, parts), object())
        del path[name]
        if self.back >= depth:
            self.kept[name] = found
            self.back = before
        else:
            self.back = min(self.back, before)
        return found

    def mapping(self, value: Mapping[Any, Any]) -> Hashable:
        freeze = self.freeze
        return frozenset(
            [
                (
                    key if type(key) in BARE else freeze(key),
                    item if type(item) in BARE else freeze(item),
                )
                for key, item in value.items()
            ]
        )

    def sequence(self, value: Any) -> Hashable:
        freeze = self.freeze
        return tuple([each if type(each) in BARE else freeze(each) for each in value])

    def members(self, value: Any) -> Hashable:
        return frozenset([*map(self.freeze, value)])

    def generator(self, value: GeneratorType[object, object, object]) -> Hashable:
        frame = value.gi_frame
        if frame is None:
            return value.__qualname__
        inner = self.freeze(value.gi_yieldfrom)
        return value.__qualname__, frame.f_lasti, self._known(frame.f_locals), inner

    def function(self, value: FunctionType) -> Hashable:
        code, cells = value.__code__, value.__closure__ or ()
        around = zip(code.co_freevars, cells, strict=True)
        known = self._known({name: cell.cell_contents for name, cell in around if _is_filled(cell)})
        return code, self.sequence([value.__defaults__, value.__kwdefaults__]), known

    def method(self, value: MethodType) -> Hashable:
        return self.sequence([value.__func__, value.__self__])

    def given(self, value: partial[Any]) -> Hashable:
        return self.sequence([value.func, value.args, value.keywords])

    def _known(self, names: Mapping[str, object]) -> Hashable:
        """Freeze what is known by some names, and of `self` what is plain."""
        return frozenset(
            [
                (name, _plain_in(each) if name == "self" else self.freeze(each))
                for name, each in names.items()
            ]
        )

    def itself(self, value: object) -> Hashable:
        return value

    def fields(self, value: object) -> Hashable:
        freeze = self.freeze
        kind: type = type(value)
        slots = [getattr(value, name, None) for name in _slots(kind)]
        known = tuple([each if type(each) in BARE else freeze(each) for each in slots])
        more = getattr(value, "__dict__", None)
        return (known, self.mapping(more)) if more else known


@cache
def _way(kind: type) -> Callable[[_Freezer, Any], Hashable]:
    """Return how what is of a type is frozen."""
    has_fields = kind.__dictoffset__ or _slots(kind)
    if issubclass(kind, Mapping):
        return _Freezer.mapping
    if issubclass(kind, (list, tuple, deque)):
        return _Freezer.sequence
    if issubclass(kind, (set, frozenset)):
        return _Freezer.members
    ways: dict[type, Callable[[_Freezer, Any], Hashable]] = {
        GeneratorType: _Freezer.generator,
        FunctionType: _Freezer.function,
        MethodType: _Freezer.method,
        partial: _Freezer.given,
        type: _Freezer.itself,
        BuiltinFunctionType: _Freezer.itself,
    }
    other = _Freezer.itself if issubclass(kind, Hashable) and not has_fields else _Freezer.fields
    return next((way for each, way in ways.items() if issubclass(kind, each)), other)


def _plain_in(value: object) -> Hashable:
    """Return the type of an object, and those of its attributes that stand for themselves."""
    kind: type = type(value)
    named = {name: getattr(value, name, None) for name in _slots(kind)}
    named |= getattr(value, "__dict__", {})
    return kind, frozenset([pair for pair in named.items() if type(pair[1]) in BARE])


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


@cache
def _slots(kind: type) -> tuple[str, ...]:
    names = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
    return tuple(name for name in names if name[:2] != "__")
