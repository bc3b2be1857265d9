"""Each scenario of this project has goals, and comes to them in few runs."""

from __future__ import annotations

import pytest
from threadline.defaults import read_defaults
from threadline.failure import failure_text
from threadline.loading import first_target, load_scenario
from threadline.lockstep.run import Runs
from threadline.pool import Now
from threadline.search.explore import Explorer
from threadline.search.goals import Goals
from threadline.trace import Header, Recorder

DEFAULTS = read_defaults()
NOT_LISTED = (
    *(f"scenarios.small:{name}" for name in ("KeysApart", "KeysAlike")),
    *(f"scenarios.small:{name}" for name in ("ExpiryApart", "ExpiryAlike")),
    "scenarios.overlap:Threads",
    "threadline.contracts.at_once:StoreAtOnce",
)
RUNS_MAX = 60  # the whole service needs most; a campaign is told after 300

every_scenario = pytest.mark.parametrize("name", [*DEFAULTS.scenarios, *NOT_LISTED])


@every_scenario
def test_a_scenario_has_goals(name: str) -> None:
    """
    Its own, or those of the scenarios that it derives from.
    """
    assert load_scenario(name).goals() != []


@every_scenario
def test_a_scenario_comes_to_its_goals(name: str) -> None:
    """
    None is met before the first step, or it would say nothing; all are after some runs.
    """
    scenario = load_scenario(name)
    target = first_target(DEFAULTS.every_driver(), scenario)
    assert target is not None
    goals, new = Goals(scenario.goals()), Now(scenario.model())
    header = Header(
        *(target.model.name, target.name),
        engine="explore",
        steps_max=50,
        overlap=scenario.overlap,
    )
    batches = Explorer(scenario, Runs(target, Recorder(None), follower=goals), header).batches()

    met_at_once = [goal.text for goal in scenario.goals() if goal.holds(new)]
    failures = []
    for _ in range(RUNS_MAX):
        if not goals.unmet:
            break
        failures += [failure_text(found) for found in [next(batches).failure] if found]

    assert (met_at_once, failures) == ([], [])
    assert goals.unmet == []
