"""The drivers for SQLiteSession of openai-agents: what they hold, and what they leave behind."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from threadline.loading import Target, load_target
from threadline.lockstep.run import Runs
from threadline.outcome import Ok
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.store import Store

agents = pytest.importorskip("agents", reason="the extra openai-agents is not installed")

NAMES = ["drivers.openai_agents:sqlite_session", "drivers.openai_agents:sqlite_session_file"]
SETTLING_RUNS = 100
RUNS = 1000
STEPS_MAX = 10


@pytest.fixture(params=NAMES)
def target(request: pytest.FixtureRequest) -> Target:
    return load_target(request.param)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the drivers make their temporary folders in one of this test's own."""
    fast = Path("/dev/shm")
    with TemporaryDirectory(dir=fast if fast.is_dir() else None) as name:
        monkeypatch.setattr("drivers.openai_agents.SHARED_MEMORY", Path(name))
        yield Path(name)


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect what is raised where nobody can catch it: in finalizers, by warnings as errors."""
    seen: list[str] = []
    monkeypatch.setattr("sys.unraisablehook", lambda raised: seen.append(repr(raised.exc_value)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield seen


def test_runs_leave_nothing_behind(target: Target, folder: Path, unraisable: list[str]) -> None:
    """
    1,000 runs grow neither the open files nor the temporary ones, and warn of no resource.
    """
    with closing(Recorder(None)) as recorder:
        header = Header(target.contract.name, target.name, steps_max=STEPS_MAX)
        batches = Explorer(Store, Runs(target, recorder), header).batches()
        settled = [batch.failure for batch in islice(batches, SETTLING_RUNS)]
        before = held(folder)
        failures = [batch.failure for batch in islice(batches, RUNS)]
        gc.collect()

    assert held(folder) == before
    assert before[1] == 0
    assert not unraisable
    assert not any(settled + failures)


@pytest.mark.parametrize("text", ["", " a ", "a:b", "1:a", "\u0000", "e\u0301", "\N{SNOWMAN}"])
def test_text_and_ids_arrive_as_they_were_given(target: Target, text: str) -> None:
    """
    No id and no text is trimmed, folded or normalised on its way to the library and back.
    """
    with closing(any_driver(target)) as driver:
        driver.append(driver.open(text, text).value, text)
        conversation = driver.open(text, text).value
        driver.append(conversation, text)

        assert driver.pop(conversation) == Ok(text)
        assert driver.census() in (None, {"conversations": {(text, text): 1}})


def test_a_row_without_a_session_is_counted() -> None:
    """
    Turns whose session is gone from the table of sessions stay in the census.
    """
    with closing(any_driver(load_target(NAMES[1]))) as driver:
        session = driver.open("ana", "t").value
        driver.append(session, "m1")
        with session._locked_connection() as connection, connection:
            connection.execute("DELETE FROM agent_sessions")

        assert driver.census() == {"conversations": {("ana", "t"): 1}}


def test_reopening_leaves_one_tidy_file() -> None:
    """
    The library closes its file last: no write-ahead log is left beside it.
    """
    with closing(any_driver(load_target(NAMES[1]))) as driver:
        driver.append(driver.open("ana", "t").value, "m1")
        driver.census()
        driver.reopen()
        folder = Path(driver._path).parent

        assert [path.name for path in folder.iterdir()] == ["sessions.db"]


def any_driver(target: Target) -> Any:
    """Return a new driver, typed as anything: the methods of its contract are not Driver's."""
    make: Callable[[], Any] = target.make
    return make()


def held(folder: Path) -> tuple[int, int]:
    """Return how many descriptors this process has open, and how many files the folder has."""
    return len(os.listdir("/dev/fd")), len(os.listdir(folder))
