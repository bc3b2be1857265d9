"""The driver of what comes before the first statement: the engine, the lease, the tables."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from threadline import Census, Driver, Refuse

from drivers.database_server import CURRENT_SCHEMA, Engine, Server
from drivers.disk import Process, make_disk
from models.database_start import (
    ALONE,
    CHAT,
    CURRENT,
    ENDS,
    FILE,
    FIRST,
    INDEX,
    LATER,
    LOCKS,
    NO_ANSWER,
    NONE,
    POSTGRESQL,
    PUBLIC,
    SERVER,
    SQLITE,
    UNVERSIONED,
    DatabaseStart,
)
from sessions import Settings
from sessions.errors import TablesError
from sessions.storage.database import Database
from sessions.storage.engine import check_file, make_engine, set_limits
from sessions.storage.failures import Readiness, StorageErrors
from sessions.storage.lease import LEASE_SUFFIX, DatabaseTakenError, Lease, lock_key
from sessions.tasks import Tasks

URLS = {
    SQLITE: make_url("sqlite+aiosqlite:///a.db"),
    POSTGRESQL: make_url("postgresql+asyncpg://ana@127.0.0.1/chat"),
}
TABLES = (
    "CREATE TABLE threads (user_id, thread_id, run_id, active_at_s, ended, used)",
    "INSERT INTO threads VALUES ('ana', 't', 'r', 1, 0, 1)",
    "CREATE TABLE turns"
    " (number, user_id, thread_id, position, role, text, message_id, run_id, at_s)",
)
VERSIONS = "CREATE TABLE alembic_version (version_num)"
VERSION = "INSERT INTO alembic_version VALUES ('{}')"
COLUMN = "ALTER TABLE threads ADD COLUMN {}"
# How another program has left the file.
LEFT: dict[str, tuple[str, ...]] = {
    NONE: (),
    INDEX: ("CREATE TABLE other (x)", "CREATE INDEX ix_turns_message ON other (x)"),
    UNVERSIONED: TABLES,
    FIRST: (*TABLES, VERSIONS, VERSION.format("0001")),
    CURRENT: (*TABLES, COLUMN.format("asked"), VERSIONS, VERSION.format("0002")),
    LATER: (*TABLES, VERSIONS, VERSION.format("9999")),
    "another column": (*TABLES, COLUMN.format("mood")),
    "one table of two": TABLES[:2],
}
# The schema that a process names; one that does not has the server's current one.
NAMED = {"on its schema": CURRENT_SCHEMA, "on another schema": "chat"}
# Under which lock's number the model has a place, written out there.
PLACE_OF = {LOCKS["public"]: PUBLIC, LOCKS["chat"]: CHAT}
ALL = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


class DatabaseStartDriver(Driver[DatabaseStart]):
    """Starts databases on one file, as processes would; calls an engine and a lease by hand."""

    refuses = {
        DatabaseTakenError: "taken",
        TablesError: "tables",
        OperationalError: "storage",
    }
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3", "asyncpg")

    def __init__(self, **limits: Any) -> None:
        self._settings = Settings(**limits)
        self._disk = make_disk()
        self._leave(NONE)
        self._server = Server()
        self._files = {ALONE: Process(self._disk)}  # of each process that has a file open
        self._databases: dict[str, Database] = {}
        url = make_url(f"{self._disk.url}{LEASE_SUFFIX}")
        alone = self._files[ALONE].make_engine(url, 1)
        self._engines: dict[str, Any] = {process: Engine(self._server) for process in SERVER}
        self._leases = {ALONE: Lease(alone, None)}
        for process, engine in self._engines.items():
            self._leases[process] = Lease(engine, NAMED.get(process))
        self._engine = make_engine(URLS[POSTGRESQL], 1)
        self._leases[ALONE].watch(self._engine)
        set_limits(self._engine, self._settings)

    async def tables_become(self, tables: str) -> None:
        self._leave(tables)

    async def serve(self, process: str) -> None:
        if lease := self._leases.get(process):
            await lease.take()
            return
        if process not in self._databases:
            files = self._files[process] = Process(self._disk)
            self._databases[process] = Database(
                self.clock, self._settings, self._disk.url, make_engine=files.make_engine
            )
        await self._databases[process].open()

    async def leave(self, process: str) -> None:
        if lease := self._leases.get(process):
            await lease.release()
        elif database := self._databases.pop(process, None):
            await database.close()
            if self._files[process].transactions:
                raise Refuse("still open")
            self._files.pop(process).crash()

    async def restart_server(self) -> None:
        self._server.restart()

    async def renew(self, process: str, callers: int) -> None:
        lease = self._leases[process]
        lease.is_unsure = True
        renewals = (lease.renew() for _ in range(callers))
        for end in await asyncio.gather(*renewals, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end

    async def ready(self, process: str, fails: bool) -> object:
        if process not in self._files or not self._files[process].transactions:
            raise Refuse("not begun")
        errors = StorageErrors()
        asked = Readiness(self._databases[process], Tasks(), 2, errors)
        self._disk.fails = fails
        problem = await asked.problem()
        self._disk.fails = False
        noted = sum(errors.counts().values())
        return [problem, noted] if await asked.problem() is None else "never ready again"

    async def error(self, loses: bool) -> None:
        self._handle(SimpleNamespace(original_exception=OSError(), is_disconnect=loses))

    async def options(self, database: str) -> object:
        options: dict[str, Any] = {}
        kind = SimpleNamespace(name=database)
        self._engine.dialect.dispatch.do_connect(kind, None, (), options)
        server = options.get("server_settings")
        if server:
            options["server_settings"] = sorted(map(list, server.items()))
        return sorted(map(list, options.items()))

    async def give_up(self, error: str, connection: str | None) -> object:
        ended: list[bool] = []
        driven = SimpleNamespace(terminate=lambda: ended.append(True))
        driven = driven if connection == ENDS else SimpleNamespace()
        held = SimpleNamespace(connection=SimpleNamespace(driver_connection=driven))
        context = SimpleNamespace(
            original_exception=TimeoutError() if error == NO_ANSWER else OSError(),
            connection=held if connection else None,
            is_disconnect=False,
        )
        was_unsure = self._leases[ALONE].is_unsure
        self._handle(context)
        self._leases[ALONE].is_unsure = was_unsure
        return [context.is_disconnect, bool(ended)]

    async def engine(self, database: str, places: int) -> object:
        pool: Any = make_engine(URLS[database], places).sync_engine.pool
        ours = [each for each in pool.dispatch.connect if each.__module__ == make_engine.__module__]
        with (
            TemporaryDirectory() as folder,
            closing(sqlite3.connect(Path(folder) / "a.db")) as connection,
        ):
            for connected in ours:
                connected(connection, None)
            (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
            (writes,) = connection.execute("PRAGMA synchronous").fetchone()
        return [pool.size(), vars(pool)["_max_overflow"], journal, writes]

    async def file(self, url: str) -> None:
        try:
            check_file(make_url(url))
        except ValueError as error:
            raise Refuse("in memory", says=(str(error),)) from None

    async def lock(self, schema: str) -> object:
        return lock_key(schema)

    def census(self) -> Census:
        with closing(self._disk.open(self._disk.path)) as reader:
            tables = {name for (name,) in reader.execute(ALL)}
            rows = "SELECT count(*) FROM threads"
            threads = reader.execute(rows).fetchone()[0] if "threads" in tables else None
            version = "SELECT version_num FROM alembic_version"
            found = reader.execute(version).fetchone() if "alembic_version" in tables else None
        return {
            "version": found and found[0],
            "threads": threads,
            "serves": self._serves(),
            "unsure": {process for process, lease in self._leases.items() if lease.is_unsure},
        }

    def _serves(self) -> dict[str, str]:
        on_file = [(FILE, name) for name, files in self._files.items() if files.transactions]
        names = {engine: name for name, engine in self._engines.items()}
        locks = self._server.locks.items()
        return dict(on_file) | {PLACE_OF.get(key, str(key)): names[each] for key, each in locks}

    def close(self) -> None:
        for files in self._files.values():
            files.crash()
        super().close()
        self._disk.remove()

    def _leave(self, tables: str) -> None:
        """Leave the file as another program does."""
        with closing(self._disk.open(self._disk.path)) as connection:
            for (name,) in connection.execute(ALL).fetchall():
                connection.execute(f"DROP TABLE {name}")
            for statement in LEFT[tables]:
                connection.execute(statement)
            connection.commit()

    def _handle(self, context: Any) -> None:
        self._engine.dialect.dispatch.handle_error(context)
