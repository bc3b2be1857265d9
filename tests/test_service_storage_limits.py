"""A database that is locked, silent or gone, and what the service says of it meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.testclient import TestClient

from sessions.errors import PoolTimeoutError
from sessions.service import ChatService
from sessions.settings import Settings
from sessions.storage.failures import kind_of, why
from tests.sessions_apps import ANA, make_service, served
from tests.sessions_databases import POSTGRESQL_URL, Gateway, needs_postgresql, own_schema

SOON = Settings(statement_timeout_s=0.1, connect_timeout_s=1, ready_timeout_s=60)
PATIENCE_S = 600
SAY = {"text": "hi", "thread_id": "t"}


class Coded(Exception):
    """An error as PostgreSQL's driver tells it."""

    def __init__(self, sqlstate: str, text: str = "") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


class NamedError(Exception):
    """An error as SQLite's driver tells it."""

    def __init__(self, name: str) -> None:
        super().__init__("disk I/O error")
        self.sqlite_errorname = name


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the write lock of the SQLite database in a folder, as another process would."""
    with closing(sqlite3.connect(folder / "sessions.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def behind_a_gateway(folder: Path) -> AsyncIterator[tuple[ChatService, Gateway, str]]:
    """Give a service on PostgreSQL, the way that it takes there, and its schema."""
    gateway = Gateway()
    async with (
        own_schema() as schema,
        gateway.opened(),
        make_service(folder, SOON, url=gateway.url, schema=schema) as service,
    ):
        yield service, gateway, schema
        gateway.release()


async def said(service: ChatService) -> int:
    """Post a message, and return the status of the answer."""
    return (await service.agent_route.process_agent_message("ana", SAY)).status


def reads(app: TestClient, path: str) -> tuple[int, object]:
    answer = app.get(path)
    return answer.status_code, answer.json()


def test_database_that_can_be_written_is_ready(tmp_path: Path) -> None:
    """Whoever asks is told so, without a token."""
    with served(make_service(tmp_path)) as app:
        assert reads(app, "/ready") == (200, {"status": "ready"})


def test_readiness_is_a_write(tmp_path: Path) -> None:
    """What is asked is written and committed, which takes space as every write does."""
    with (
        served(make_service(tmp_path)) as app,
        closing(sqlite3.connect(tmp_path / "sessions.db")) as other,
    ):
        before = other.execute("PRAGMA data_version").fetchone()
        assert reads(app, "/ready") == (200, {"status": "ready"})
        assert other.execute("PRAGMA data_version").fetchone() != before


def test_locked_database_is_not_ready(tmp_path: Path) -> None:
    """While another process holds it the service lives, is not ready, and tells a user so."""
    with served(make_service(tmp_path, SOON)) as app:
        with locked(tmp_path):
            assert reads(app, "/ready") == (503, {"status": "unready", "reason": "locked"})
            assert reads(app, "/health") == (200, {"status": "ok"})
            refused = app.post("/agents/message", json=SAY, headers=ANA)
            assert (refused.status_code, refused.json()["code"]) == (503, "storage_error")

        assert reads(app, "/ready") == (200, {"status": "ready"})
        assert app.post("/agents/message", json=SAY, headers=ANA).status_code == 200


def test_readiness_has_a_limit_of_its_own(tmp_path: Path) -> None:
    """Who asks is answered in time, though the database's own limit is longer."""
    settings = Settings(statement_timeout_s=2, ready_timeout_s=0.01)
    with served(make_service(tmp_path, settings)) as app, locked(tmp_path):
        assert reads(app, "/ready") == (503, {"status": "unready", "reason": "timeout"})


def test_full_pool_is_not_ready(tmp_path: Path) -> None:
    """Without a place for a transaction nothing can be stored."""

    async def asked() -> str | None:
        settings = Settings(pool_size=1, pool_timeout_s=0.01, ready_timeout_s=60)
        async with make_service(tmp_path, settings) as service, service.database.places.held():
            return await service.readiness.problem()

    assert asyncio.run(asked()) == "pool_timeout"


@needs_postgresql
def test_silent_postgresql_keeps_nobody_waiting(tmp_path: Path) -> None:
    """A server that says nothing any more costs its limit, and is there again when it speaks."""

    async def run() -> None:
        async with behind_a_gateway(tmp_path) as (service, gateway, _):
            assert await said(service) == 200
            gateway.hold()
            assert await service.readiness.problem() == "timeout"
            assert await said(service) == 503
            gateway.release()
            assert await service.readiness.problem() is None
            assert await said(service) == 200
            assert service.census().database.places_taken == 0

    asyncio.run(run())


@needs_postgresql
def test_locked_table_keeps_nobody_waiting(tmp_path: Path) -> None:
    """PostgreSQL ends a statement that takes too long, and the connection goes on."""

    async def run() -> None:
        other = create_async_engine(POSTGRESQL_URL)
        async with behind_a_gateway(tmp_path) as (service, _, schema):
            async with other.begin() as connection:
                await connection.execute(text(f"LOCK TABLE {schema}.threads"))
                assert await service.readiness.problem() == "timeout"
                assert await said(service) == 503
            assert await said(service) == 200
        await other.dispose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PoolTimeoutError("no place"), "pool_timeout"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "unreachable"),
        (DBAPIError("SELECT", {}, Coded("28P01")), "unreachable"),
        (DBAPIError("SELECT", {}, Coded("57014")), "timeout"),
        (DBAPIError("SELECT", {}, Coded("53100")), "full"),
        (DBAPIError("SELECT", {}, Coded("53300")), "unreachable"),
        (DBAPIError("SELECT", {}, Coded("22P05")), "other"),
        (DBAPIError("SELECT", {}, NamedError("SQLITE_IOERR_SHMSIZE")), "full"),
        (DBAPIError("SELECT", {}, NamedError("SQLITE_IOERR_READ")), "other"),
    ],
)
def test_errors_have_kinds(error: Exception, kind: str) -> None:
    """What no database has named has a kind as well."""
    assert kind_of(error) == kind


def test_storage_error_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log says once what could not be done, for whom by their ids, and why, without a text."""
    with served(make_service(tmp_path, SOON)) as app, locked(tmp_path):
        app.post("/agents/message", json={"text": "a secret", "thread_id": "t"}, headers=ANA)
        app.delete("/threads?thread_id=t", headers=ANA)

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "storage error (locked) in user_message, user 'ana', thread 't': "
        "SQLITE_BUSY database is locked",
        "storage error (locked) in DELETE /threads, user 'ana', thread 't': "
        "SQLITE_BUSY database is locked",
    ]
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text


def test_storage_errors_are_counted_by_kind(tmp_path: Path) -> None:
    """Each kind has a counter, which is there before the first error."""
    with served(make_service(tmp_path, SOON)) as app:
        before = counted(app)
        with locked(tmp_path):
            app.get("/ready")
            app.post("/agents/message", json=SAY, headers=ANA)
            after = counted(app)

    kinds = ("pool_timeout", "timeout", "locked", "full", "unreachable", "other")
    assert before == dict.fromkeys(kinds, 0)
    assert after == {**before, "locked": 2}


def counted(app: TestClient) -> dict[str, float]:
    families = text_string_to_metric_families(app.get("/metrics").text)
    return {
        sample.labels["kind"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "sessions_storage_errors_total"
    }


def test_sweep_that_cannot_be_stored_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The sweep goes on, and its storage error is no traceback."""

    async def run() -> None:
        settings = Settings(pool_size=1, pool_timeout_s=0.001, sweep_interval_s=0.001)
        async with make_service(tmp_path, settings) as service, service.database.places.held():
            async with asyncio.timeout(PATIENCE_S):
                while service.metrics().system.sweep_errors < 2:
                    await asyncio.sleep(0)

    asyncio.run(run())

    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) >= 2
    assert {record.exc_info for record in errors} == {None}
    assert errors[0].getMessage().startswith("storage error (pool_timeout) in the sweep: no place")


def test_words_of_a_refused_value_are_not_logged() -> None:
    """A database that refuses a value says which; only the code of that error is told."""
    refused = DBAPIError("INSERT", {}, Coded("22P05", "invalid text: a secret"))

    assert why(refused) == "22P05"


def test_error_without_words_has_a_reason() -> None:
    """An error that says nothing is told by its name, or by what it means."""
    assert why(TimeoutError()) == "no answer in time"
    assert why(ConnectionResetError()) == "ConnectionResetError"
