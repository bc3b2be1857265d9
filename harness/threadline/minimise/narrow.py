"""A scenario with fewer values: those that occur in some operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..operation import Operation
from ..pool import Pool
from ..pool import pool as pool_of
from ..rule import Rule, with_pools
from ..scenario import Scenario


def narrowed(scenario: type[Scenario[Any]], operations: Iterable[Operation]) -> type[Scenario[Any]]:
    """Return the scenario with only those constant values that occur in these operations.

    A pool of which none occurs keeps its simplest value; one that changes with the run is left.
    """
    atoms = [atom for operation in operations for atom in operation.arguments().values()]
    return scenario.changed(lambda rule: with_pools(rule, lambda pool: _narrowed(pool, atoms)))


def nearly(
    scenario: type[Scenario[Any]],
    operations: Sequence[Operation],
    lacks: tuple[type[Operation], ...],
) -> list[Rule]:
    """Return the rules of a narrowed scenario, and those of the kinds that occur with any value
    for one argument at a time.
    """
    kinds = {type(operation) for operation in operations}
    close = narrowed(scenario, operations).rules(lacks)
    wide = {rule.name: rule.pools for rule in scenario.rules(lacks)}
    return close + [
        replace(rule, pools=(*rule.pools[:n], wide[rule.name][n], *rule.pools[n + 1 :]))
        for rule in close
        if rule.operation in kinds
        for n in range(len(rule.pools))
    ]


def _narrowed(values: Pool[Any], atoms: Sequence[object]) -> Pool[Any]:
    if values.constant is None:
        return values
    kinds = [(type(atom), atom) for atom in atoms]
    kept = [value for value in values.constant if (type(value), value) in kinds]
    return pool_of(*(kept or values.constant[:1]), symmetric=values.symmetric)
