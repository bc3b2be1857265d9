"""A database server that gives advisory locks, to whoever calls it as an engine of SQLAlchemy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sqlalchemy import make_url

URL = make_url("postgresql+asyncpg://ana:secret@127.0.0.1/chat")
CURRENT_SCHEMA = "public"


class Server:
    """Has locks by number; each is a connection's, and ends with it, or with the server."""

    def __init__(self) -> None:
        self.locks: dict[int, Engine] = {}

    def restart(self) -> None:
        self.locks.clear()


class Engine:
    """One process's; what it is given back stays connected until it is disposed of."""

    dialect = SimpleNamespace(name="postgresql")
    url = URL

    def __init__(self, server: Server) -> None:
        self._server = server

    async def connect(self) -> Engine:
        return self

    async def execute(self, statement: Any, values: dict[str, int] | None = None) -> Any:
        """Return the current schema; or, of a lock's number, whether it is this engine's now.

        That of a transaction is always had: nobody here has statements under way. Nobody is named,
        as each connection ends at once.
        """
        if "current_schema" in str(statement):
            return SimpleNamespace(scalar_one=lambda: CURRENT_SCHEMA)
        if "xact" in str(statement) or "application_name" in str(statement):
            return None
        assert values is not None
        holder = self._server.locks.setdefault(values["key"], self)
        return SimpleNamespace(scalar_one=lambda: holder is self)

    async def commit(self) -> None:
        """Keep no transaction open."""

    async def close(self) -> None:
        """Go back to the pool."""

    async def dispose(self) -> None:
        locks = self._server.locks
        self._server.locks = {key: each for key, each in locks.items() if each is not self}
