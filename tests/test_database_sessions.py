"""Database sessions by hand agree with their model, and one with a bug does not."""

from __future__ import annotations

import gc
from itertools import islice

import pytest
from threadline.campaign.change import Change, applied
from threadline.loading import load_target
from threadline.lockstep.run import Runs
from threadline.search.explore import Explorer
from threadline.trace import Header, Recorder

from scenarios.database_sessions import SessionsByHand

SESSION = "RequestScopedSession"
FACTORY = "RequestScopedSessionFactory"


def failures() -> list[str]:
    """Return how the first of 200 runs of sessions on one file fails, if one does."""
    target = load_target("drivers.database_sessions:DatabaseSessionsDriver")
    header = Header(target.model.name, target.name, seed=0, steps_max=50)
    batches = islice(Explorer(SessionsByHand, Runs(target, Recorder(None)), header).batches(), 200)
    failed = (str(batch.failure.signature) for batch in batches if batch.failure)
    return list(islice(failed, 1))


def test_sessions_agree_with_the_model() -> None:
    """
    In 200 runs nothing differs.
    """
    assert failures() == []


# A session with a bug may lose a connection, which is found when its memory is freed.
@pytest.mark.filterwarnings("ignore:The garbage collector")
@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (f"{SESSION}.rollback", "to_roll_back=True", ""),
        (f"{SESSION}.rollback", "await self._disconnect()", "pass"),
        (f"{SESSION}.rollback", "self._needs_rollback = False", "pass"),
        (f"{SESSION}.commit", "self._needs_rollback = True", "pass"),
        (f"{SESSION}.commit", "self._connection = None", "pass"),
        (f"{SESSION}.execute", "self._connection or ", ""),
        (f"{SESSION}.execute", "writes=not statement.is_select", "writes=False"),
        (f"{SESSION}.execute", "writes=not statement.is_select", "writes=True"),
        (f"{SESSION}.execute_alone", "await self._disconnect()", "pass"),
        (f"{SESSION}.begin_writing", "writes=True", "writes=False"),
        (f"{SESSION}.close", "if not self._is_closed:", "if True:"),
        (f"{SESSION}.close", "await asyncio.shield(self._closing)", "pass"),
        (f"{SESSION}.__await__", "self.was_awaited = True", "pass"),
        (f"{SESSION}.__aexit__", "await self.close()", "pass"),
        (f"{SESSION}._take_places", "self._taken.append(places)", "pass"),
        (f"{SESSION}._check_usable", "if self._is_closed:", "if False:"),
        (f"{FACTORY}.close", "session.close() for session in list(self._open)", ""),
        (f"{FACTORY}.close", "await self._tasks.ended()", "pass"),
        (f"{FACTORY}._closed", "del self._open[session]", "pass"),
        (f"{FACTORY}._is_of", "session.was_awaited and ", ""),
    ],
)
def test_a_session_with_a_bug_does_not_agree(function: str, old: str, new: str) -> None:
    """
    Nothing is kept that was given back, none is asked twice at once, and a failed commit is told.
    """
    with applied([Change(f"sessions.storage.database.{function}", old, new)]):
        assert failures() != []
    gc.collect()
