"""What a user of the command wrote: names and durations, or a clear error with status 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from ..contract import Contract
from ..defaults import BadDefaults, Defaults
from ..loading import BadName, Target, first_target, load_scenario, load_target
from ..trace import BadTrace

P = ParamSpec("P")
R = TypeVar("R")
UNITS_S = {"s": 1, "m": 60, "h": 3600}


def usage_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what a user can mend into a message and exit status 2, without a traceback."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BadName, BadTrace, BadDefaults) as error:
            raise click.UsageError(str(error)) from error

    return guarded


class Duration(click.ParamType[float]):
    """A length of time, such as 60s, 5m or 2h."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is no duration; write 60s, 5m or 2h", param, ctx)
        return float(match[1]) * UNITS_S[match[2]]


def target_for(driver: str | None, scenarios: tuple[str, ...], defaults: Defaults) -> Target:
    """Return the driver given, or else the project's first that fits the first scenario given.

    Without either it is the project's own. Raises BadName where there is none.
    """
    if scenarios and not driver:
        contract = load_scenario(_full_name(scenarios[0], defaults)).contract
        if found := first_target(defaults.every_driver(), contract):
            return found
    if driver or defaults.driver:
        return load_target(driver or defaults.driver)
    raise BadName(
        "no driver is named; give --driver MODULE:NAME, or write driver = 'MODULE:NAME' "
        "under [tool.threadline] in pyproject.toml"
    )


def plan_for(
    driver: str | None, scenarios: tuple[str, ...], defaults: Defaults
) -> list[tuple[str, Target]]:
    """Return the scenarios to run, by MODULE:NAME, each with the driver that it runs on.

    Without either given, it is every scenario of the project for whose contract there is a driver.
    Raises BadName.
    """
    if driver or scenarios:
        target = target_for(driver, scenarios, defaults)
        return [(name, target) for name in scenario_names(scenarios, defaults, target.contract)]
    found: dict[str, Target | None] = {}
    plan = []
    for name in defaults.scenarios:
        contract = load_scenario(name).contract
        if contract.name not in found:
            found[contract.name] = first_target(defaults.every_driver(), contract)
        if fitting := found[contract.name]:
            plan.append((name, fitting))
    if not plan:
        target = target_for(driver, scenarios, defaults)
        plan = [(name, target) for name in scenario_names((), defaults, target.contract)]
    return plan


def scenario_names(given: tuple[str, ...], defaults: Defaults, contract: Contract) -> list[str]:
    """Return the MODULE:NAME of each scenario given, or of all that fit the contract.

    A scenario can be given by its own name alone, in any case. Raises BadName for one that is
    unknown or of another contract, and where none fits.
    """
    if not given:
        fitting = [n for n in defaults.scenarios if load_scenario(n).contract == contract]
        if not fitting:
            raise BadName(f"no scenario of this project is for the contract {contract.name}")
        return fitting
    return [_scenario_name(name, defaults, contract) for name in given]


def _full_name(given: str, defaults: Defaults) -> str:
    known = {name.rpartition(":")[2].lower(): name for name in defaults.scenarios}
    if ":" not in given and given.lower() not in known:
        raise BadName(
            f"no scenario is called {given!r}; there are {', '.join(sorted(known)) or 'none'}, "
            "or write MODULE:NAME"
        )
    return known.get(given.lower(), given)


def _scenario_name(given: str, defaults: Defaults, contract: Contract) -> str:
    name = _full_name(given, defaults)
    scenario = load_scenario(name)
    if scenario.contract != contract:
        raise BadName(
            f"scenario {given} is for the contract {scenario.contract.name}, and the driver keeps "
            f"{contract.name}; `threadline scenarios` lists which is for which"
        )
    return name
