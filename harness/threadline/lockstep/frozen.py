"""A state as a value that can be compared and hashed, whatever objects it is made of."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import GeneratorType

from ..handle import Handle
from .renaming import ATOMS

DEPTH_MAX = 200  # of what a model holds, as far as states are compared; our choice


def frozen(value: object) -> Hashable:
    """Return a value that is equal for equal states, in whatever order their dicts were filled.

    Of a generator it is where it stands, and what it knows there but for its `self`.
    """
    return _Freezer().freeze(value)


@dataclass(slots=True)
class _Freezer:
    """Freezes each object once, and says of one that leads back to itself how far back it is.

    `kept` are the objects that lead to nothing outside of them that is on the way now: these are
    the same wherever they are met. `back` is how near to the root anything led since it was set.
    """

    kept: dict[int, Hashable] = field(default_factory=dict)
    path: dict[int, int] = field(default_factory=dict)
    back: int = DEPTH_MAX

    def freeze(self, value: object) -> Hashable:
        kind = type(value)
        if kind in ATOMS or kind is Handle:
            return kind.__name__, value  # 1 is not True
        name = id(value)
        if name in self.kept:
            return self.kept[name]
        depth = len(self.path)
        if name in self.path:
            self.back = min(self.back, self.path[name])
            return "again", depth - self.path[name]
        if depth >= DEPTH_MAX:
            return name
        before, self.back = self.back, DEPTH_MAX
        self.path[name] = depth
        found = self._parts(value, kind)
        del self.path[name]
        if self.back >= depth:
            self.kept[name] = found
            self.back = before
        self.back = min(self.back, before)
        return found

    def _parts(self, value: object, kind: type) -> Hashable:
        freeze = self.freeze
        if isinstance(value, Mapping):
            return frozenset([(freeze(key), freeze(item)) for key, item in value.items()])
        if isinstance(value, (list, tuple, deque)):
            return kind.__name__, tuple([freeze(each) for each in value])
        if isinstance(value, (set, frozenset)):
            return frozenset([freeze(each) for each in value])
        if isinstance(value, GeneratorType):
            return self._generator(value)
        fields = {name: getattr(value, name, None) for name in _slots(kind)}
        fields |= getattr(value, "__dict__", {})
        if callable(value) or not fields:
            return kind.__name__, id(kind)
        return kind.__name__, frozenset([(name, freeze(each)) for name, each in fields.items()])

    def _generator(self, value: GeneratorType[object, object, object]) -> Hashable:
        frame = value.gi_frame
        if frame is None:
            return value.__qualname__, "is over"
        known = [
            (name, self.freeze(each)) for name, each in frame.f_locals.items() if name != "self"
        ]
        inner = self.freeze(value.gi_yieldfrom)
        return value.__qualname__, frame.f_lasti, frozenset(known), inner


@cache
def _slots(kind: type) -> tuple[str, ...]:
    names = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
    return tuple(name for name in names if name[:2] != "__")
