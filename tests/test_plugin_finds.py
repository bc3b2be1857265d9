"""What the pytest profile finds in the time it takes: as much as `threadline fuzz` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis.database import DirectoryBasedExampleDatabase
from threadline.contracts.conversation_store import Store
from threadline.failure import Divergence
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.pytest_plugin import FOLDER, SEED, ScenarioTest
from threadline.scenario import Scenario
from threadline.search.machine import Chunks
from threadline.trace import Header, Recorder

from tests.mutants.store import MUTANTS
from tests.toys import door, stores
from tests.toys.racing import AtOnce

STORE = "threadline.contracts.conversation_store:Store"
# Of the others each takes Hypothesis some ten seconds, most of them to shrink.
QUICK = [("ReadingCreates", 0)]


@pytest.fixture
def stash(request: pytest.FixtureRequest, project: Path) -> Iterator[pytest.Stash]:
    """Give the seed and the folder of this session back when the test is over."""
    stash = request.config.stash
    seed, folder = stash[SEED], stash.get(FOLDER, None)
    stash[FOLDER] = project / "nowhere"
    yield stash
    stash[SEED] = seed
    if folder is not None:
        stash[FOLDER] = folder
    else:
        del stash[FOLDER]


def scenario_test(
    session: pytest.Session, driver: str, scenario: type[Scenario[Any]] = Store
) -> ScenarioTest:
    item: ScenarioTest = ScenarioTest.from_parent(
        session,
        name="scenario",
        scenario=scenario,
        scenario_name=f"{scenario.__module__}:{scenario.__name__}",
        target=load_target(driver),
    )
    return item


@pytest.mark.parametrize(
    ("mutant", "seed"),
    [
        pytest.param(
            mutant.name, seed, marks=[] if (mutant.name, seed) in QUICK else pytest.mark.slow
        )
        for mutant in MUTANTS
        for seed in (0, 1, 2)
    ],
)
def test_finds_every_mutant_of_the_store(
    request: pytest.FixtureRequest, stash: pytest.Stash, mutant: str, seed: int
) -> None:
    """The quick profile finds all twelve, whichever the seed."""
    stash[SEED] = seed

    with pytest.raises(Divergence, match="diverges at step"):
        scenario_test(request.session, f"tests.mutants.store:{mutant}").runtest()


@pytest.mark.slow
def test_what_has_failed_is_kept_in_the_database(
    request: pytest.FixtureRequest, stash: pytest.Stash
) -> None:
    """Hypothesis plays a failure of an earlier session again before anything else."""
    stash[SEED] = 0
    driver = "tests.mutants.store:ReadingCreates"
    with pytest.raises(Divergence):
        scenario_test(request.session, driver).runtest()

    target = load_target(driver)
    database = DirectoryBasedExampleDatabase(".hypothesis/examples")
    header = Header(target.model.name, target.name, seed=1, steps_max=50)
    runs, phases = Runs(target, Recorder(None)), [Phase.reuse, Phase.generate]
    again = Chunks(Store, runs, header, database=database, phases=phases)
    batch = next(again.batches(runs_max=100))
    assert batch.failure is not None
    assert batch.runs == 1


def test_a_scenario_in_which_nothing_can_fire_fails(
    request: pytest.FixtureRequest, stash: pytest.Stash
) -> None:
    """Nothing tried is no success, and it is said which rule never fired, and why."""
    item = scenario_test(request.session, "tests.toys.door:DoorDriver", door.Standing)

    with pytest.raises(pytest.fail.Exception) as caught:
        item.runtest()

    assert str(caught.value).splitlines() == [
        "nothing was tried, which is no success: 0 steps in 500 runs",
        "never fired: rule greet: its pool name was always empty",
        "never fired: rule lock: its precondition never held",
    ]


def test_what_fails_by_chance_is_told_as_that(
    request: pytest.FixtureRequest, stash: pytest.Stash
) -> None:
    """A test that fails by chance fails, and says that it does not fail each time."""
    stores.CHANCE.seed(0)
    stash[SEED] = 0

    with pytest.raises(Divergence, match="not deterministic: it fails in"):
        scenario_test(request.session, "tests.toys.stores:AtRandomDriver").runtest()


@pytest.mark.slow
def test_operations_of_a_scenario_that_says_so_overlap(
    request: pytest.FixtureRequest, stash: pytest.Stash
) -> None:
    """A race is found, and told with what was under way at once."""
    stash[SEED] = 0
    driver = "tests.toys.racing:Checking"
    with pytest.raises(Divergence, match="at once, no order explains this"):
        scenario_test(request.session, driver, AtOnce).runtest()


@pytest.mark.slow
def test_what_needs_no_overlap_is_told_without_it(
    request: pytest.FixtureRequest, stash: pytest.Stash
) -> None:
    stash[SEED] = 0
    with pytest.raises(Divergence) as raised:
        scenario_test(request.session, "tests.toys.racing:Forgetting", AtOnce).runtest()
    first, *_ = str(raised.value).split("\n\n")
    assert "holds desks {}" in first
    assert "at once" not in first
