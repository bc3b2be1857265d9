"""A pool: the values that an argument can take now, simplest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(slots=True)
class Now:
    """What a pool may look at: the model, and the number of the step that comes next."""

    model: Any  # Any: each contract has a model of its own
    step: int = 1


@dataclass(frozen=True, slots=True)
class Pool(Generic[T]):
    """One function from now to values; picking, strategies and enumeration follow from it.

    `constant` holds the values of a pool that never changes. `symmetric` promises that its values
    are interchangeable, so that an exhaustive search need not try ben before ana. `identities` are
    those of its values that name somebody: users, threads.
    """

    values: Callable[[Now], Sequence[T]]
    constant: tuple[T, ...] | None = None
    symmetric: bool = False
    identities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.symmetric and self.constant is None:
            raise ValueError(
                "a pool that changes cannot be symmetric, for none of its values is the first; "
                "write pool('ana', 'ben', symmetric=True)"
            )

    def __or__(self, other: Pool[S]) -> Pool[T | S]:
        identities = (*self.identities, *other.identities)
        if self.constant is not None and other.constant is not None:
            constant: tuple[T | S, ...] = (*self.constant, *other.constant)
            return Pool(lambda _: constant, constant, identities=identities)
        return Pool(lambda now: [*self.values(now), *other.values(now)], identities=identities)


def pool(*values: T, symmetric: bool = False, identity: bool = False) -> Pool[T]:
    """Return a pool of these values, simplest first.

    With `identity` they are names, of users say, in whose place any other could stand: a hunt for
    leaks repeats a run with new names. Raises ValueError for no value at all, and for an identity
    that is no text.
    """
    if not values:
        raise ValueError("a pool needs at least one value; write pool('ana', 'ben')")
    names = tuple(value for value in values if isinstance(value, str) and value)
    if identity and len(names) < len(values):
        raise ValueError(
            f"an identity is a text that is not empty, not one of {values!r}; write "
            "pool('ana', 'ben', identity=True) | pool(None)"
        )
    own = names if identity else ()
    return Pool(lambda _: values, constant=values, symmetric=symmetric, identities=own)
