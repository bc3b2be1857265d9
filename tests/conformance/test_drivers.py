"""Every driver of the project meets examples."""

from __future__ import annotations

import pytest
from threadline.loading import BadName, load_target

from tests.conformance.talks import ManagerTalk, PoolTalk, ServiceTalk, StoreTalk
from tests.conformance.targets import DRIVERS


@pytest.mark.parametrize("name", DRIVERS)
def test_there_are_examples_for_the_driver(name: str) -> None:
    """
    Its contract is one that examples are written for; without its extra it meets none.
    """
    try:
        model = load_target(name).model
    except BadName as missing:
        pytest.skip(str(missing))

    assert model in {talk.contract for talk in (ManagerTalk, ServiceTalk, PoolTalk, StoreTalk)}
