"""A rule: takes the arguments of one operation from pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .handle import Handle
from .model import Marked, OperationType, When
from .operation import Operation
from .pool import Now, Pool

TOGETHER = "together"  # the name of the pool that gives several arguments at once


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to go on, that may fire when its precondition holds and none of its pools is empty.

    `weight` is how often it is tried, against a rule of weight 1; an exhaustive search ignores it.
    `fixed` are the arguments that are always the same. A pool called `user.0` gives the first item
    of the argument user.
    """

    operation: type[Operation]
    pools: tuple[tuple[str, Pool[Any]], ...]
    fixed: Mapping[str, object]
    precondition: When | None
    weight: int
    name: str = ""
    is_plain: bool = field(init=False)  # values are the arguments as they come

    def __post_init__(self) -> None:
        names = tuple(name for name, _ in self.pools)
        object.__setattr__(self, "is_plain", names == self.operation.names)  # frozen for others

    def may_fire(self, now: Now) -> bool:
        return self.precondition is None or self.precondition(now)

    def make(self, *values: Any) -> Operation:
        """Return the operation that these values give, one for each pool.

        Raises TypeError where a pool of tuples gives too many arguments, or too few.
        """
        if self.is_plain:
            return self.operation(*values)
        given = dict(self.fixed)
        for (name, _), value in zip(self.pools, values, strict=True):
            if name == TOGETHER:
                given |= _together(self.operation, value)
            elif "." in name:
                argument = name.partition(".")[0]
                given[argument] = (*given.get(argument, ()), value)  # type: ignore[misc]  # a tuple
            else:
                given[name] = value
        return self.operation(**given)

    def given_by(self, name: str, value: Any) -> dict[str, object]:
        """Return what one value of the pool of this name gives: arguments, or items of one."""
        return _together(self.operation, value) if name == TOGETHER else {name: value}


def rule(
    operation: OperationType[...],
    together: Pool[Any] | None = None,
    *,
    weight: int | None = None,
    when: When | None = None,
    **pools: Any,
) -> Any:  # Any: a Rule, once its scenario gives it a name and the operation's own pools
    """Return a rule that takes each argument of an operation from the pool of its name.

    A value that is no Pool is always the same; a tuple of pools gives a tuple. `together` is a
    pool of tuples, each of which gives several arguments: the first ones, or by name those that a
    named tuple has fields for. What is not given is drawn as the operation itself says, as is the
    weight. `when` is a precondition beside the operation's own.
    """
    return Draft(operation, together, weight, when, pools)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A rule as a scenario writes it, before it is known of which model's operation."""

    operation: Any  # a class of operations, which its model may have marked otherwise
    together: Pool[Any] | None
    weight: int | None
    when: When | None
    pools: Mapping[str, Any]

    def rule(self, name: str, marked: Marked[Any, Any, Any]) -> Rule:
        """Return the rule of this name, filled up with what the operation itself says.

        Raises TypeError for an argument that has no pool, and for a pool without an argument.
        """
        own = {} if self.together is not None else dict(marked.pools or {})
        given = {**own, **self.pools}
        return make_rule(
            name,
            marked.made,
            given,
            self.together,
            weight=self.weight or marked.weight or 1,
            when=_both(marked.when, self.when),
        )


def make_rule(
    name: str,
    operation: type[Operation],
    given: Mapping[str, Any],
    together: Pool[Any] | None = None,
    *,
    weight: int = 1,
    when: When | None = None,
) -> Rule:
    """Return a rule whose pools stand in the order of the operation's arguments."""
    names = operation.names
    missing = [each for each in names if each not in given] if together is None else []
    unknown = [each for each in given if each not in names]
    if missing or unknown:
        has, takes = ", ".join(given) or "nothing", ", ".join(names) or "nothing"
        raise TypeError(
            f"rule {name}: {operation.kind} takes {takes}, and has pools for {has}; "
            "give each argument a pool of its name"
        )
    pools: list[tuple[str, Pool[Any]]] = [] if together is None else [(TOGETHER, together)]
    fixed: dict[str, object] = {}
    for each in [each for each in names if each in given]:
        value = given[each]
        if isinstance(value, Pool):
            pools.append((each, value))
        elif isinstance(value, tuple) and value and all(isinstance(v, Pool) for v in value):
            pools += [(f"{each}.{place}", item) for place, item in enumerate(value)]
        else:
            fixed[each] = value
    return Rule(operation, tuple(pools), fixed, when, weight, name)


def own_rule(name: str, marked: Marked[Any, Any, Any]) -> Rule | None:
    """Return the rule that an operation gives by itself; None where an argument has no pool."""
    pools = dict(marked.pools or {})
    if set(marked.made.names) - set(pools):
        return None
    return make_rule(name, marked.made, pools, weight=marked.weight or 1, when=marked.when)


def with_pools(rule: Rule, change: Callable[[Pool[Any]], Pool[Any]]) -> Rule:
    """Return a rule with each of its pools changed."""
    return replace(rule, pools=tuple((name, change(pool)) for name, pool in rule.pools))


def _together(operation: type[Operation], value: Any) -> dict[str, object]:
    """Return what one value of a pool of tuples gives: the first arguments, or those of its fields.

    Raises TypeError for a value that is no such tuple.
    """
    names = operation.names
    if type(value) is Handle or not isinstance(value, tuple) or len(value) > len(names):
        raise TypeError(
            f"{operation.kind} takes {', '.join(names) or 'nothing'}, and is given {value!r} from "
            "a pool without a name, which gives several arguments together, as a tuple; a pool of "
            "one argument has its name"
        )
    return dict(zip(getattr(value, "_fields", names), value, strict=False))


def _both(one: When | None, other: When | None) -> When | None:
    if one is None or other is None:
        return one or other
    return lambda now: one(now) and other(now)
