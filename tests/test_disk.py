"""SQLite without a thread: what was committed stays, and faults are as they are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from threadline.pump import Pump

from drivers.disk import Disk, Process, make_disk
from sessions.settings import Settings
from sessions.storage.database import Database
from tests.sessions_clock import ManualClock

WRITE = text("INSERT INTO threads VALUES (:user, 't', 'r', 1.0, false, 1, NULL)")
READ = text("SELECT count(*) FROM threads")


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = make_disk()
    yield made
    made.remove()


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump()
    yield pump
    pump.close()


def engine_of(disk: Disk, process: Process) -> AsyncEngine:
    database = Database(ManualClock(), Settings(), disk.url, make_engine=process.make_engine)
    return database.engine


async def write(engine: AsyncEngine, user: str = "ana") -> None:
    async with engine.begin() as connection:
        await connection.execute(WRITE, {"user": user})


async def count(engine: AsyncEngine) -> object:
    async with engine.connect() as connection:
        return (await connection.execute(READ)).scalar_one()


def test_call_comes_back_at_once(pump: Pump, disk: Disk) -> None:
    """A transaction ends on a loop that stands still, so no thread has a part in it."""
    engine = engine_of(disk, Process(disk))
    pump.call(write(engine))
    assert pump.call(count(engine)) == 1
    pump.call(engine.dispose())


def test_new_disk_is_empty(pump: Pump) -> None:
    """What one run wrote, the next one does not read."""
    written, other = make_disk(), make_disk()
    engine, empty = engine_of(written, Process(written)), engine_of(other, Process(other))
    pump.call(write(engine))
    assert pump.call(count(empty)) == 0
    for each in (engine, empty):
        pump.call(each.dispose())
    for disk in (written, other):
        disk.remove()


def test_failing_disk_takes_no_commit(pump: Pump, disk: Disk) -> None:
    """While it fails a commit raises and reads go on; afterwards nothing of it is there."""
    engine = engine_of(disk, Process(disk))
    disk.fails = True
    with pytest.raises(OperationalError, match="disk I/O error"):
        pump.call(write(engine))
    assert pump.call(count(engine)) == 0
    disk.fails = False
    pump.call(write(engine))
    assert pump.call(count(engine)) == 1
    pump.call(engine.dispose())


def test_crash_leaves_what_was_committed(pump: Pump, disk: Disk) -> None:
    """After a crash the next process reads what was committed, and not what was under way."""
    process = Process(disk)
    engine = engine_of(disk, process)
    pump.call(write(engine))
    under_way = engine.connect()
    pump.call(under_way.__aenter__())
    pump.call(under_way.execute(text("UPDATE threads SET run_id = 's'")))
    process.crash()

    after = engine_of(disk, Process(disk))
    pump.call(write(after, "ben"))
    assert pump.call(count(after)) == 2
    pump.call(under_way.close())
    pump.call(after.dispose())


def test_crashed_process_opens_nothing(pump: Pump, disk: Disk) -> None:
    """What goes on after a crash cannot reach the disk."""
    process = Process(disk)
    engine = engine_of(disk, process)
    process.crash()
    with pytest.raises(OperationalError, match="the process has ended"):
        pump.call(write(engine))


def test_disk_leaves_nothing_behind() -> None:
    """A disk that was removed is gone."""
    disk = make_disk()
    path: Path = disk.path
    disk.remove()

    assert not path.exists()


def test_a_connection_that_finds_its_file_taken_is_closed(disk: Disk) -> None:
    """
    What opening it has raised lets go of it: Python 3.13 warns of each that nobody has closed.
    """
    with closing(sqlite3.connect(disk.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked") as raised:
            disk.open(disk.path)

    opened = raised.traceback[-1].frame.f_locals["opened"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.execute("SELECT 1")
