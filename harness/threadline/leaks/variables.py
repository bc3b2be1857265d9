"""Global variables and those of classes, as far as something could grow there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, GenericAlias, ModuleType, UnionType
from typing import Any, NamedTuple

_WRAPPERS = (staticmethod, classmethod)
_FIXED = (type, BuiltinFunctionType, GenericAlias, UnionType)
_HAS_GC = 1 << 14  # of CPython's object.h: tracked by its collector


class Variable(NamedTuple):
    """What a reader calls it, where it stands, and under which name."""

    label: str
    space: Mapping[str, Any]
    name: str


class _Looked(NamedTuple):
    spaces: list[Sized]  # of the module, and of each class that it defines
    sizes: list[int]
    variables: list[Variable]


@dataclass(slots=True)
class Variables:
    """Reads the variables of a module; looks it over anew when it or its classes gain or lose
    names.

    `is_code` says which types of values are code, which is not watched; of a function, its closure
    and defaults are. A variable that held code at first, and holds data later, is not seen.
    """

    is_code: Callable[[type], bool]
    _looked: dict[str, _Looked] = field(default_factory=dict)

    def of(self, module: ModuleType) -> Iterator[tuple[str, object]]:
        """Yield the values now, each by its name; cost: the number of them."""
        known = self._looked.get(module.__name__)
        if known is None or list(map(len, known.spaces)) != known.sizes:
            known = self._looked[module.__name__] = self._look(module)
        for label, space, name in known.variables:
            if name in space:
                yield label, _inner(space[name])

    def _look(self, module: ModuleType) -> _Looked:
        own = vars(module)
        classes = [each for each in own.values() if _is_own(each, module)]
        spaces: list[Mapping[str, Any]] = [own, *map(vars, classes)]
        labels = [".", *(f".{owner.__qualname__}." for owner in classes)]
        found = [
            Variable(label + name, space, name)
            for label, space in zip(labels, spaces, strict=True)
            for name, value in space.items()
            if not name.startswith(("__", "_abc_")) and not self._is_fixed(_inner(value))
        ]
        return _Looked([*spaces], [*map(len, spaces)], found)

    def _is_fixed(self, value: object) -> bool:
        if isinstance(value, FunctionType):
            defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
            return not value.__closure__ and not any(map(_may_hold, defaults))
        return self.is_code(type(value)) or not (value is None or _may_hold(value))


def _may_hold(value: object) -> bool:
    """Return whether something that grows can stand behind a value."""
    if isinstance(value, (tuple, frozenset)):
        return any(map(_may_hold, value))
    grows = type(value).__flags__ & _HAS_GC or isinstance(value, bytearray)
    return bool(grows) and not isinstance(value, _FIXED)


def _is_own(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


def _inner(value: Any) -> Any:
    """Return the function that a static or class method wraps; anything else as it is."""
    return value.__func__ if isinstance(value, _WRAPPERS) else value
