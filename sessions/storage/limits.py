"""How long a database may take, before whoever asked it is told that it did not answer."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Dialect, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from sessions.settings import Settings

# By which the server's own end of a statement comes before ours, which costs the connection.
MARGIN_S = 1


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
