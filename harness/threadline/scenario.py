"""A scenario: a plain class of rules, from which every engine takes what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .contract import Contract
from .operation import Operation
from .pool import Pool
from .rule import Rule


class Scenario:
    """What is tried: rules over pools, for systems of one contract.

    `settings` are drawn once per run, and given to the model and to the driver by name.
    """

    contract: ClassVar[Contract]
    settings: ClassVar[Mapping[str, Pool[Any]]] = {}

    @classmethod
    def rules(cls, lacks: tuple[type[Operation], ...] = ()) -> list[Rule]:
        """Return the rules, in the order of their definition, whose operations are not lacking.

        Raises ValueError where none is left.
        """
        found: dict[str, Rule] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Rule):
                    found[name] = value
                else:
                    found.pop(name, None)  # a derived class takes a rule back with name = None
        rules = [rule for rule in found.values() if not set(rule.makes()) & set(lacks)]
        if not rules:
            raise ValueError(f"{cls.__name__} has no rule for what the driver offers; add a rule")
        return rules
