"""What is enabled: the operations that the rules could draw now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import product
from typing import Any, NamedTuple

from ..handle import Dangling
from ..lockstep.outcomes import expected_of
from ..operation import Operation
from ..outcome import Unpredictable
from ..pool import Now
from ..rule import Rule
from ..trace import Numbered


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


def sequences(
    make: Callable[[], Any],  # Any: a model, which has a method for each operation
    rules: Sequence[Rule],
    length: int,
    kind: str,
    before: tuple[Numbered, ...] = (),
) -> Iterator[tuple[Numbered, ...]]:
    """Yield all sequences of so many operations of which the last is of this kind.

    A fresh model tells what can come after those before.
    """
    model = make()
    try:
        for number, operation in before:
            expected_of(model.at(number), operation)
    except (Dangling, Unpredictable):
        return
    now = Now(model)
    now.step = len(before) + 1
    for operation, _ in options(rules, now):
        longer = (*before, (now.step, operation))
        if len(longer) < length:
            yield from sequences(make, rules, length, kind, longer)
        elif operation.kind == kind:
            yield longer


def names_in_order(rule: Rule, values: tuple[object, ...], named: Set[object]) -> bool:
    """Return whether the symmetric values that are new here are the first ones not yet named."""
    seen = set(named)
    for (_, pool), value in zip(rule.pools, values, strict=True):
        if pool.symmetric and value not in seen:
            if value != next(first for first in pool.constant or () if first not in seen):
                return False
            seen.add(value)
    return True
