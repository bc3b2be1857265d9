"""An operation: one call on the system, as frozen data that prints like the call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, field, make_dataclass
from inspect import Parameter
from operator import attrgetter
from typing import Any, ClassVar

from .handle import Dangling, Handle, parse_handle
from .timing import CALM, Timing

TIMING = "@timing"  # no argument can be called so


class Operation:
    """One call on the system: its kind, and arguments that are JSON values and handles.

    Model and driver have a method of the same name, so the same line makes the call on both. The
    classes are made from the methods of a model (`threadline.operation`), never written.
    """

    __slots__ = ("_line", "_timing")
    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    def apply(self, target: Any) -> Any:  # Any: a model or a driver, and what its method returns
        """Make this call on a model or a driver, and return what came back."""
        raise NotImplementedError

    def expect(self, model: Any) -> Any:
        """Make this call on a model; the same as apply, without asking its descriptor."""
        raise NotImplementedError

    def arguments(self) -> dict[str, object]:
        """Return the arguments by name, in the order of the method."""
        return {name: getattr(self, name) for name in self.names}

    def handles(self) -> Iterator[Handle]:
        """Yield each handle that an argument is or holds."""
        for name in self.names:
            yield from handles_in(getattr(self, name))

    def mapped(self, change: Callable[[object], object]) -> Operation:
        """Return this operation with `change` applied to each atom of its arguments."""
        mapped = type(self)(*[map_atoms(getattr(self, name), change) for name in self.names])
        return mapped if self.timing is CALM else mapped.timed(self.timing)

    @property
    def timing(self) -> Timing:
        """How it runs beside others; of no account where operations do not overlap."""
        try:
            return self._timing  # type: ignore[attr-defined, no-any-return]  # a slot, set below
        except AttributeError:
            return CALM

    def timed(self, timing: Timing) -> Operation:
        """Return this operation with another timing."""
        made = type(self)(*[getattr(self, name) for name in self.names])
        if timing != CALM:
            object.__setattr__(made, "_timing", timing)  # frozen for others
        return made

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
            said: dict[str, object] = {"operation": self.kind}
            said |= {name: to_json(value) for name, value in self.arguments().items()}
            if self.timing is not CALM:
                said[TIMING] = self.timing.as_json()
            text = json.dumps(said)
            line = text[1:].encode("ascii") + b"\n"
            object.__setattr__(self, "_line", line)  # frozen for others
            return line

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"{self.kind}({arguments})"

    def __repr__(self) -> str:
        return str(self)


# Names that a trace's line or an operation itself gives a meaning to.
RESERVED = frozenset({"operation", "step", "handle", "kind", "names", *dir(Operation)})


def make_operation(
    kind: str, parameters: Mapping[str, Parameter], owner: type, doc: str | None
) -> type[Operation]:
    """Return the class of operations that call the method `kind`, which takes these parameters.

    Raises TypeError for a parameter that a trace could not write and read back by its name.
    """
    for name, parameter in parameters.items():
        _check_parameter(f"{owner.__name__}.{kind}", name, parameter)
    names = tuple(parameters)
    body = {
        "apply": _calling(kind, names),
        "expect": _calling(plain_name(kind), names),
        "kind": kind,
        "names": names,
        "__doc__": doc,
    }
    fields = [
        (name, Any, field(default=MISSING if p.default is p.empty else p.default))
        for name, p in parameters.items()
    ]
    title = "".join(map(str.title, kind.split("_")))
    made: type[Operation] = make_dataclass(
        title, fields, bases=(Operation,), namespace=body, frozen=True, slots=True, repr=False
    )
    made.__module__ = owner.__module__
    return made


def plain_name(kind: str) -> str:
    """Return the name under which a model keeps the method of an operation as it was written."""
    return f"_plain_{kind}"


def _calling(method: str, names: tuple[str, ...]) -> Callable[[Operation, Any], Any]:
    """Return a function that calls a method of its target with an operation's arguments."""
    if not names:
        return lambda _self, target: getattr(target, method)()
    values = attrgetter(*names)
    if len(names) == 1:
        return lambda self, target: getattr(target, method)(values(self))
    return lambda self, target: getattr(target, method)(*values(self))


def _check_parameter(method: str, name: str, parameter: Parameter) -> None:
    if parameter.kind is not Parameter.POSITIONAL_OR_KEYWORD:
        raise TypeError(
            f"{method} takes {parameter}, which no trace can write by name; "
            "give it plain arguments, without *, ** and /"
        )
    if name in RESERVED:
        raise TypeError(
            f"{method} has an argument called {name!r}, which has a meaning already; rename it"
        )


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


def atoms_in(value: object) -> list[object]:
    """Return everything in a value that holds nothing else."""
    found: list[object] = []

    def note(atom: object) -> object:
        found.append(atom)
        return atom

    map_atoms(value, note)
    return found


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
