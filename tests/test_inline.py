"""Tests of aiosqlite and executors within a pump: what a thread would do, done at the call."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any
from weakref import ref

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from threadline.inline import inline_aiosqlite
from threadline.pump import Pump, is_pumped

ADD = "INSERT INTO notes (name) VALUES (?)"

SINCE_022 = pytest.mark.skipif(
    not hasattr(aiosqlite.Connection, "stop"), reason="there is no stop before aiosqlite 0.22"
)


@pytest.fixture
def pump() -> Iterator[Pump]:
    inline_aiosqlite()
    pump = Pump()
    yield pump
    pump.close()


class Notes:
    """A small store, as somebody writes it who knows nothing of pumps."""

    def __init__(self, path: Path) -> None:
        self.db = aiosqlite.connect(path)

    async def open(self) -> set[Thread]:
        """Return the threads that run while the database is open."""
        await self.db
        await self.db.execute("CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY)")
        return set(threading.enumerate())

    async def add(self, *names: str) -> None:
        await self.db.executemany(ADD, [(name,) for name in names])
        await self.db.commit()

    async def add_without_end(self, name: str) -> None:
        await self.db.execute(ADD, (name,))

    async def add_and_roll_back(self, name: str) -> None:
        await self.db.execute(ADD, (name,))
        await self.db.rollback()

    async def names(self) -> list[str]:
        async with self.db.execute("SELECT name FROM notes ORDER BY name") as rows:
            return [name async for (name,) in rows]

    async def dump(self) -> list[str]:
        return [line async for line in self.db.iterdump()]

    async def timeout_ms(self) -> object:
        return await self.db.execute_fetchall("PRAGMA busy_timeout")

    async def close(self) -> None:
        await self.db.close()

    async def live(self) -> tuple[set[Thread], list[str]]:
        threads = await self.open()
        await self.add("a", "b")
        names = await self.names()
        await self.close()
        return threads, names


async def stop(db: aiosqlite.Connection) -> bool:
    """Return whether the connection had stopped when the call came back."""
    stopped = db.stop()
    return stopped is not None and stopped.done()


async def round_trip(engine: AsyncEngine) -> tuple[set[Thread], list[str]]:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (name TEXT PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO notes VALUES ('a'), ('b')"))
    async with engine.connect() as connection:
        rows = await connection.stream(text("SELECT name FROM notes ORDER BY name"))
        return set(threading.enumerate()), [name async for (name,) in rows]


async def insert(engine: AsyncEngine, name: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO notes VALUES (:name)"), {"name": name})


def engine_at(path: Path, **options: str) -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{path}", **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notes.db"


@pytest.fixture
def notes(pump: Pump, path: Path) -> Iterator[Notes]:
    """Open a store, and close it in the end."""
    notes = Notes(path)
    pump.call(notes.open())
    yield notes
    pump.call(notes.close())


def stored(path: Path) -> int:
    """Return how many names others find in the file."""
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT count(*) FROM notes").fetchone()[0])


def warnings_without(held: list[Any], forgotten: ref[Any]) -> list[warnings.WarningMessage]:
    """Return what is warned of when nobody holds a thing any more; it must be gone then."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        held.clear()
        gc.collect()
    assert forgotten() is None
    return told


def test_opens_on_no_thread(pump: Pump, path: Path) -> None:
    """No thread is started to open, use and close a database within a pump."""
    before = set(threading.enumerate())
    notes = Notes(path)

    assert pump.call(notes.open()) == before

    pump.call(notes.close())

    assert set(threading.enumerate()) == before


def test_keeps_what_was_committed(pump: Pump, notes: Notes, path: Path) -> None:
    """What is written in a pump is read within it, row by row, and by others after the commit."""
    pump.call(notes.add("b", "a"))

    assert pump.call(notes.names()) == ["a", "b"]
    assert stored(path) == 2


def test_iterates_over_more_rows_than_one_fetch(pump: Pump, notes: Notes) -> None:
    """A cursor that fetches in parts goes through all of them within one call."""
    pump.call(notes.add(*map(str, range(1000))))

    assert len(pump.call(notes.names())) == 1000


def test_raises_what_the_database_raises(pump: Pump, notes: Notes) -> None:
    """A statement that the database refuses raises at its call, and the connection goes on."""
    pump.call(notes.add("a"))
    with pytest.raises(sqlite3.IntegrityError):
        pump.call(notes.add("a"))

    assert pump.call(notes.names()) == ["a"]


def test_rolls_back(pump: Pump, notes: Notes) -> None:
    """What was rolled back is gone."""
    pump.call(notes.add_and_roll_back("a"))

    assert pump.call(notes.names()) == []


def test_refuses_what_comes_after_the_end(pump: Pump, notes: Notes) -> None:
    """A closed connection refuses statements as aiosqlite's does, and may be closed again."""
    pump.call(notes.close())
    pump.call(notes.close())
    with pytest.raises(ValueError, match="no active connection"):
        pump.call(notes.add("a"))


def test_opens_once(pump: Pump, notes: Notes) -> None:
    """A connection that is awaited a second time is refused, as if it had a thread."""
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        pump.call(notes.open())


def test_raises_where_a_database_cannot_be_opened(pump: Pump, tmp_path: Path) -> None:
    """A database that cannot be opened raises, and starts no thread."""
    before = set(threading.enumerate())
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        pump.call(Notes(tmp_path / "nowhere" / "notes.db").open())

    assert set(threading.enumerate()) == before


def test_hears_no_word_to_end(pump: Pump, notes: Notes) -> None:
    """What aiosqlite 0.20 sends to its thread so that it ends is no work, and is not done."""
    notes.db._tx.put_nowait(object())  # type: ignore[arg-type]  # 0.20's own type of a word
    pump.call(notes.add("a"))

    assert pump.call(notes.names()) == ["a"]


def test_dumps_without_waiting(pump: Pump, notes: Notes) -> None:
    """iterdump, which polls its thread, needs no time within a pump."""
    pump.call(notes.add("a"))

    assert "INSERT INTO \"notes\" VALUES('a');" in pump.call(notes.dump())


def test_waits_for_no_lock(pump: Pump, notes: Notes) -> None:
    """A lock is refused at once, because its owner cannot go on while another waits for it."""

    assert pump.call(notes.timeout_ms()) == [(0,)]


@SINCE_022
def test_stops_at_the_call(pump: Pump, path: Path) -> None:
    """stop closes the database at its call; after the run too, when no loop is left."""
    first, second = Notes(path), Notes(path)
    pump.call(first.open())
    pump.call(second.open())

    assert pump.call(stop(first.db)) is True
    with pytest.raises(ValueError, match="no active connection"):
        pump.call(first.names())

    pump.close()

    assert second.db.stop() is None
    assert second.db._connection is None


def test_a_connection_may_be_forgotten(pump: Pump, path: Path) -> None:
    """A connection that nobody has closed goes without a warning, and without its changes."""
    held = [Notes(path)]
    pump.call(held[0].open())
    pump.call(held[0].add_without_end("a"))
    pump.close()

    told = warnings_without(held, ref(held[0].db))
    assert told == []
    assert stored(path) == 0


def test_a_connection_may_be_forgotten_by_another_thread(pump: Pump, path: Path) -> None:
    """The garbage collector may find a connection in another thread, which may not close it."""
    held = [Notes(path)]
    pump.call(held[0].open())
    opened = held[0].db._conn  # closed here below, in its own thread
    other = Thread(target=held.clear)
    other.start()
    other.join()
    gc.collect()
    opened.close()

    assert held == []


def test_serves_sqlalchemy(pump: Pump, path: Path) -> None:
    """An engine of SQLAlchemy's writes, reads and is disposed of within a pump, on no thread."""
    before = set(threading.enumerate())
    engine = engine_at(path)

    assert pump.call(round_trip(engine)) == (before, ["a", "b"])
    with pytest.raises(IntegrityError):
        pump.call(insert(engine, "a"))

    pump.call(insert(engine, "c"))
    pump.call(engine.dispose())

    assert set(threading.enumerate()) == before


def test_serves_sqlalchemy_in_memory(pump: Pump) -> None:
    """An engine on a database in memory keeps its one connection from call to call."""
    engine = create_async_engine("sqlite+aiosqlite://")
    pump.call(round_trip(engine))
    with pytest.raises(IntegrityError):
        pump.call(insert(engine, "a"))
    pump.call(engine.dispose())


def test_sets_the_isolation_level_of_sqlalchemy(pump: Pump, path: Path) -> None:
    """SQLAlchemy sets the isolation level past aiosqlite's methods; that runs inline too."""
    engine = engine_at(path, isolation_level="AUTOCOMMIT")

    assert pump.call(round_trip(engine))[1] == ["a", "b"]

    pump.call(engine.dispose())


def test_an_engine_may_be_forgotten(pump: Pump, path: Path) -> None:
    """An engine that nobody has disposed of goes without a warning."""
    held = [engine_at(path)]
    pump.call(round_trip(held[0]))
    pump.close()
    told = warnings_without(held, ref(held[0].pool))
    assert told == []


def test_a_connection_lives_on_in_the_next_pump(pump: Pump, path: Path) -> None:
    """A connection that a system keeps all its life serves one run after another."""
    notes = Notes(path)
    pump.call(notes.open())
    pump.call(notes.add("a"))
    pump.close()
    after = Pump()

    assert after.call(notes.names()) == ["a"]

    after.call(notes.close())
    after.close()


def test_leaves_other_loops_alone(pump: Pump, path: Path) -> None:
    """After a pump the same code runs on a thread again where it runs on asyncio's loop."""
    before = set(threading.enumerate())
    pumped = pump.call(Notes(path).live())
    path.unlink()
    threads, names = asyncio.run(Notes(path).live())

    assert pumped == (before, ["a", "b"])
    assert len(threads - before) == 1
    assert names == ["a", "b"]


def test_dumps_on_other_loops(pump: Pump, path: Path) -> None:
    """iterdump on asyncio's loop is aiosqlite's own."""

    async def live() -> list[str]:
        notes = Notes(path)
        await notes.open()
        lines = await notes.dump()
        await notes.close()
        return lines

    assert asyncio.run(live())[-1] == "COMMIT;"


@SINCE_022
def test_warns_of_what_is_forgotten_on_other_loops(pump: Pump, path: Path) -> None:
    """A connection on asyncio's loop that nobody has closed gives aiosqlite's own warning."""

    before = set(threading.enumerate())

    async def forget() -> None:
        (its_thread,) = await Notes(path).open() - before
        gc.collect()
        await asyncio.to_thread(its_thread.join)  # else it would speak to a loop that is closed

    with pytest.warns(ResourceWarning, match="was deleted before being closed"):
        asyncio.run(forget())


def test_leaves_a_connection_without_a_queue_alone(
    pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subclass that has done away with the queue to the thread may be forgotten too."""

    class Bare(aiosqlite.Connection):
        def __init__(self) -> None:
            self._connection = None

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    Bare()
    gc.collect()

    assert told == []


def test_is_done_once() -> None:
    """To make aiosqlite run inline a second time changes nothing."""
    inline_aiosqlite()
    before = dict(vars(aiosqlite.Connection))
    inline_aiosqlite()

    assert dict(vars(aiosqlite.Connection)) == before


def test_does_not_import_aiosqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has imported aiosqlite, nothing is done."""
    monkeypatch.delitem(sys.modules, "aiosqlite")
    inline_aiosqlite()

    assert "aiosqlite" not in sys.modules


def test_runs_an_executor_of_the_systems_inline(pump: Pump) -> None:
    """What a system gives to a pool of threads of its own runs in this thread."""

    async def work() -> int:
        with ThreadPoolExecutor() as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, threading.get_ident)

    assert pump.call(work()) == threading.get_ident()


def test_knows_a_pumps_loop_from_others(pump: Pump) -> None:
    """is_pumped holds within a pump, and neither on asyncio's loop nor outside of any."""

    async def ask() -> bool:
        return is_pumped()

    assert pump.call(ask()) is True
    assert asyncio.run(ask()) is False
    assert is_pumped() is False
