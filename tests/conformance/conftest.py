"""Fixtures of the examples: a model, and in lockstep with it each driver of its contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from threadline.driver import end
from threadline.loading import Target

from tests.conformance.targets import DRIVERS, mutants, targets

MUTANTS = "--mutants"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(MUTANTS, action="store_true", help="examples meet mutants in place of drivers")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        names = mutants() if metafunc.config.getoption(MUTANTS, False) else DRIVERS
        needs = {kind for mark in metafunc.definition.iter_markers("needs") for kind in mark.args}
        found = [
            target
            for target in targets(names, metafunc.module.TALK.contract)
            if needs.isdisjoint(each.kind for each in target.lacks)
        ]
        metafunc.parametrize("target", found, ids=[target.name for target in found])


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
