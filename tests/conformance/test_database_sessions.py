"""Database sessions: what is undone, what lasts, and who waits for whom."""

from __future__ import annotations

import gc

import pytest
from threadline import Handle, Ok
from threadline.campaign.change import Change, applied

from models.database_sessions import (
    AWAITED,
    BLOCK,
    CLOSED,
    DISK,
    DONE,
    IN_TRANSACTION,
    PENDING,
    TIMEOUT,
)
from scenarios.database_sessions import SessionsByHand
from tests.conformance.talks import Begin, DatabaseTalk
from tests.explored import first_failure

TALK = DatabaseTalk
DRIVER = "drivers.database_sessions:DatabaseSessionsDriver"

SESSION = "RequestScopedSession"
FACTORY = "RequestScopedSessionFactory"
S1, S2 = Handle("s", 1), Handle("s", 2)


@pytest.fixture
def talk(begin: Begin[DatabaseTalk]) -> DatabaseTalk:
    """Two sessions of one connection; the second is in a block."""
    talk = begin(pool_timeout_s=3)
    talk.do.open("c1", AWAITED)
    talk.do.open("c1", BLOCK)
    return talk


def told(*what: object, to: Handle = S1) -> Ok:
    return Ok(told={to: [*what]})


def test_what_is_written_is_seen_by_others_once_it_is_committed(talk: DatabaseTalk) -> None:
    """
    The session that has written it sees it before.
    """
    talk.do.write(S1, "a", "hi")

    assert talk.do.read(S1) == told({"a": "hi", "b": "nothing yet"})
    assert talk.do.read(S2) == told({"a": "nothing yet", "b": "nothing yet"}, to=S2)
    talk.do.commit(S1)
    assert talk.do.read(S2) == told({"a": "hi", "b": "nothing yet"}, to=S2)


@pytest.mark.parametrize("end", ["commit", "roll_back", "close_session"])
def test_one_at_a_time_writes(talk: DatabaseTalk, end: str) -> None:
    """
    Whoever waits goes on when the first is done, however that ends.
    """
    talk.do.write(S1, "a", "hi")

    assert talk.do.write(S2, "a", "yo") == Ok()
    assert getattr(talk.do, end)(S1) == Ok(told={S1: [DONE], S2: [DONE]})


@pytest.mark.parametrize(("seconds", "came"), [(2, Ok()), (3, told(TIMEOUT, to=S2))])
def test_nobody_waits_longer_than_the_limit(talk: DatabaseTalk, seconds: int, came: Ok) -> None:
    """
    It keeps the place of the pool that it has by then.
    """
    talk.do.write(S1, "a", "hi")
    talk.do.write(S2, "a", "yo")

    assert talk.do.wait(seconds) == came
    assert talk.held("taken") == 2


def test_after_a_commit_that_failed_a_session_can_only_be_rolled_back(talk: DatabaseTalk) -> None:
    """
    No second commit seems to have stored what is lost.
    """
    talk.do.write(S1, "a", "hi")
    talk.do.disk(True)

    assert talk.do.commit(S1) == told(DISK)
    talk.do.disk(False)
    assert [talk.do.commit(S1), talk.do.read(S1)] == [told(PENDING), told(PENDING)]
    assert talk.do.roll_back(S1) == told(DONE)
    assert talk.do.read(S1) == told({"a": "nothing yet", "b": "nothing yet"})


def test_a_write_of_its_own_lasts_at_once_but_not_within_a_transaction(
    talk: DatabaseTalk,
) -> None:
    """
    The transaction is undone with it.
    """
    assert talk.do.write_alone(S1, "a", "hi") == told(DONE)
    talk.do.write(S1, "b", "yo")
    assert talk.do.write_alone(S1, "a", "no") == told(IN_TRANSACTION)
    assert talk.do.read(S2) == told({"a": "hi", "b": "nothing yet"}, to=S2)


def test_a_closed_session_says_so_and_closes_again(talk: DatabaseTalk) -> None:
    """
    Of a connection, those are found that are open and in no block.
    """
    assert talk.do.of_connection("c1") == Ok([S1])
    talk.do.close_session(S1)

    assert [talk.do.read(S1), talk.do.close_session(S1)] == [told(CLOSED), told(DONE)]
    assert talk.do.of_connection("c1") == Ok([])


def test_who_leaves_makes_way(talk: DatabaseTalk) -> None:
    """
    What the session was asked behind it is done.
    """
    talk.do.write(S1, "a", "hi")
    talk.do.write(S2, "a", "yo")
    talk.do.read(S2)

    assert talk.do.leave(S2) == told({"a": "nothing yet", "b": "nothing yet"}, to=S2)
    assert talk.do.close_all() == Ok()
    assert talk.held("open") == 0


def test_sessions_agree_with_the_model() -> None:
    """
    In 200 runs nothing differs.
    """
    assert first_failure(DRIVER, SessionsByHand, 200) == ""


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
        (f"{FACTORY}._closed", "del self._open[session]", "pass"),
        (f"{FACTORY}._is_of", "session.was_awaited and ", ""),
    ],
)
def test_a_session_with_a_bug_does_not_agree(function: str, old: str, new: str) -> None:
    """
    Nothing is kept that was given back, none is asked twice at once, and a failed commit is told.
    """
    with applied([Change(f"sessions.storage.database.{function}", old, new)]):
        assert first_failure(DRIVER, SessionsByHand, 200)
    gc.collect()
