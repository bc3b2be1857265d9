"""Tables of each version, and databases that are not there, at the start of the service."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner, Result
from sqlalchemy import Connection, text

from sessions.__main__ import main
from sessions.storage.migration import VERSION
from sessions.storage.tables import METADATA
from sessions.storage.upgrade import MIGRATIONS
from tests.sessions_apps import make_service
from tests.sessions_databases import (
    KINDS,
    POSTGRESQL_URL,
    Gateway,
    needs_postgresql,
    opened,
    own_schema,
)

PATIENCE_S = 600
TOLD = "Error: the database cannot be used: "


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'sessions.db'}"


def prepared(folder: Path, *statements: str) -> None:
    """Make a SQLite database by hand, as another program would."""
    with closing(sqlite3.connect(folder / "sessions.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def started(*options: str) -> Result:
    return CliRunner().invoke(
        main, ["--port", "0", *options], env={"SESSIONS_TOKENS": '{"t": "ana"}'}
    )


def test_version_is_the_last_of_the_migrations() -> None:
    """What the program takes for its own tables is what its migrations lead to."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == VERSION


@pytest.mark.parametrize("kind", KINDS)
def test_migrations_make_the_tables(tmp_path: Path, kind: str) -> None:
    """An empty database gets the tables that the statements are written for, and their version."""

    def differences(schema: str | None) -> Callable[[Connection], object]:
        def compared(connection: Connection) -> object:
            if schema is not None:
                connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
            return compare_metadata(MigrationContext.configure(connection), METADATA)

        return compared

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, _, _):
            options = database.engine.sync_engine.get_execution_options()
            schema = options.get("schema_translate_map", {}).get(None)
            async with database.reading() as connection:
                assert await connection.run_sync(differences(schema)) == []

    asyncio.run(run())


@pytest.mark.parametrize("kind", KINDS)
def test_tables_without_a_version_get_one(tmp_path: Path, kind: str) -> None:
    """What was stored before there were versions is there after the start."""

    async def run() -> None:
        async with opened(tmp_path, kind=kind) as (database, _, _):
            async with database.transaction() as connection:
                await connection.run_sync(unversion)
            await database.open()
            async with database.reading() as connection:
                assert await connection.run_sync(kept) == ("t", VERSION)

    asyncio.run(run())


def unversion(connection: Connection) -> None:
    """Leave a thread, as the first version did, which noted none."""
    connection.execute(METADATA.tables["threads"].insert().values(**THREAD))
    connection.execute(text(f"DROP TABLE {at(connection)}alembic_version"))
    connection.execute(text(f"ALTER TABLE {at(connection)}threads DROP COLUMN asked"))


def kept(connection: Connection) -> tuple[object, object]:
    versions = connection.execute(text(f"SELECT version_num FROM {at(connection)}alembic_version"))
    threads = connection.execute(text(f"SELECT thread_id FROM {at(connection)}threads"))
    return threads.scalar_one(), versions.scalar_one()


def at(connection: Connection) -> str:
    schema = connection.get_execution_options().get("schema_translate_map", {}).get(None)
    return f"{schema}." if schema else ""


THREAD = {
    "user_id": "ana",
    "thread_id": "t",
    "run_id": "r",
    "active_at_s": 1.0,
    "ended": False,
    "used": 1,
}


def test_tables_of_a_newer_version_are_told_of(tmp_path: Path) -> None:
    """In one line and with status 1, and they are left as they are."""
    prepared(
        tmp_path,
        "CREATE TABLE alembic_version (version_num TEXT)",
        "INSERT INTO alembic_version VALUES ('9999')",
    )
    ended = started("--database", url(tmp_path))

    assert ended.exit_code == 1
    assert ended.stderr == (
        f"{TOLD}the tables are of version 9999, and this program knows 0002, 0001; use the "
        "program that made them, or a newer one\n"
    )


def test_tables_of_somebody_else_are_told_of(tmp_path: Path) -> None:
    """In one line and with status 1, and nothing is added to them."""
    prepared(tmp_path, "CREATE TABLE turns (number INTEGER PRIMARY KEY)")
    ended = started("--database", url(tmp_path))

    assert ended.exit_code == 1
    assert ended.stderr == (
        f"{TOLD}the tables turns are not those of any version of this program; use the program "
        "that made them, or another database or schema\n"
    )
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("turns",)]


def test_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """It is one transaction on SQLite as well: of two tables there is none."""
    prepared(
        tmp_path,
        "CREATE TABLE other (a)",
        "CREATE INDEX ix_turns_message ON other (a)",
    )
    assert started("--database", url(tmp_path)).exit_code == 1

    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert tables.fetchall() == [("other",)]


@needs_postgresql
@pytest.mark.parametrize(
    "bytes_max",
    [
        pytest.param(0, id="from the start", marks=pytest.mark.slow),
        pytest.param(400, id="once connected", marks=pytest.mark.slow),
    ],
)
def test_silent_postgresql_is_told_of(tmp_path: Path, bytes_max: int) -> None:
    """In one line, with a reason, after the limits of a connection and of a statement."""

    async def run() -> tuple[int | None, str]:
        gateway = Gateway(bytes_max)
        async with gateway.opened():
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sessions", "--port", "0", "--database", gateway.url),
                env={**os.environ, "SESSIONS_TOKENS": json.dumps({"t": "ana"})},
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(PATIENCE_S):
                _, stderr = await process.communicate()
        return process.returncode, stderr.decode()

    assert asyncio.run(run()) == (
        1,
        f"{TOLD}no answer in time; start it, or name another with --database\n",
    )


@needs_postgresql
def test_two_services_may_start_on_one_schema(tmp_path: Path) -> None:
    """The second start finds the tables, and changes nothing."""

    async def run() -> None:
        async with own_schema() as schema:
            for _ in range(2):
                async with make_service(tmp_path, url=POSTGRESQL_URL, schema=schema) as service:
                    assert await service.readiness.problem() is None

    asyncio.run(run())
