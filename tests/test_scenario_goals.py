"""Each scenario of this project has goals, and comes to them in few runs; all draw each limit."""

from __future__ import annotations

from dataclasses import fields

import pytest
from threadline.defaults import read_defaults
from threadline.failure import failure_text
from threadline.loading import first_target, load_scenario
from threadline.lockstep.run import Runs
from threadline.pool import Now
from threadline.search.explore import Explorer
from threadline.search.goals import Goals
from threadline.trace import Header, Recorder

from models.chat_service.settings import Settings

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


def test_every_limit_is_drawn_by_some_scenario() -> None:
    """
    Else a system that has it as a constant would be right. Not drawn are the size of a frame, which
    one flaw of malformed frames is above, and who is known by which token.
    """
    drawn: dict[str, list[object]] = {}
    for scenario in map(load_scenario, DEFAULTS.scenarios):
        for name, values in scenario.settings.items():
            drawn.setdefault(name, []).extend(values.values(Now(None)))

    defaults = {each.name: getattr(Settings(), each.name) for each in fields(Settings)}
    others = {n for n, values in drawn.items() if any(each != defaults.get(n) for each in values)}
    assert sorted(defaults.keys() - others) == ["message_bytes_max", "tokens"]
