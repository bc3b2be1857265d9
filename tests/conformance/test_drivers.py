"""Every driver of the project meets examples."""

from __future__ import annotations

import re

import pytest
from threadline.loading import BadName, load_target

from tests.conformance.talks import (
    DatabaseTalk,
    ManagerTalk,
    PartsTalk,
    PoolTalk,
    QueueTalk,
    ServiceTalk,
    StartTalk,
    StoreTalk,
    TurnsTalk,
)
from tests.conformance.targets import DRIVERS, mutants
from tests.project import ROOT, ran

UNSEEN_MAX = 6  # mutants that no example sees, of 91; the scenarios see them all


@pytest.mark.parametrize("name", DRIVERS)
def test_there_are_examples_for_the_driver(name: str) -> None:
    """
    Its contract is one that examples are written for; without its extra it meets none.
    """
    try:
        model = load_target(name).model
    except BadName as missing:
        pytest.skip(str(missing))

    talks = (ManagerTalk, ServiceTalk, PoolTalk, StoreTalk, TurnsTalk, QueueTalk, PartsTalk)
    assert model in {talk.contract for talk in (*talks, DatabaseTalk, StartTalk)}


@pytest.mark.slow
def test_the_examples_see_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Run on mutants in the place of drivers, some example fails for nearly each.
    """
    monkeypatch.chdir(ROOT)
    words = ("tests/conformance", "--mutants", "-q", "--tb=no", "-n", "2", "-p", "no:cacheprovider")

    failed = re.findall(r"\[(tests\.mutants\.\w+:\w+)", ran("pytest", *words).stdout.decode())

    assert len(mutants()) - len(set(failed)) <= UNSEEN_MAX
