"""Whether the database can be written to now."""

from __future__ import annotations

import asyncio

from sqlalchemy import false, update

from sessions.storage.database import Database
from sessions.storage.failures import UNSTORED, StorageErrors, kind_of
from sessions.storage.migration import VERSIONS
from sessions.storage.tables import THREADS
from sessions.tasks import Tasks

# Together they need all that a write needs, space too, and leave everything as it is.
WRITES = (
    update(THREADS).where(false()).values(ended=True),
    update(VERSIONS).values(version_num=VERSIONS.c.version_num),
)


class Readiness:
    """Asks the database, one question at a time, however many want to know."""

    def __init__(
        self, database: Database, tasks: Tasks, timeout_s: float, storage_errors: StorageErrors
    ) -> None:
        self._database = database
        self._tasks = tasks
        self._timeout_s = timeout_s
        self._storage_errors = storage_errors
        self._asking: asyncio.Task[None] | None = None
        self._found: str | None = None

    async def problem(self) -> str | None:
        """Return why nothing can be stored, as a kind of storage error, or None if it can.

        Takes at most timeout_s; a question that takes longer goes on, and is not asked again
        meanwhile.
        """
        if self._asking is None or self._asking.done():
            self._asking = self._tasks.start(self._ask(), "question whether the database is ready")
        done, _ = await asyncio.wait((self._asking,), timeout=self._timeout_s)
        return self._found if done else "timeout"

    async def _ask(self) -> None:
        self._found = None
        try:
            async with self._database.transaction() as connection:
                for write in WRITES:
                    await connection.execute(write)
        except UNSTORED as error:
            self._storage_errors.note(error, "the question whether it is ready")
            self._found = kind_of(error)
