"""The engine of a database: how it connects, and how long it waits for an answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import URL, Dialect, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sessions.settings import Settings

MakeEngine: TypeAlias = Callable[[URL, int], AsyncEngine]
# By which the server's own end of a statement comes before ours, which costs the connection.
MARGIN_S = 1


def make_engine(url: URL, places: int) -> AsyncEngine:
    """Return an engine whose own pool never lets anybody wait, as each of its users has a place."""
    engine = create_async_engine(url, pool_size=places, max_overflow=0)
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _write_ahead)
    return engine


def check_file(url: URL) -> None:
    """Raise ValueError unless the URL of an SQLite database names a file."""
    if url.database in (None, "", ":memory:") or url.query.get("mode") == "memory":
        raise ValueError(
            f"{url} keeps all in memory, where sessions would share their transactions; "
            "name a file, as in sqlite+aiosqlite:///sessions.db"
        )


def set_limits(engine: AsyncEngine, settings: Settings) -> None:
    """Set the timeouts of an engine's connections and statements.

    SQLite waits for a lock of another process; PostgreSQL for a connection, and for a statement:
    it ends one by itself, and if it is silent, its connection is given up a second later.
    """

    def connecting(
        dialect: Dialect, _record: object, _arguments: object, options: dict[str, Any]
    ) -> None:
        if dialect.name == "sqlite":
            options["timeout"] = settings.statement_timeout_s
        elif dialect.name == "postgresql":
            limit_ms = str(math.ceil(settings.statement_timeout_s * 1_000))
            options["timeout"] = settings.connect_timeout_s
            options["command_timeout"] = settings.statement_timeout_s + MARGIN_S
            options["server_settings"] = {"statement_timeout": limit_ms}

    event.listen(engine.sync_engine, "do_connect", connecting)
    event.listen(engine.sync_engine, "handle_error", _give_up)


def _give_up(context: ExceptionContext) -> None:
    """Close a connection at once that did not answer, as it would not answer a rollback either."""
    if isinstance(context.original_exception, TimeoutError) and context.connection is not None:
        context.is_disconnect = True
        terminate = getattr(context.connection.connection.driver_connection, "terminate", None)
        if terminate is not None:
            terminate()


def _write_ahead(connection: DBAPIConnection, _: object) -> None:
    """Set SQLite to a write-ahead log: readers do not wait for a writer, nor commits for the disk.

    A commit outlives the end of the process, however that comes; of a machine that loses its power
    the last commits may be lost, in whole transactions (sqlite.org/pragma.html#pragma_synchronous).
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
