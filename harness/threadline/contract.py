"""A contract: the operations, the model and the judgement that one kind of system is held to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeAlias

from .failure import Disagreement, Property
from .leaks.bounds import Bounded
from .operation import Operation

Census: TypeAlias = Mapping[str, object]
"""What a model or a system says it holds: plain values and ids, by name."""

Invariant: TypeAlias = Callable[[Census, Census], None]
"""Asserts what must hold of the model's and the system's census, after every step."""

RESERVED = frozenset({"operation", "step", "handle", "kind", "names", *dir(Operation)})


class Model(Protocol):
    """The simplest implementation of a contract that is plainly right; pure, no clock, no disk."""

    def at(self, step: int) -> Self:
        """Take the number of the step that comes next, after which ids are named."""
        ...

    def census(self) -> Census:
        """Return what a right system holds now; proportional to what is live."""
        ...

    def shape(self) -> Hashable:
        """Return what kind of state this is, the same for states that differ in names only."""
        ...


class Driver(Protocol):
    """Turns operations into calls on one system, one method an operation; it decides nothing.

    It has a method for each operation of its contract, named as the operation's kind, but for
    those that it lists in `lacks`.
    """

    contract: ClassVar[Contract]
    policy: ClassVar[object] = None  # where systems legitimately differ; given to the model
    lacks: ClassVar[tuple[type[Operation], ...]] = ()
    bounds: ClassVar[tuple[Bounded, ...]] = ()  # what may be held at most after a run
    foreign: ClassVar[tuple[str, ...]] = ()  # packages whose objects a look for leaks leaves alone

    def census(self) -> Census | None:
        """Return what the system says it holds, or None if it cannot tell."""
        return None

    def roots(self) -> Mapping[str, object]:
        """Return what the system is held by: its own object, its loop, its modules, by name.

        What grows is looked for from here; nothing of the driver's own belongs to it.
        """
        return {}

    def forget(self) -> None:
        """Let go of what was noted for the next census: a run was torn down, and is repeated."""
        self.census()

    def close(self) -> None:  # a driver with nothing to close writes nothing
        """Give back everything that the system holds: the run is over."""
        return  # without this line, mypy takes it for abstract


@dataclass(frozen=True, slots=True)
class Contract:
    """What one kind of system is held to.

    `model` makes a model of a policy and settings. `blame` tells which property a disagreement
    breaks. `invariants` are asserted after each step, under the property that each guards.
    `teardown` yields, one by one, the operations that take a model from where it is back to empty.
    """

    name: str
    operations: tuple[type[Operation], ...]
    model: Callable[..., Any]  # Any: a Model that has one method more for each operation
    policy: object
    blame: Callable[[Any, Operation, Disagreement], Property]
    invariants: tuple[tuple[Property, Invariant], ...] = ()
    teardown: Callable[[Any], Iterable[Operation]] | None = None

    def __post_init__(self) -> None:
        known: dict[str, type[Operation]] = {}
        for operation in self.operations:
            _check_operation(operation)
            if known.setdefault(operation.kind, operation) is not operation:
                raise TypeError(f"two operations are called {operation.kind!r}; rename one class")

    def kinds(self) -> dict[str, type[Operation]]:
        """Return the operations by kind."""
        return {operation.kind: operation for operation in self.operations}


def _check_operation(operation: type[Operation]) -> None:
    """Raise TypeError for a class that cannot be written to a trace and read back."""
    name = operation.__name__
    slotted = {"__slots__", "__dataclass_params__"} <= vars(operation).keys()
    if not (slotted and vars(operation)["__dataclass_params__"].frozen):
        raise TypeError(
            f"{name} is no frozen, slotted dataclass; write @dataclass(frozen=True, slots=True)"
        )
    taken = RESERVED & set(operation.names)
    if taken:
        raise TypeError(
            f"{name} has a field called {min(taken)!r}, which has a meaning already; rename it"
        )
