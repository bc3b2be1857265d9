"""Fixtures of the examples: a model, and in lockstep with it each driver of its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from threadline import Model
from threadline.defaults import read_defaults
from threadline.driver import end
from threadline.loading import BadName, Target, load, load_target

from tests.project import ROOT

MUTANTS = "--mutants"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(MUTANTS, action="store_true", help="examples meet mutants in place of drivers")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        names = mutants() if metafunc.config.getoption(MUTANTS, False) else drivers()
        metafunc.parametrize("target", targets(names, metafunc.module.TALK.contract))


def drivers() -> tuple[str, ...]:
    return tuple(read_defaults(ROOT).drivers)


@cache
def mutants() -> tuple[str, ...]:
    groups = [(name.partition(":")[0], load(name)) for name in read_defaults(ROOT).mutants]
    return tuple(f"{module}:{mutant.name}" for module, group in groups for mutant in group)


@cache
def targets(names: tuple[str, ...], contract: type[Model]) -> list[Any]:  # Any: pytest's own type
    """Return the drivers of a contract; what cannot be loaded is there to be told as skipped."""
    found = []
    for name in names:
        try:
            target = load_target(name)
        except BadName as missing:
            found.append(pytest.param(None, id=name, marks=pytest.mark.skip(reason=str(missing))))
            continue
        if target.model is contract:
            found.append(pytest.param(target, id=name))
    return found


@pytest.fixture
def begin(request: pytest.FixtureRequest, target: Target) -> Iterator[Callable[..., Any]]:
    """Begin a talk under these settings; its driver is closed after the test."""
    with ExitStack() as opened:

        def made(**settings: object) -> Any:
            talk = request.module.TALK(target, settings)
            opened.callback(end, talk.driver)
            return talk

        yield made


@pytest.fixture
def talk(begin: Callable[..., Any]) -> Any:
    return begin()
