"""Every planted race dies, is made short, and is replayed exactly; the clean systems live."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from threadline import Scenario
from threadline.campaign.mutant import Mutant, kill
from threadline.contracts.at_once import StoreAtOnce
from threadline.handle import Handle
from threadline.history import digest
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.timing import DURING, WITH, Timing
from threadline.trace import Header, Recorder

from models.chat_service import ChatServiceModel as Chat
from models.chat_service.agents import HELD, WELL
from models.session_manager import SessionManagerModel as Sessions
from scenarios.overlap import (
    Overlap,
    OverlapCancelled,
    OverlapExpiry,
    OverlapReconnects,
    OverlapStalled,
)
from scenarios.service_overlap import (
    ServiceCancelled,
    ServiceCrash,
    ServiceFaults,
    ServiceOverlap,
    ServiceRestart,
)
from scenarios.stored_turns import TurnsAtOnce, TurnsCancelled
from tests.doc_pages import page
from tests.explored import batches
from tests.mutants.races import RACES
from tests.mutants.service_races import SERVICE_RACES

RUNS_MAX = 1_000
STEPS_MAX, ENTRIES_MAX = 6, 3
MORE_ENTRIES = {"AnswersByHalves": 4}  # on seeds 1 and 3, as docs/overlap.md says
SESSIONS, TURNS = "drivers.sessions:SessionsDriver", "drivers.stored_turns:StoredTurnsDriver"
SERVICE = "drivers.service:ServiceDriver"
# These take two to ten seconds each, most of them to be minimised.
LONG = (
    "AnswersAfterTheEnd",
    "CutsCommits",
    "CutsStatements",
    "DeletesByHalves",
    "LocksItsSends",
    "MixesTheTabs",
    "PreparesTwice",
    "SharesTheUser",
    "SweepsALiveDict",
    "WritesBackConnections",
    *(mutant.name for mutant in SERVICE_RACES),
)
ALL = (*RACES, *SERVICE_RACES)

# From Python 3.13 on, sqlite3 warns of each connection that a mutant leaves open.
leaves_open = pytest.mark.filterwarnings(
    "ignore:.*sqlite3.Connection:pytest.PytestUnraisableExceptionWarning"
)
every_race = pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)


def driver_of(mutant: Mutant) -> str:
    table = "service_races" if mutant in SERVICE_RACES else "races"
    return f"tests.mutants.{table}:{mutant.name}"


def dies(mutant: Mutant, seed: int, replays: int) -> None:
    target = load_target(driver_of(mutant))
    found = kill(mutant, target, engine="explore", seed=seed, runs_max=RUNS_MAX)
    assert found.minimised is not None, f"alive after {found.runs} runs"
    assert found.minimised.failure is not None
    trace = found.minimised.trace
    assert len(trace.operations) <= STEPS_MAX
    entries_max = MORE_ENTRIES.get(mutant.name, ENTRIES_MAX)
    assert sum(operation.timing.entries for _, operation in trace.operations) <= entries_max
    runs = Runs(target, Recorder(None))
    plays = [replay(runs, trace.header, trace.operations) for _ in range(replays)]
    assert {digest(play.steps) for play in plays if play} == {digest(found.minimised.failure.steps)}
    assert all(plays)


@pytest.fixture
def left() -> Iterator[None]:
    """Collect what a mutant has left while it is its test that hears of it."""
    yield
    gc.collect()


@leaves_open
@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, marks=[pytest.mark.slow] if mutant.name in LONG else [])
        for mutant in ALL
    ],
    ids=[mutant.name for mutant in ALL],
)
def test_a_race_dies_and_is_replayed_exactly(mutant: Mutant) -> None:
    dies(mutant, seed=0, replays=10)


@leaves_open
@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("name", LONG)
def test_a_race_that_takes_long_to_make_short_is_found(name: str) -> None:
    """It fails as docs/overlap.md tells, and in the run that it tells."""
    (mutant,) = (each for each in ALL if each.name == name)
    first = next(
        each
        for each in islice(batches(driver_of(mutant), mutant.scenario), RUNS_MAX)
        if each.failure
    )
    assert first.failure is not None

    (row,) = (row for row in page("docs/overlap.md").table("race") if row[0] == f"`{name}`")
    assert row[2:4] == [str(first.failure.signature), str(first.header.run)]


@leaves_open
@pytest.mark.slow
@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@every_race
def test_a_race_dies_on_other_seeds(mutant: Mutant, seed: int) -> None:
    dies(mutant, seed, replays=100)


def failures(driver: str, scenario: type[Scenario[Any]], most: int) -> list[str]:
    played = islice(batches(driver, scenario), most)
    return [str(batch.failure.signature) for batch in played if batch.failure]


STORE, FILE = "drivers.openai_agents:sqlite_session_file", "tests.toys.rewritten:FileStoreDriver"
CLEAN = [
    (STORE, StoreAtOnce),
    (FILE, StoreAtOnce),
    (SESSIONS, Overlap),
    (SESSIONS, OverlapCancelled),
    (SESSIONS, OverlapStalled),
    (SESSIONS, OverlapExpiry),
    (SESSIONS, OverlapReconnects),
    (SERVICE, ServiceOverlap),
    (SERVICE, ServiceCancelled),
    (SERVICE, ServiceFaults),
    (SERVICE, ServiceRestart),
    (SERVICE, ServiceCrash),
    (TURNS, TurnsAtOnce),
    (TURNS, TurnsCancelled),
]
every_clean = pytest.mark.parametrize(
    ("driver", "scenario"), CLEAN, ids=[scenario.__name__ for _, scenario in CLEAN]
)


@every_clean
def test_a_clean_system_gives_no_alarm(driver: str, scenario: type[Scenario[Any]]) -> None:
    assert failures(driver, scenario, 15) == []


@pytest.mark.slow
@every_clean
def test_a_clean_system_gives_no_alarm_for_long(driver: str, scenario: type[Scenario[Any]]) -> None:
    assert failures(driver, scenario, 20_000) == []


@pytest.mark.parametrize(
    ("driver", "fails"),
    [(SERVICE, False), ("tests.mutants.service_races:StopsTwice", True)],
    ids=["service", "StopsTwice"],
)
def test_a_second_stop_in_the_moment_of_the_first_finds_nothing(driver: str, fails: bool) -> None:
    """The worker of the first one's request is not free yet, so the next has not begun."""
    stop = Chat.stop_agent(Handle("k", 3), None)
    operations = (
        Chat.post("ana", "t", None, None, "m1", HELD),
        Chat.post_stream("ana", "t", None, None, "m2", WELL),
        Chat.connect("ana", "t", None, "well"),
        stop,
        stop.timed(Timing(WITH)),
    )
    target = load_target(driver)
    header = Header(target.model.name, driver, overlap=True)
    steps = tuple(enumerate(operations, 1))
    failure = replay(Runs(target, Recorder(None)), header, steps)
    assert (failure is not None) is fails


def test_what_is_closed_is_compared_where_a_moment_comes_in_another_order() -> None:
    """What ended with the sockets lets others go on, some of them before its own last moment."""
    ben = Handle("k", 3)
    operations = (
        Chat.connect("ana", "t", None, "well"),
        Chat.post_stream("ana", "t", None, None, "m2", HELD),
        Chat.connect("ben", "t", None, "well"),
        Chat.post("ben", "t", None, None, "m4", WELL),
        Chat.history(ben, None, None).timed(Timing(WITH)),
        Chat.invalidate("ana"),
        Chat.say(ben, None, None, None, "m7", WELL),
    )
    target = load_target(SERVICE)
    settings = {"pool_size": 10, "queue_workers": 1, "queue_workers_per_user": 4}
    header = Header(target.model.name, SERVICE, settings=settings, overlap=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


def test_a_tab_whose_manager_came_due_may_have_missed_the_end() -> None:
    """What waits behind a send that is on its way is lost with the manager of both."""
    operations = (
        Sessions.connect("ana", "t", None, "well").timed(Timing(delays=((1, 3),))),
        Sessions.deliver("ana", "t", "m2").timed(Timing(DURING)),
        Sessions.wait(7).timed(Timing(DURING)),
        Sessions.connect("ana", "t", None, "well").timed(Timing(WITH)),
    )
    target = load_target(SESSIONS)
    settings = {"connection_timeout_s": 7, "session_ttl_s": 10, "send_timeout_s": 100_000}
    header = Header(target.model.name, SESSIONS, settings=settings, overlap=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


def test_that_a_worker_takes_a_message_is_a_moment_of_its_own() -> None:
    """Two users come before the one worker takes the first message; it serves the other next."""
    operations = (
        Chat.post_stream("ana", "t", None, None, "m1", HELD),
        Chat.post("ben", "t", None, None, "m2", WELL).timed(Timing(WITH)),
        Chat.post_stream("ana", "u", None, None, "m3", HELD),
        Chat.delete_thread("ana", "t"),
    )
    target = load_target(SERVICE)
    settings = {"pool_size": 10, "queue_workers": 1, "queue_workers_per_user": 4}
    header = Header(target.model.name, SERVICE, settings=settings, overlap=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


@pytest.mark.parametrize("late", [2, 3])
def test_the_driver_tells_new_ids_whichever_task_goes_on_first(late: int) -> None:
    """The task of a request goes on late, or the operation does that has sent it."""
    operations = (
        Chat.post("ana", "t", None, None, "m1", WELL).timed(Timing(resumes=((late, 1),))),
        Chat.post("ben", "t", None, None, "m2", WELL).timed(Timing(WITH)),
    )
    target = load_target(SERVICE)
    header = Header(target.model.name, SERVICE, overlap=True, adversarial=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


def test_a_sweep_waits_until_a_restart_is_over() -> None:
    """One that goes on behind the stop would wait for a connection of a pool that is closed."""
    operations = (
        Chat.restart().timed(Timing(delays=((1, 2),))),
        Chat.sweep().timed(Timing(DURING)),
    )
    target = load_target(SERVICE)
    settings = {"pool_size": 1, "queue_workers": 64, "queue_workers_per_user": 4}
    header = Header(target.model.name, SERVICE, settings=settings, overlap=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


def test_a_manager_is_made_before_or_after_a_restart() -> None:
    """One that is made for an old context while the service stops would be nobody's."""
    connect = Chat.connect("ana", "t", None, "well")
    operations = (
        connect,
        connect,
        Chat.restart().timed(Timing(delays=((3, 2),))),
        Chat.create_manager(Handle("x", 2), None).timed(Timing(DURING)),
    )
    target = load_target(SERVICE)
    header = Header(target.model.name, SERVICE, overlap=True)
    assert replay(Runs(target, Recorder(None)), header, tuple(enumerate(operations, 1))) is None


def test_the_page_names_every_race() -> None:
    rows = page("docs/overlap.md").table("race")
    assert [row[0].strip("`") for row in rows] == [mutant.name for mutant in ALL]
