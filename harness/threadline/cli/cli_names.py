"""What a user of the command wrote: names and durations, or a clear error with status 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from ..defaults import BadDefaults, Defaults
from ..known import BadKnown
from ..loading import (
    BadName,
    Target,
    first_target,
    fits,
    load,
    load_scenario,
    load_target,
    scenarios_beside,
)
from ..model import Model
from ..printable import printable
from ..report.record import BadRecord
from ..scenario import Scenario
from ..trace import BadTrace

P = ParamSpec("P")
R = TypeVar("R")
UNITS_S = {"s": 1, "m": 60, "h": 3600}


class Unusable(click.ClickException):
    """What was given cannot be used; told in one line, with exit status 2."""

    exit_code = 2


def tell(*lines: str, err: bool = False) -> None:
    """Print lines in which a system or a trace may have a say, each of them made printable."""
    for line in lines:
        click.echo(printable(line), err=err)


# What a user has written or given, and can fix.
USER_ERRORS = (BadName, BadTrace, BadDefaults, BadKnown, BadRecord)
UNUSABLE = 2  # as click exits where a command is used in a way that it cannot be


def usage_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what a user can fix into one line and exit status 2, without a traceback."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except USER_ERRORS as error:
            raise Unusable(printable(str(error))) from error

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


class Size(click.ParamType[float]):
    """An amount of memory, such as 512MiB or 2GiB; in MiB."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return how many MiB a text means."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(MiB|GiB)", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is no amount of memory; write 512MiB or 2GiB", param, ctx)
        return float(match[1]) * (1024 if match[2] == "GiB" else 1)


def asked_for(
    words: tuple[str, ...], driver: str | None, defaults: Defaults
) -> tuple[str | None, tuple[str, ...]]:
    """Return the driver and the scenarios that the words of a command name.

    A word is the name of a scenario of the project, or MODULE:NAME (or PATH:NAME) of a scenario, a
    model or a driver. Raises BadName for a word that names nothing, and for a second driver.
    """
    scenarios = []
    for word in words:
        if _is_scenario(word, defaults):
            scenarios.append(word)
        elif driver is not None and driver != word:
            raise BadName(f"{word} is a second driver, beside {driver}; run one after the other")
        else:
            driver = word
    return driver, tuple(scenarios)


def _is_scenario(word: str, defaults: Defaults) -> bool:
    if ":" not in word:
        _full_name(word, defaults)
        return True
    found = load(word)
    return isinstance(found, type) and issubclass(found, (Scenario, Model))


def target_for(driver: str | None, scenarios: tuple[str, ...], defaults: Defaults) -> Target:
    """Return the driver given, or else the project's first that fits the first scenario given.

    Without either it is the project's own. Raises BadName where there is none.
    """
    if scenarios and not driver:
        scenario = load_scenario(_full_name(scenarios[0], defaults))
        if found := first_target(defaults.every_driver(), scenario):
            return found
        name = scenario.model.__name__
        raise BadName(f"no driver of this project is one of {name}; give --driver MODULE:NAME")
    if driver or defaults.driver:
        return load_target(driver or defaults.driver)
    raise BadName(
        "no driver is named; give its MODULE:NAME, as in threadline fuzz mine:MyDriver, or write "
        "driver = 'MODULE:NAME' under [tool.threadline] in pyproject.toml"
    )


def plan_for(
    words: tuple[str, ...], driver: str | None, defaults: Defaults
) -> list[tuple[str, Target]]:
    """Return the scenarios to run, by MODULE:NAME, each with the driver that it runs on.

    The words of the command name both. Without them, it is every scenario of the project for whose
    model there is a driver. Raises BadName.
    """
    driver, scenarios = asked_for(words, driver, defaults)
    if driver or scenarios:
        target = target_for(driver, scenarios, defaults)
        return [(name, target) for name in scenario_names(scenarios, defaults, target)]
    found: dict[tuple[type[Model], bool], Target | None] = {}
    plan = []
    for name in defaults.scenarios:
        scenario = load_scenario(name)
        kind = scenario.model, scenario.overlap
        if kind not in found:
            found[kind] = first_target(defaults.every_driver(), scenario)
        if fitting := found[kind]:
            plan.append((name, fitting))
    if not plan:
        target = target_for(driver, scenarios, defaults)
        plan = [(name, target) for name in scenario_names((), defaults, target)]
    return plan


def plan_of_all(
    drivers: tuple[str, ...], scenarios: tuple[str, ...], defaults: Defaults
) -> tuple[list[tuple[str, Target]], list[str]]:
    """Return every scenario with every driver that it fits, and a line for what is not there.

    Those given, or else all of the project; a listed driver that cannot be loaded is left out.
    Raises BadName for one that was given and cannot be loaded, and where nothing fits.
    """
    plan: list[tuple[str, Target]] = []
    missing: list[str] = []
    wanted = [_full_name(name, defaults) for name in scenarios]
    for name in drivers or dict.fromkeys(defaults.every_driver()):
        try:
            target = load_target(name)
        except BadName as error:
            if drivers:
                raise
            missing.append(f"left out: {name} is not available: {error}")
            continue
        names = wanted or scenario_names((), defaults, target)
        plan += [(each, target) for each in names if fits(load_scenario(each), target.driver)]
    if not plan:
        target = target_for(None, (), defaults)  # which says what to write where there is none
        raise BadName(f"none of {', '.join(wanted)} is for the drivers given, as {target.name}")
    return plan, missing


def scenario_names(given: tuple[str, ...], defaults: Defaults, target: Target) -> list[str]:
    """Return the MODULE:NAME of each scenario given, or of all that fit a driver.

    Those are the project's; where it lists none, those beside the driver and its model. A scenario
    can be given by its own name alone, in any case. Raises BadName for one that is unknown or of
    another model.
    """
    if given:
        return [_scenario_name(name, defaults, target) for name in given]
    fitting = [n for n in defaults.scenarios if fits(load_scenario(n), target.driver)]
    names = fitting or scenarios_beside(target.driver)
    for name in names:
        load_scenario(name)
    return names


def _full_name(given: str, defaults: Defaults) -> str:
    known = {name.rpartition(":")[2].lower(): name for name in defaults.scenarios}
    if ":" not in given and given.lower() not in known:
        raise BadName(
            f"no scenario is called {given!r}; there are {', '.join(sorted(known)) or 'none'}, "
            "or write MODULE:NAME"
        )
    return known.get(given.lower(), given)


def _scenario_name(given: str, defaults: Defaults, target: Target) -> str:
    name = _full_name(given, defaults)
    scenario = load_scenario(name)
    if scenario.model is not target.model:
        raise BadName(
            f"scenario {given} is for {scenario.model.__name__}, and {target.name} is a driver of "
            f"{target.model.__name__}; `threadline scenarios` lists which is for which"
        )
    return name
