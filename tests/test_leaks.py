"""Leaks: what is planted is found and named, and what may grow is left alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import pytest
from threadline.bounds import bounded
from threadline.campaign.mutant import Kill, Mutant
from threadline.contracts.conversation_store import Store
from threadline.failure import Failure
from threadline.leaks.investigate import Investigation
from threadline.leaks.leak import leak_of
from threadline.leaks.report import leak_text
from threadline.leaks.round_trip import RoundTrips, round_trips_of
from threadline.loading import load_scenario, load_target
from threadline.lockstep.run import Runs, replay
from threadline.scenario import Scenario
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder, Trace, read

from drivers.sessions import SessionsDriver
from scenarios.connections import Connections
from tests.mutants.benign import GROWERS, Lru64
from tests.planted_leaks import (
    BY_NAME,
    CLEAN,
    OF_SERVICE,
    PLANTED,
    SERVICE_CYCLES,
    alarms,
    hunt,
    is_told,
    told,
)
from tests.project import ROOT

# These take longest, and grow where others do.
QUICK = {"KeepsConnectionIds"}
SCENARIOS = ["connections:Connections", "conversation:Conversation", "expiry:Expiry", "keys:Keys"]
SERVICE = "drivers.service:ServiceDriver"


def slow_where(is_slow: bool, *values: object) -> object:
    return pytest.param(*values, marks=[pytest.mark.slow] if is_slow else [])


two_seeds = pytest.mark.parametrize("seed", [0, slow_where(True, 1)])


class Promising(SessionsDriver):
    """A driver that declares a bound which its cache of 64 does not keep."""

    bounds = (bounded("system.connector._recent", 8),)


@pytest.fixture(autouse=True)
def _unlogged() -> Iterator[None]:
    """Keep pytest from storing log records, whose tracebacks hold what they passed through."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@cache
def hunted(name: str, seed: int) -> tuple[Kill, Investigation]:
    return hunt(BY_NAME[name], seed)


@pytest.mark.parametrize(
    ("name", "seed"),
    [slow_where(seed > 0 or name not in QUICK, name, seed) for name in PLANTED for seed in (0, 1)],
)
def test_a_planted_leak_is_found_minimised_and_named(name: str, seed: int) -> None:
    """It ends a run with the signature of its path, is minimised to what is known to be least, and
    the report has its class, the chain from a root, and the operation in which it is born.
    """
    died, found = hunted(name, seed)

    assert dict(BY_NAME[name].least) == {str(died.signature): died.steps}
    assert is_told(found, PLANTED[name]), told(found)


# A database session that is left open is what SQLAlchemy warns of, once it is collected.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The garbage collector is trying")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("name", "seed"),
    [
        slow_where(seed > 0 or name != "KeepsQualityHandlers", name, seed)
        for name in OF_SERVICE
        for seed in (0, 3)  # on these none takes long to be found
    ],
)
def test_a_leak_planted_in_the_service_is_found_minimised_and_named(name: str, seed: int) -> None:
    """The same of what only a service has: handlers of quality, agents that fail, storage."""
    died, found = hunt(BY_NAME[name], seed, cycles_max=SERVICE_CYCLES)

    assert dict(BY_NAME[name].least) == {str(died.signature): died.steps}
    assert is_told(found, OF_SERVICE[name]), told(found)


@pytest.mark.parametrize(
    "grower",
    [slow_where(n > 1, grower) for n, grower in enumerate(GROWERS)],
    ids=[grower.name for grower in GROWERS],
)
@two_seeds
def test_a_benign_grower_is_not_flagged(grower: Mutant, seed: int) -> None:
    """A cache, a table, a cancelled timer and a thread's inbox are no leaks, however they grow."""
    failures, known = alarms(grower, seed, runs_max=8)

    assert [str(failure) for failure in failures] == []
    assert known.made == 8
    assert known.undecided == {}


def test_what_stops_growing_is_remembered_with_its_level() -> None:
    """A cache of 64 is watched until it is full, once in a test."""
    _, known = alarms(Lru64, seed=0, runs_max=4)

    assert {path.name: level for path, level in known.levels.items()}[
        "system.connector._recent"
    ] == 64


@pytest.mark.parametrize("scenario", [slow_where(s != "keys:Keys", s) for s in SCENARIOS])
def test_the_clean_session_manager_leaks_nothing(scenario: str) -> None:
    """20 runs of 50 steps end as empty as they began; nothing even had to be watched for longer."""
    found, runs = clean_runs(CLEAN, load_scenario(f"scenarios.{scenario}"))

    assert found == []
    assert round_trips_of(runs).growths.levels == {}
    assert round_trips_of(runs).growths.skipped == {}
    assert round_trips_of(runs).growths.made == 20


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["agents:Agents", "database:Database"])
def test_the_clean_service_leaks_nothing(scenario: str) -> None:
    """With agents that fail, restarts and crashes, a service ends its runs as empty as it began."""
    found, runs = clean_runs(SERVICE, load_scenario(f"scenarios.{scenario}"), runs_max=8)

    assert found == []
    assert round_trips_of(runs).growths.skipped == {}
    assert round_trips_of(runs).growths.made == 8


@pytest.mark.parametrize(
    "driver",
    [
        "drivers.memory_store:MemoryStoreDriver",
        slow_where(True, "drivers.openai_agents:sqlite_session"),
        slow_where(True, "drivers.openai_agents:sqlite_session_file"),
    ],
)
def test_stores_of_the_other_contract_leak_nothing(driver: str) -> None:
    """The same probes judge a conversation store, with roots or without."""
    found, runs = clean_runs(driver, Store)

    assert found == []
    assert round_trips_of(runs).growths.skipped == {}


def clean_runs(
    driver: str, scenario: type[Scenario[Any]], runs_max: int = 20
) -> tuple[list[Failure], Runs]:
    target = load_target(driver)
    runs = Runs(target, Recorder(None), after_run=RoundTrips(1))
    header = Header(target.model.name, driver, seed=2, steps_max=50)
    batches = islice(Explorer(scenario, runs, header).batches(), runs_max)
    return [batch.failure for batch in batches if batch.failure], runs


def stored(name: str) -> Trace:
    return read(ROOT / f"tests/regressions/{name}.jsonl", load_target(CLEAN).model.kinds())


def test_a_leak_is_seen_again_in_a_replay() -> None:
    """Its stored trace says that it ends with a round trip, and fails alike on a fresh system."""
    trace = stored("keeps-dropped")
    runs = Runs(
        load_target("tests.mutants.leaks:KeepsDropped"),
        Recorder(None),
        after_run=RoundTrips(cycles_max=126),
    )

    failure = replay(runs, trace.header, trace.operations)

    assert failure is not None
    assert failure.is_after_run
    assert str(failure.signature) == "memory-system.connector._dropped"


def test_the_clean_system_passes_the_trace_of_a_leak() -> None:
    """The trace shows the leak of the system, not of the harness."""
    trace = stored("keeps-dropped")

    assert (
        replay(
            Runs(load_target(CLEAN), Recorder(None), after_run=RoundTrips()),
            trace.header,
            trace.operations,
        )
        is None
    )


def test_a_declared_bound_is_asserted() -> None:
    """A cache of 64 that was declared to hold 8 is a failure as soon as it holds more."""

    target = replace(load_target(CLEAN), make=replace(Lru64, driver=Promising))
    runs = Runs(target, Recorder(None), after_run=RoundTrips(1))
    header = Header(target.model.name, CLEAN, seed=0, steps_max=10)
    batches = islice(Explorer(Connections, runs, header).batches(), 5)
    failure = next(batch.failure for batch in batches if batch.failure)

    assert str(failure.signature) == "memory-system.connector._recent"
    assert leak_of(failure).at_most == 8


@pytest.mark.slow
def test_a_report_of_a_dropped_socket() -> None:
    """
    The whole text: class and rates, chain, birth, ledger, steps, what was watched and what not.
    """
    _, found = hunted("KeepsEndedManagers", 0)

    assert re.sub(r"\w+\.py:\d+", "FILE:LINE", leak_text(found)).splitlines()[:11] == [
        "LEAK  1 step: +1.00 dict entry (IsolatedWebSocketManager) per cycle (+0.20 per",
        "      operation), linear over 126 cycles; 127 now",
        "  system: ChatSystem",
        "  `- .factory -> WebSocketManagerFactory",
        "     `- ._ended -> dict",
        "  survivors born in  connect (step 1), allocated at  sessions/FILE:LINE",
        "  siblings released in  disconnect (teardown)",
        "  ledger                          connect  disconnect  wait  sweep  wait  net",
        "  factory._ended                        .          +1     .      .     .   +1"
        "  <-- never released",
        "  factory._managers                    +1          -1     .      .     .    0",
        "  the steps, torn down and repeated as each cycle:",
    ]
