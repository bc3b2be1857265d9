"""Databases for a test: SQLite in a file, and PostgreSQL in a schema of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateSchema, DropSchema

from sessions.clock import Clock
from sessions.session_manager import ChatSystem
from sessions.settings import Settings
from sessions.storage.database import Database
from tests.sessions_clock import ManualClock
from tests.sessions_peers import make_system

POSTGRESQL = ("127.0.0.1", 5432)
POSTGRESQL_URL = "postgresql+asyncpg://postgres@127.0.0.1:5432/test"
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))")


def postgresql_runs() -> bool:
    try:
        socket.create_connection(POSTGRESQL, timeout=1).close()
    except OSError:
        return False
    return True


needs_postgresql = pytest.mark.skipif(
    not postgresql_runs(), reason="no PostgreSQL runs on 127.0.0.1:5432"
)
KINDS = ("sqlite", pytest.param("postgresql", marks=needs_postgresql))


async def until_waited_for(pid: int) -> None:
    """Return once somebody waits for what a process of PostgreSQL has locked."""
    engine = create_async_engine(POSTGRESQL_URL, isolation_level="AUTOCOMMIT")
    async with engine.connect() as other:
        while not (await other.execute(WAITING, {"pid": pid})).scalar_one():
            pass
    await engine.dispose()


@asynccontextmanager
async def opened(
    folder: Path, settings: Settings | None = None, kind: str = "sqlite"
) -> AsyncIterator[tuple[Database, ChatSystem, ManualClock]]:
    """Give an open database that is empty, a system and their clock; take away what it made."""
    system, clock = make_system(settings)
    make = sqlite if kind == "sqlite" else postgresql
    async with make(folder, clock, system.settings) as database:
        await database.open()
        yield database, system, clock


@asynccontextmanager
async def sqlite(folder: Path, clock: Clock, settings: Settings) -> AsyncIterator[Database]:
    database = Database(clock, settings, f"sqlite+aiosqlite:///{folder / 'sessions.db'}")
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def postgresql(folder: Path, clock: Clock, settings: Settings) -> AsyncIterator[Database]:
    async with own_schema() as schema:
        database = Database(clock, settings, POSTGRESQL_URL, schema)
        try:
            yield database
        finally:
            await database.close()


class Gateway:
    """A way to PostgreSQL that can be held, or cut.

    Held: what is sent on it waits, and nobody is told; by itself once so many bytes of PostgreSQL
    have passed. Cut: what was connected is aborted, and what would connect is refused. Stranded:
    what was connected is aborted, and PostgreSQL is not told.
    """

    def __init__(self, bytes_max: int | None = None) -> None:
        self._bytes_left = bytes_max
        self.url = ""
        self._is_open = asyncio.Event()
        if bytes_max != 0:
            self._is_open.set()
        self.met = 0  # how often somebody has connected
        self._ways: set[asyncio.StreamWriter] = set()
        self._stranded: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def connections(self) -> int:
        """How many lead to PostgreSQL now."""
        return len(self._ways) // 2

    def hold(self) -> None:
        self._is_open.clear()

    def release(self) -> None:
        self._is_open.set()

    def strand(self) -> None:
        """Abort every connection, but for its end at PostgreSQL."""
        self._stranded |= {way for way in self._ways if _leads_to_postgresql(way)}
        for way in self._ways - self._stranded:
            way.transport.abort()

    async def cut(self) -> None:
        """Abort every connection, and refuse new ones."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            for way in list(self._ways):
                way.transport.abort()
            await server.wait_closed()

    async def mend(self) -> None:
        """Accept connections again, on the same port as before a cut."""
        self._server = await asyncio.start_server(self._met, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        await self.mend()
        self.url = f"postgresql+asyncpg://postgres@127.0.0.1:{self._port}/test"
        try:
            yield
        finally:
            await self.cut()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        far_reader, far_writer = await asyncio.open_connection(*POSTGRESQL)
        self._ways |= {writer, far_writer}
        await asyncio.gather(
            self._pass(reader, far_writer, lambda _: None),
            self._pass(far_reader, writer, self._count),
        )
        far_writer.close()
        self._ways -= {writer, far_writer}

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        count: Callable[[int], None],
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._is_open.wait()
                writer.write(data)
                count(len(data))
        if writer not in self._stranded:
            writer.close()

    def _count(self, bytes_sent: int) -> None:
        if self._bytes_left is not None:
            self._bytes_left -= bytes_sent
            if self._bytes_left <= 0:
                self.hold()


def _leads_to_postgresql(way: asyncio.StreamWriter) -> bool:
    return bool(way.get_extra_info("peername") == POSTGRESQL)


@asynccontextmanager
async def own_schema() -> AsyncIterator[str]:
    """Make a schema of PostgreSQL that nobody else has, and take it away with all in it."""
    schema = f"threadline_{secrets.token_hex(8)}"
    owner = create_async_engine(POSTGRESQL_URL)
    try:
        async with owner.begin() as connection:
            await connection.execute(CreateSchema(schema))
        yield schema
    finally:
        async with owner.begin() as connection:
            await connection.execute(DropSchema(schema, cascade=True, if_exists=True))
        await owner.dispose()
