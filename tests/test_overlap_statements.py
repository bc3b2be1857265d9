"""Tests of statements of SQLite that overlap: who waits for a lock, and in what order."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from threadline.inline import inline_aiosqlite
from threadline.loading import load_target
from threadline.lockstep.run import Runs, replay
from threadline.outcome import Ok
from threadline.pump import Pump
from threadline.schedule import BUSY_TICKS, Call, Schedule
from threadline.timing import Timing
from threadline.trace import Header, Recorder

from models.stored_turns import StoredTurns
from tests.toys.racing import Desks

Stored: Any = StoredTurns
ENTER = Desks.enter("ana")
ADD, COUNT = "INSERT INTO notes (name) VALUES (?)", "SELECT count(*) FROM notes"


class Database:
    """Two plain connections to one file, and calls that use them at the same time."""

    def __init__(self, pump: Pump, path: Path) -> None:
        self.pump, self.schedule = pump, Schedule()
        pump.schedule = self.schedule
        self.one, self.other = (pump.call(self._opened(path)) for _ in range(2))
        pump.call(self._run(self.one, "CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT)"))
        self.began = 0

    async def _opened(self, path: Path) -> aiosqlite.Connection:
        return await aiosqlite.connect(path, isolation_level=None)

    async def _run(self, connection: aiosqlite.Connection, *statements: str) -> None:
        for statement in statements:
            await connection.execute(statement)

    def begin(self, work: Coroutine[Any, Any, Any], **timing: Any) -> asyncio.Task[Any]:
        self.began += 1
        call = Call(self.began, ENTER.timed(Timing(**timing)), Ok(None))
        self.schedule.begin(call)
        call.task = self.pump.spawn(work, call)
        self.pump.settle()
        return call.task

    def ticks(self, *tasks: asyncio.Task[Any], most: int = 200) -> int:
        """Run tick after tick until tasks are done; return how many it took."""
        for passed in range(most):
            if all(task.done() for task in tasks):
                return passed
            self.pump.tick()
        raise AssertionError(f"not done after {most} ticks")

    def names(self) -> list[str]:
        async def read() -> list[str]:
            rows = await self.one.execute_fetchall("SELECT name FROM notes ORDER BY id")
            return [name for (name,) in rows]

        return self.pump.call(read())


async def write(connection: aiosqlite.Connection, name: str, end: str = "COMMIT") -> None:
    await connection.execute("BEGIN IMMEDIATE")
    await connection.execute(ADD, (name,))
    if end:
        await connection.execute(end)


async def add_and_count(connection: aiosqlite.Connection, name: str) -> int:
    """Make two statements at once; return what the second has seen."""
    _, counted = await asyncio.gather(
        connection.execute(ADD, (name,)), connection.execute_fetchall(COUNT)
    )
    ((number,),) = counted
    return int(number)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    inline_aiosqlite()
    pump = Pump()
    database = Database(pump, tmp_path / "notes.db")
    yield database
    pump.schedule = None
    for connection in (database.one, database.other):
        pump.call(connection.close())
    pump.close()


def test_a_statement_waits_for_a_lock_and_gets_it(database: Database) -> None:
    holder = database.begin(write(database.one, "ana"), delays=((3, 6),))
    waiter = database.begin(write(database.other, "ben"))
    for _ in range(5):
        database.pump.tick()
        assert not holder.done()
        assert not waiter.done()
    database.ticks(holder, waiter)
    assert [holder.exception(), waiter.exception()] == [None, None]
    assert database.names() == ["ana", "ben"]


def test_a_lock_that_is_never_given_back_is_an_error(database: Database) -> None:
    holder = database.begin(write(database.one, "ana", end=""))
    waiter = database.begin(write(database.other, "ben"))
    assert database.ticks(holder, waiter) == 3  # tried again, though nothing else goes on
    assert isinstance(waiter.exception(), sqlite3.OperationalError)
    assert "locked" in str(waiter.exception())


def test_a_lock_that_is_kept_too_long_is_an_error(database: Database) -> None:
    async def hold() -> None:
        await write(database.one, "ana", end="")
        for _ in range(3 * BUSY_TICKS):
            await database.one.execute(COUNT)

    late = tuple((point, 1) for point in range(3, 3 * BUSY_TICKS))
    holder = database.begin(hold(), delays=late)
    waiter = database.begin(write(database.other, "ben"))
    assert database.ticks(waiter) == BUSY_TICKS + 1
    assert isinstance(waiter.exception(), sqlite3.OperationalError)
    assert not holder.done()
    database.ticks(holder)


def test_who_waits_behind_a_commit_goes_on_with_it() -> None:
    """
    A commit waits for the last row of a reader, and another reader for the commit: once the first
    has it, nobody is left without a way on.
    """
    target = load_target("drivers.stored_turns:StoredTurnsDriver")
    header = Header(target.model.name, target.name, settings={"pool_size": 10}, overlap=True)
    look, answer = Stored.history("ana", "t", 100), Stored.answer("ana", "t", "r")
    steps = [
        Stored.say("ana", "t", "r", "m"),
        Stored.threads_of("ana").timed(Timing(delays=((3, 2),))),
        look.timed(Timing(begins="during")),
        answer.timed(Timing(begins="with")),
        look.timed(Timing(delays=((2, 2),))),
        answer.timed(Timing(begins="during")),
        look.timed(Timing(begins="with", delays=((2, -3), (3, 1)))),
    ]

    assert replay(Runs(target, Recorder(None)), header, [*enumerate(steps, 1)]) is None


def test_another_error_is_no_reason_to_wait(database: Database) -> None:
    waiter = database.begin(database._run(database.one, "INSERT INTO nothing VALUES (1)"))
    assert database.ticks(waiter) == 0
    assert isinstance(waiter.exception(), sqlite3.OperationalError)


@pytest.mark.parametrize("delays", [((1, 3),), ((1, 3), (2, 1)), ((1, 1), (2, -1)), ((1, -2),)])
def test_statements_of_a_connection_keep_their_order(
    database: Database, delays: tuple[tuple[int, int], ...]
) -> None:
    task = database.begin(add_and_count(database.one, "ana"), delays=delays)
    database.ticks(task)
    assert task.result() == 1


def test_statements_of_two_connections_are_done_as_they_are_due(database: Database) -> None:
    late = database.begin(database.one.execute(ADD, ("ana",)), delays=((1, 3),))
    early = database.begin(database.other.execute(ADD, ("ben",)), delays=((1, 1),))
    database.ticks(late, early)
    assert database.names() == ["ben", "ana"]


def test_what_is_behind_a_statement_that_waits_waits_too(database: Database) -> None:
    holder = database.begin(write(database.one, "ana"), delays=((3, 6),))
    task = database.begin(add_and_count(database.other, "ben"))
    database.ticks(holder, task)
    assert task.result() == 2
