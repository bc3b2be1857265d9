"""A mutant as its table has it: which function of a system is changed, and how it is seen."""

from __future__ import annotations

from typing import Any

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant
from threadline.driver import Driver
from threadline.scenario import Scenario


def line(
    driver: type[Driver[Any]],
    package: str,
    name: str,
    bug: str,
    function: str,
    *,
    old: str,
    new: str,
    scenario: type[Scenario[Any]],
    also: tuple[Change, ...] = (),
    **least: int | tuple[int, ...],
) -> Mutant:
    """Return a system of which one function of the package is changed.

    `least` has in how many steps of the scenario each signature shows it, at least: `memory_wait`
    is memory-wait, and `__` begins where it shows.
    """
    signatures = {
        name.replace("__", ".").replace("_", "-", 1): steps for name, steps in least.items()
    }
    path = f"{package}.{function}"
    return Mutant(name, bug, path, old, new, driver, scenario, signatures, also=also)


def leak(
    driver: type[Driver[Any]],
    package: str,
    name: str,
    bug: str,
    function: str,
    *,
    path: str,
    steps: int,
    **change: Any,
) -> Mutant:
    """Return a system of which one function leaks on this path, in so many steps at least.

    `change` is the rest of a mutant: old, new, scenario and also.
    """
    least = {f"memory-{path}": steps}
    function = f"{package}.{function}"
    return Mutant(name, bug, function, driver=driver, least=least, leaks=True, **change)
