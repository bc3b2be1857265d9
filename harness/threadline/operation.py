"""An operation: one call on the system, as frozen data that prints like the call."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

from .handle import Dangling, Handle, parse_handle
from .outcome import Outcome


class Operation(ABC):
    """One call on the system.

    A subclass is a `@dataclass(frozen=True, slots=True)` whose fields are JSON values and handles,
    and whose `apply` is one line: model and driver implement the same contract, so the same line
    serves both. Its kind, used in traces and signatures, is the class name in snake case.
    """

    __slots__ = ("_line",)
    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        # Runs again on the class that dataclass(slots=True) makes; only then are its fields known.
        cls.names = tuple(field.name for field in fields(cls)) if is_dataclass(cls) else ()

    @abstractmethod
    def apply(self, target: Any) -> Outcome:  # Any: each contract has a type of its own
        """Make this call on a model or a driver, and return what came back."""

    def arguments(self) -> dict[str, object]:
        """Return the arguments by name, in the order of the fields."""
        return {name: getattr(self, name) for name in self.names}

    def handles(self) -> Iterator[Handle]:
        """Yield each handle that an argument is or holds."""
        for name in self.names:
            yield from handles_in(getattr(self, name))

    def mapped(self, change: Callable[[object], object]) -> Operation:
        """Return this operation with `change` applied to each atom of its arguments."""
        return type(self)(*[map_atoms(getattr(self, name), change) for name in self.names])

    def resolved(self, real: Mapping[Handle, object]) -> Operation:
        """Return this operation with the system's own values in place of handles.

        Raises Dangling for a handle that nothing is bound to.
        """
        for name in self.names:
            value = getattr(self, name)
            if type(value) is Handle or type(value) is tuple:
                return self.mapped(lambda atom: _real(atom, real))
        return self

    def line(self) -> bytes:
        """Return this operation as the end of its line in a trace; made once, then kept."""
        try:
            return self._line  # type: ignore[attr-defined, no-any-return]  # a slot, set below
        except AttributeError:
            arguments = {name: to_json(value) for name, value in self.arguments().items()}
            text = json.dumps({"operation": self.kind, **arguments})
            line = text[1:].encode("ascii") + b"\n"
            object.__setattr__(self, "_line", line)  # frozen for others
            return line

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"{self.kind}({arguments})"

    def __repr__(self) -> str:
        return str(self)


def handles_in(value: object) -> Iterator[Handle]:
    """Yield each handle that a value is or holds."""
    if type(value) is Handle:
        yield value
    elif isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from handles_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from handles_in(key)
            yield from handles_in(item)


def map_atoms(value: object, change: Callable[[object], object]) -> object:
    """Return the value with `change` applied to everything in it that holds nothing else."""
    kind = type(value)
    if kind is tuple:
        return tuple([map_atoms(item, change) for item in value])  # type: ignore[attr-defined]
    if kind is list:
        return [map_atoms(item, change) for item in value]  # type: ignore[attr-defined]
    if kind is set or kind is frozenset:
        return kind([map_atoms(item, change) for item in value])  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {map_atoms(k, change): map_atoms(item, change) for k, item in value.items()}
    return change(value)


def _real(atom: object, real: Mapping[Handle, object]) -> object:
    if type(atom) is not Handle:
        return atom
    try:
        return real[atom]
    except KeyError:
        raise Dangling(atom) from None


def to_json(value: Any) -> Any:
    """Return the value as JSON can hold it, a handle as {"handle": "c_7"}."""
    if type(value) is Handle:
        return {"handle": str(value)}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(
        f"a value of type {type(value).__name__} has no place in a trace: {value!r}; "
        "use text, numbers, booleans, None, handles, and tuples of these"
    )


def from_json(value: Any) -> Any:
    """Return the value that `to_json` made this of; lists come back as tuples.

    Raises ValueError for an object that is no handle.
    """
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if isinstance(value, dict):
        text = value.get("handle")
        if len(value) > 1 or not isinstance(text, str):
            raise ValueError(f'{value!r} is no handle; write {{"handle": "c_7"}}')
        return parse_handle(text)
    return value
