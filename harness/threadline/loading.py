"""A target: a driver by its name, loaded and looked over before the first run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .contract import Contract, Driver
from .operation import Operation
from .scenario import Scenario


class BadName(ValueError):
    """A MODULE:NAME that leads to nothing of use; says what was expected."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a campaign is run against: how to make a fresh driver, and what it declares."""

    name: str
    make: Callable[..., Driver]
    contract: Contract
    policy: object
    lacks: tuple[type[Operation], ...]


def load(name: str) -> Any:
    """Return the object that MODULE:NAME names, the current folder being on the path.

    Raises BadName, saying which half was not found.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise BadName(f"{name!r} names no object; write MODULE:NAME, as in drivers.mine:MyDriver")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise BadName(f"{name!r}: {error}; {_advice(module_name, error)}") from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        own = sorted(key for key, value in vars(module).items() if _is_own(module, value))
        raise BadName(f"{module_name} has no {attribute!r}; it has {', '.join(own)}") from None


def load_target(
    name: str, settings: Mapping[str, object] | None = None, *, whole: bool = True
) -> Target:
    """Return the driver of that name, made once to read what it declares.

    Raises BadName where it has no contract, or (`whole`) lacks a method that it does not declare.
    """
    make = load(name)
    if not callable(make):
        raise BadName(f"{name} is {make!r}, which makes no driver; name a class or a function")
    with closing(make(**(settings or {}))) as driver:
        contract = getattr(driver, "contract", None)
        if not isinstance(contract, Contract):
            raise BadName(
                f"{name} made {type(driver).__name__}, which names no contract; "
                "write contract = CONVERSATION_STORE (or another of models/) in its class"
            )
        target = Target(name, make, contract, driver.policy, driver.lacks)
        missing = missing_methods(driver, target) if whole else []
    if missing:
        raise BadName(
            f"{name} has no method {', '.join(missing)} of the contract {contract.name}; "
            "write it, or list its operation in lacks"
        )
    return target


def first_target(names: Iterable[str], contract: Contract) -> Target | None:
    """Return the first of these drivers that keeps a contract, passing over what cannot be loaded.

    So a driver whose extra is not installed is as one that is not there.
    """
    for name in names:
        try:
            target = load_target(name)
        except BadName:
            continue
        if target.contract == contract:
            return target
    return None


def missing_methods(driver: Driver, target: Target) -> list[str]:
    """Return the operations that a driver neither has a method for nor declares as lacking."""
    offered = [o for o in target.contract.operations if o not in target.lacks]
    return [o.kind for o in offered if not callable(getattr(driver, o.kind, None))]


def load_scenario(name: str) -> type[Scenario]:
    """Return the scenario of that name; raises BadName where it is none."""
    scenario = load(name)
    if not (isinstance(scenario, type) and issubclass(scenario, Scenario)):
        raise BadName(f"{name} is {scenario!r}, which is no scenario; derive a class from Scenario")
    return scenario


def _is_own(module: ModuleType, value: object) -> bool:
    """Say whether a module defines a value itself, and so may mean it to be named."""
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _advice(module_name: str, error: ModuleNotFoundError) -> str:
    if error.name and module_name.startswith(error.name.partition(".")[0]):
        return "run threadline in the folder that holds it"
    return "install it, or the extra that brings it"
