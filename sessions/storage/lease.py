"""The lease of a database: one process serves it at a time."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from sqlalchemy import ExceptionContext, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sessions.storage.engine import whole

# Beside a file of SQLite: who has it locked has the lease.
LEASE_SUFFIX = ".lease"
SQLITE_BUSY = "database is locked"
SCHEMA = text("SELECT current_schema()")
TRY_LOCK = text("SELECT pg_try_advisory_lock(:key)")
# Waits for all who share it, and holds it no longer than that: its transaction ends at once.
LOCK_ALONE = text("SELECT pg_advisory_xact_lock(:key)")
SHARE = "SELECT pg_advisory_lock_shared({})"
QUERY_CANCELED = "57014"  # its time was over (PostgreSQL's manual, Appendix A)
NAME = text("SELECT set_config('application_name', :name, false)")
# Ends who has a name, and waits for that, 5 seconds at most: our choice.
END_NAMED = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = :name"
)


class DatabaseTakenError(Exception):
    """Another process serves the database."""


class Lease:
    """Held by a connection of its own, so that it ends with the process, however that ends.

    On PostgreSQL it is an advisory lock of the database and the schema; on SQLite the exclusive
    lock of a file beside the database's. The engine is of that database, or that file.

    A statement outlives the process that has sent it, where PostgreSQL is at it. So each connection
    of the process shares a second lock, and whoever takes the lease waits until nobody does: else
    what he reads first could be changed by one who is gone.
    """

    def __init__(self, engine: AsyncEngine, schema: str | None) -> None:
        self._engine = engine
        self._schema = schema
        self._connection: AsyncConnection | None = None
        self._shared_key: int | None = None
        self._name = f"chat lease {secrets.token_hex(16)}"
        self.is_unsure = False  # whether the connection may be gone, and the lease with it
        self._renewing: asyncio.Task[None] | None = None

    def watch(self, engine: AsyncEngine) -> None:
        """Be unsure from the moment on at which a connection of an engine is found to be gone.

        A server that was restarted has forgotten its locks with its connections. Those that are
        made from now on share the second lock.
        """
        event.listen(engine.sync_engine, "handle_error", self._note)
        event.listen(engine.sync_engine, "connect", self._share)

    async def renew(self) -> None:
        """Take the lease again; raises what take() raises.

        To be called before each transaction once it is unsure, as another process may have the
        lease by then. Who comes meanwhile shares the attempt: a database that is silent costs each
        of them its limit once, however many they are.
        """
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._take_again(), name="renewal of the lease")
        await whole(self._renewing)

    async def take(self) -> None:
        """Take the lease, once what its last holder has begun is over; nothing if it is held.

        Raises DatabaseTakenError, also if that is not over after statement_timeout_s, and what the
        database raises.
        """
        if self._connection is None:
            await self._take()
            try:
                await whole(self._settle())
            except BaseException as error:
                await self.release()
                if isinstance(error, DBAPIError) and _code(error) == QUERY_CANCELED:
                    raise DatabaseTakenError(
                        f"{self._shown()} is still at statements of a process that is gone; "
                        "start again when they are over"
                    ) from None
                raise

    async def release(self) -> None:
        """Give up the lease, and close its connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await whole(connection.close())
        await whole(self._engine.dispose())  # which ends the connection, and the lock with it

    async def _take(self) -> None:
        try:
            is_mine = await whole(self._locks())
        except BaseException as error:
            await self.release()
            if not (isinstance(error, OperationalError) and SQLITE_BUSY in str(error.orig)):
                raise
            is_mine = False
        if not is_mine:
            await self.release()
            raise DatabaseTakenError(
                f"{self._shown()} is served by another process; stop that one, or use another "
                "database"
            )

    async def _take_again(self) -> None:
        try:
            await self.release()
            await self._take()  # nobody else is waited for: those who share the lock are our own
            self.is_unsure = False
        finally:
            self._renewing = None

    def _note(self, context: ExceptionContext) -> None:
        self.is_unsure = self.is_unsure or context.is_disconnect

    def _shown(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    async def _settle(self) -> None:
        """Wait until nobody shares the second lock, on PostgreSQL."""
        if self._connection is not None and self._shared_key is not None:
            await self._connection.execute(LOCK_ALONE, {"key": self._shared_key})
            await self._connection.commit()

    def _share(self, connection: DBAPIConnection, _: object) -> None:
        if self._shared_key is not None:
            cursor = connection.cursor()
            cursor.execute(SHARE.format(self._shared_key))
            cursor.close()
            connection.commit()

    async def _locks(self) -> bool:
        """Connect, and return whether the lock is ours; SQLite raises SQLITE_BUSY if it is not."""
        connection = self._connection = await self._engine.connect()
        if self._engine.dialect.name != "sqlite":
            # By its name, which another process may have been given where this one was not.
            schema = self._schema or (await connection.execute(SCHEMA)).scalar_one()
            self._shared_key = lock_key(schema, "statements")
            # Our own last connection has the lease until PostgreSQL reads that it was closed.
            await connection.execute(END_NAMED, {"name": self._name})
            await connection.execute(NAME, {"name": self._name})
            found = await connection.execute(TRY_LOCK, {"key": lock_key(schema)})
            await connection.commit()  # the lock is the connection's, and no transaction stays open
            return bool(found.scalar_one())
        await connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        await connection.exec_driver_sql("BEGIN EXCLUSIVE")
        return True


def lock_key(schema: str, of: str = "sessions") -> int:
    """Return the number of an advisory lock: one of 64 bits for each schema, and no other's."""
    hashed = hashlib.sha256(f"chat {of}/{schema}".encode()).digest()
    return int.from_bytes(hashed[:8], "big", signed=True)


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
