"""Mutants that are whole parts, which a system is made with instead of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from threadline.campaign.mutant import Mutant
from threadline.driver import Driver
from threadline.scenario import Scenario


class PartMutant(Mutant):
    """Makes drivers of one system with one bug, for as long as not all are a changed line."""

    make: Callable[..., Driver[Any]]

    def __init__(
        self,
        name: str,
        bug: str,
        make: Callable[..., Driver[Any]],
        scenario: type[Scenario[Any]],
        least: Mapping[str, int | tuple[int, ...]],
        *,
        leaks: bool = False,
    ) -> None:
        driver: object = make
        while isinstance(driver, partial):
            driver = driver.func
        own = {"name": name, "bug": bug, "make": make, "scenario": scenario, "least": least}
        for field, value in {**own, "leaks": leaks, "driver": driver}.items():
            object.__setattr__(self, field, value)

    def __call__(self, **settings: Any) -> Driver[Any]:
        return self.make(**settings)


def leaking(
    broken: type[Any],
    make: Callable[..., Driver[Any]],
    scenario: type[Scenario[Any]],
    path: str,
    steps: int,
) -> Mutant:
    """Return the mutant whose part is this class, which leaks on a path."""
    least = {f"memory-{path}": steps}
    return PartMutant(broken.__name__, broken.__doc__ or "", make, scenario, least, leaks=True)
