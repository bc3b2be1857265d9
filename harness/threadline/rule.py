"""A rule: takes its arguments from pools, and returns one operation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from .operation import Operation
from .pool import Now, Pool

Precondition = Callable[[Now], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to go on. It may fire when its precondition holds and none of its pools is empty.

    `weight` is how often it is tried, against a rule of weight 1; an exhaustive search ignores it.
    `body` is a function of its arguments alone, so that what it returns can be kept.
    """

    name: str
    body: Callable[..., Operation]
    pools: tuple[tuple[str, Pool[Any]], ...]
    precondition: Precondition | None
    weight: int

    def makes(self) -> tuple[type[Operation], ...]:
        """Return the operations that its body is annotated to return.

        Raises TypeError where the annotation names no particular operation.
        """
        hints = get_type_hints(self.body, vars(sys.modules[self.body.__module__]))
        returns = hints.get("return")
        kinds = get_args(returns) if get_origin(returns) in (Union, UnionType) else (returns,)
        if not all(_is_particular(kind) for kind in kinds):
            raise TypeError(
                f"rule {self.name} is annotated to return {returns!r}; "
                "name the operation that it makes, as in -> Append or -> Append | Pop"
            )
        return kinds

    def may_fire(self, now: Now) -> bool:
        return self.precondition is None or self.precondition(now)

    def make(self, *values: object) -> Operation:
        return self.body(None, *values)


def _is_particular(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Operation) and kind is not Operation


def rule(
    *, precondition: Precondition | None = None, weight: int = 1, **pools: Pool[Any]
) -> Callable[[Callable[..., Operation]], Rule]:
    """Make a method a rule: each argument is taken from the pool of its name."""

    def decorate(body: Callable[..., Operation]) -> Rule:
        code = body.__code__
        arguments = code.co_varnames[1 : code.co_argcount]
        if sorted(arguments) != sorted(pools):
            taken, given = ", ".join(arguments) or "nothing", ", ".join(pools) or "nothing"
            raise TypeError(
                f"rule {body.__name__} takes {taken}, and has pools for {given}; "
                "give each argument a pool of its name"
            )
        ordered = tuple((name, pools[name]) for name in arguments)
        return Rule(body.__name__, body, ordered, precondition, weight)

    return decorate
