"""Every mutant dies, soon and in the fewest steps; the clean store lives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice

import pytest
from threadline.campaign.mutant import PROVABLE, Kill, Mutant, kill
from threadline.cli.mutants import row_of
from threadline.contracts.conversation_store import Store
from threadline.defaults import read_defaults
from threadline.failure import Failure
from threadline.loading import load, load_target
from threadline.lockstep.run import Runs, replay
from threadline.minimise.passes import narrowed
from threadline.pool import pool
from threadline.search.exhaust import Exhaust
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder, Trace, is_signature_of, read, read_header

from models.chat_service import ChatServiceModel
from tests.mutants.store import MUTANTS as STORES
from tests.project import ROOT

MUTANTS: dict[str, Mutant] = {
    f"{name.partition(':')[0]}:{mutant.name}": mutant
    for name in read_defaults(ROOT).mutants
    for mutant in load(name)
}
STORE_NAMES = [name for name, mutant in MUTANTS.items() if mutant in STORES]
# What runs on a whole service, with a disk of its own, takes ten times as long.
SERVICE_NAMES = [
    name for name, mutant in MUTANTS.items() if mutant.scenario.model is ChatServiceModel
]
# What is found, made short and held to its least within a second; others are so by the nightly run.
QUICK = {
    "AlwaysCreates",
    "ClearLeavesOne",
    "CountsClosedTwice",
    "ForgetsManagers",
    "GraceNeverEnds",
    "HearsElsewhere",
    "KeyFromRequest",
    "ListsAnotherUsersThread",
    "MakesIdsOfItsOwn",
    "MutableInside",
    "OddLengthIsShort",
    "OwnIdsAreInvalid",
    "QueuesOnNewContext",
    "ReadingCreates",
    "RegistersElsewhere",
    "RoutesElsewhere",
    "RunUnseen",
    "StreamsElsewhere",
    "TellsTheWrongLength",
    "TrimsOnWrite",
    "WarnsNobody",
}
# The regression test that each came to, as short as it gets.
TRACES = {read_header(path).driver: path for path in (ROOT / "tests/regressions").glob("*.jsonl")}
# The rows of docs/kill-table.md, by mutant.
KILL_TABLE = {
    line.split()[0]: line.split()
    for line in (ROOT / "docs/kill-table.md").read_text("utf-8").splitlines()
    if re.match(r"\w+ +(\w+)-[\w.*\[\]-]+ +\w+ +[\d,]+ +\d+\.\d\d +", line)
}
PROVED_MAX = 3  # steps, up to which to play all that is shorter takes a second or two
SERVICE_PROVED_MAX = 2

every_mutant = pytest.mark.parametrize("name", MUTANTS)
other_seeds = pytest.mark.parametrize("seed", [1, 2, 3, 4])


@cache
def hunt(name: str, seed: int, *, engine: str = "explore", runs_max: int = 200) -> Kill:
    return kill(MUTANTS[name], load_target(name), engine=engine, seed=seed, runs_max=runs_max)


def shorter_failures(name: str) -> list[str]:
    """Return what fails like a mutant's stored trace in fewer steps, over the values in that."""
    target, header = load_target(name), read_header(TRACES[name])
    operations = [operation for _, operation in stored(name).operations]
    settings = {setting: pool(value) for setting, value in header.settings.items()}
    scenario = type(
        "Narrowed", (narrowed(MUTANTS[name].scenario, operations),), {"settings": settings}
    )
    shorter = Header(target.model.name, name, steps_max=len(operations) - 1)
    batches = Exhaust(scenario, Runs(target, Recorder(None)), shorter).batches()
    failures = (batch.failure for batch in batches if batch.failure)
    wanted = header.signature
    return [str(one.step) for one in failures if is_signature_of(wanted, one.signature)]


def failures_without_one(name: str, died: Kill) -> list[Failure]:
    """Return how the minimised trace still fails alike with one of its operations left out."""
    assert died.minimised is not None
    header, operations = died.minimised.trace.header, died.minimised.trace.operations
    runs = Runs(load_target(name), Recorder(None))
    shorter = (operations[:n] + operations[n + 1 :] for n in range(len(operations)))
    failures = (replay(runs, header, kept) for kept in shorter)
    return [one for one in failures if one and one.signature == died.signature]


def stored(name: str) -> Trace:
    return read(TRACES[name], load_target(name).model.kinds())


def slow_where(is_slow: Callable[[str], bool], names: Iterable[str] = MUTANTS) -> list[object]:
    """Return the names of mutants as parameters, of which some are left to the nightly run."""
    return [pytest.param(name, marks=[pytest.mark.slow] if is_slow(name) else []) for name in names]


def provable() -> list[str]:
    """Return the mutants whose stored traces are short enough to play all that is shorter."""
    return [name for name in MUTANTS if len(stored(name).operations) <= PROVABLE]


def takes_hypothesis_long(name: str) -> bool:
    """Return whether Hypothesis needs a second or more, at 20 runs a second."""
    return name not in STORE_NAMES or MUTANTS[name].name not in QUICK


def takes_long(name: str) -> bool:
    proved_max = SERVICE_PROVED_MAX if name in SERVICE_NAMES else PROVED_MAX
    if name in STORE_NAMES:
        return name.endswith((":DeletesByPrefix", ":JoinsKeys"))
    return len(stored(name).operations) > proved_max


@pytest.mark.parametrize("name", slow_where(lambda name: MUTANTS[name].name not in QUICK))
def test_explore_kills_the_mutant_in_the_fewest_steps(name: str) -> None:
    """
    200 runs of seed 0 are enough, and the minimised trace is as short as is known to be possible;
    docs/kill-table.md tells how it died.
    """
    died = hunt(name, seed=0)

    assert died.is_minimal
    assert_told(died)


@pytest.mark.parametrize("name", [n for n in MUTANTS if MUTANTS[n].name not in QUICK])
def test_explore_finds_what_takes_long_to_minimise(name: str) -> None:
    """
    It dies of what docs/kill-table.md tells, in the run that it tells.
    """
    target = load_target(name)
    header = Header(target.model.name, name, seed=0, steps_max=50)
    batches = Explorer(MUTANTS[name].scenario, Runs(target, Recorder(None)), header).batches()
    found = next(batch for batch in islice(batches, 200) if batch.failure)
    assert found.failure is not None

    row = KILL_TABLE[MUTANTS[name].name]
    assert [row[1], row[3]] == [str(found.failure.signature), str(found.header.run)]


def assert_told(died: Kill) -> None:
    """Assert that docs/kill-table.md has what came of a hunt, but for the seconds."""
    mutant, died_of, scenario, runs, _, *steps = row_of(died)
    row = KILL_TABLE[mutant]

    assert [*row[:4], *row[5:]] == [mutant, died_of, scenario, runs, *" ".join(steps).split()]


@pytest.mark.slow
@other_seeds
@every_mutant
def test_explore_kills_the_mutant_on_other_seeds(name: str, seed: int) -> None:
    """
    Seed 0 was not lucky.
    """
    assert hunt(name, seed).is_minimal


@pytest.mark.parametrize("name", slow_where(takes_hypothesis_long))
def test_hypothesis_kills_the_mutant_in_the_fewest_steps(name: str) -> None:
    """
    The same scenario finds the same bug as a Hypothesis machine, within 500 runs.
    """
    assert hunt(name, seed=0, engine="hypothesis", runs_max=500).is_minimal


@pytest.mark.slow
@other_seeds
@pytest.mark.parametrize("name", STORE_NAMES)
def test_hypothesis_kills_the_mutant_on_other_seeds(name: str, seed: int) -> None:
    """
    Seed 0 was not lucky with Hypothesis either.
    """
    assert hunt(name, seed, engine="hypothesis", runs_max=400).is_minimal


@pytest.mark.parametrize("name", slow_where(takes_long, provable()))
def test_nothing_shorter_shows_the_mutant(name: str) -> None:
    """
    The stored trace is of the length that hunts are held to, and no shorter sequence of the values
    in it fails alike.
    """
    header, steps = read_header(TRACES[name]), len(stored(name).operations)

    assert steps in MUTANTS[name].known_least(header.signature)
    assert shorter_failures(name) == []


def test_no_operation_can_go_from_what_is_too_long_to_prove() -> None:
    """
    Where all shorter sequences are too many to play, none with one operation less fails alike.
    """
    name = "tests.mutants.store:OrderLostOnReopen"
    died = hunt(name, seed=0)

    assert died.steps == 6
    assert failures_without_one(name, died) == []


def test_the_clean_store_raises_no_alarm() -> None:
    """
    500 runs of 50 steps find nothing in the store that has no bug.
    """
    assert failures_in(runs=500) == []


@pytest.mark.slow
def test_the_clean_store_raises_no_alarm_in_20_000_runs() -> None:
    """
    20,000 runs of 50 steps find nothing in the store that has no bug.
    """
    assert failures_in(runs=20_000) == []


def failures_in(runs: int) -> list[str]:
    target = load_target("drivers.memory_store:MemoryStoreDriver")
    header = Header("conversation_store", target.name, seed=0, steps_max=50)
    explorer = Explorer(Store, Runs(target, Recorder(None)), header)
    return [str(b.failure.step) for b in islice(explorer.batches(), runs) if b.failure]
