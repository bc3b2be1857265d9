"""The drivers for SQLiteSession of openai-agents: what they hold, and what they leave behind."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from threadline import Driver, Ok, Operation
from threadline.contracts.conversation_store import ConversationStore, Store
from threadline.driver import end
from threadline.loading import Target, load_target
from threadline.lockstep.outcomes import actual_of
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

agents = pytest.importorskip("agents", reason="the extra openai-agents is not installed")

NAMES = ["drivers.openai_agents:sqlite_session", "drivers.openai_agents:sqlite_session_file"]
SETTLING_RUNS, RUNS = 100, 300
STEPS_MAX = 10


@pytest.fixture(params=NAMES)
def target(request: pytest.FixtureRequest) -> Target:
    return load_target(request.param)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the drivers put their temporary folders into one of this test's own."""
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
    """300 runs grow neither the open files nor the temporary ones, and warn of no resource."""
    with closing(Recorder(None)) as recorder:
        header = Header(target.model.name, target.name, steps_max=STEPS_MAX)
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
    """No id and no text is trimmed, folded or normalised on its way to the library and back."""
    with opened(target) as driver:
        asked(driver, ConversationStore.append(conversation(driver, text, text), text))
        again = conversation(driver, text, text)
        asked(driver, ConversationStore.append(again, text))

        assert asked(driver, ConversationStore.pop(again)) == text
        assert driver.census() in (None, {"conversations": {(text, text): 1}})


def test_a_row_without_a_session_is_counted() -> None:
    """Turns whose session is gone from the table of sessions stay in the census."""
    with opened(load_target(NAMES[1])) as driver:
        session = conversation(driver, "ana", "t")
        asked(driver, ConversationStore.append(session, "m1"))
        with session._locked_connection() as connection, connection:
            connection.execute("DELETE FROM agent_sessions")

        assert driver.census() == {"conversations": {("ana", "t"): 1}}


def test_reopening_leaves_one_tidy_file() -> None:
    """The library closes its file last: no write-ahead log is left beside it."""
    with opened(load_target(NAMES[1])) as driver:
        asked(driver, ConversationStore.append(conversation(driver, "ana", "t"), "m1"))
        driver.census()
        asked(driver, ConversationStore.reopen())
        folder = Path(driver._path).parent

        assert [path.name for path in folder.iterdir()] == ["sessions.db"]


@contextmanager
def opened(target: Target) -> Iterator[Any]:
    """Make a driver, typed as anything: its attributes are not Driver's."""
    driver = target.new_driver({})
    try:
        yield driver
    finally:
        end(driver)


def conversation(driver: Driver[Any], user: str, thread: str) -> Any:
    """Open a conversation, and return the library's own session."""
    return asked(driver, ConversationStore.open(user, thread))


def asked(driver: Driver[Any], operation: Operation) -> object:
    """Apply an operation to a driver, and return what came back; raises where it was not done."""
    outcome = actual_of(driver, operation)
    assert isinstance(outcome, Ok), str(outcome)
    return outcome.value


def held(folder: Path) -> tuple[int, int]:
    """Return how many descriptors this process has open, and how many files the folder has."""
    return len(os.listdir("/dev/fd")), len(os.listdir(folder))
