"""Which drivers, or which mutants in their place, are held to the examples."""

from __future__ import annotations

from functools import cache

from threadline import Model
from threadline.defaults import read_defaults
from threadline.loading import BadName, Target, load, load_target

from tests.project import ROOT

DRIVERS = tuple(read_defaults(ROOT).drivers)


@cache
def mutants() -> tuple[str, ...]:
    groups = [(name.partition(":")[0], load(name)) for name in read_defaults(ROOT).mutants]
    return tuple(f"{module}:{mutant.name}" for module, group in groups for mutant in group)


@cache
def targets(names: tuple[str, ...], contract: type[Model]) -> list[Target]:
    """Return those of a contract that can be loaded: what needs an extra may not be there."""
    found = []
    for name in names:
        try:
            found.append(load_target(name))
        except BadName:
            continue
    return [target for target in found if target.model is contract]
