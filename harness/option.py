"""An option: one operation that the rules could draw now."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import product
from typing import NamedTuple

from .operation import Operation
from .pool import Now
from .rule import Rule


class Option(NamedTuple):
    """One operation that can come, and the values that it was made of."""

    operation: Operation
    values: tuple[object, ...]


def options(rules: Iterable[Rule], now: Now, named: Set[object] | None = None) -> list[Option]:
    """Return each operation that can come now, once.

    With `named`, the values named so far, without those that differ from another one only in
    which of the symmetric values comes first.
    """
    made: dict[bytes, Option] = {}
    for rule in [rule for rule in rules if rule.may_fire(now)]:
        for values in product(*[pool.values(now) for _, pool in rule.pools]):
            if named is None or names_in_order(rule, values, named):
                option = Option(rule.make(*values), values)
                # Two rules can make one operation; by line, because 1 and True are equal.
                made.setdefault(option.operation.line(), option)
    return list(made.values())


def names_in_order(rule: Rule, values: tuple[object, ...], named: Set[object]) -> bool:
    """Say whether the symmetric values that are new here are the first ones not yet named."""
    seen = set(named)
    for (_, pool), value in zip(rule.pools, values, strict=True):
        if pool.symmetric and value not in seen:
            if value != next(first for first in pool.constant or () if first not in seen):
                return False
            seen.add(value)
    return True
