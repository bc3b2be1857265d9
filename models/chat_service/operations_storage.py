"""The operations on the life of the service, its storage, and database sessions.

An operation on a database session needs whatever place it takes to be free: whether it waited
could not be told within its step.
"""

from __future__ import annotations

from dataclasses import dataclass

from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Outcome

from models.chat_service.contract import DatabaseSessions, Storage


@dataclass(frozen=True, slots=True)
class Restart(Operation):
    """The service is stopped, and started again. Needs all places of the pool to be free."""

    def apply(self, target: Storage) -> Outcome:
        return target.restart()


@dataclass(frozen=True, slots=True)
class Crash(Operation):
    """The service is gone from one moment to the next, and started again."""

    def apply(self, target: Storage) -> Outcome:
        return target.crash()


@dataclass(frozen=True, slots=True)
class StorageFails(Operation):
    """From now on no commit of what was written succeeds."""

    def apply(self, target: Storage) -> Outcome:
        return target.storage_fails()


@dataclass(frozen=True, slots=True)
class StorageRecovers(Operation):
    """Commits succeed again."""

    def apply(self, target: Storage) -> Outcome:
        return target.storage_recovers()


@dataclass(frozen=True, slots=True)
class OpenDatabaseSession(Operation):
    """A database session is opened on a context, for an owner to close or as a block."""

    context: Handle
    how: str

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.open_database_session(self.context, self.how)


@dataclass(frozen=True, slots=True)
class WriteDatabase(Operation):
    """A database session writes: it takes a place of the pool and that of writers."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.write_database(self.session)


@dataclass(frozen=True, slots=True)
class ReadDatabase(Operation):
    """A database session reads: it takes a place of the pool."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.read_database(self.session)


@dataclass(frozen=True, slots=True)
class CommitDatabase(Operation):
    """A database session commits, and gives back what it took."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.commit_database(self.session)


@dataclass(frozen=True, slots=True)
class RollBackDatabase(Operation):
    """A database session undoes, and gives back what it took."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.roll_back_database(self.session)


@dataclass(frozen=True, slots=True)
class CloseDatabase(Operation):
    """A database session ends, by its owner or at the end of its block."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.close_database(self.session)


@dataclass(frozen=True, slots=True)
class RaiseInDatabase(Operation):
    """The body of a database session's block raises; for blocks only."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.raise_in_database(self.session)


@dataclass(frozen=True, slots=True)
class CancelDatabase(Operation):
    """The task of a database session's block is cancelled; for blocks only."""

    session: Handle

    def apply(self, target: DatabaseSessions) -> Outcome:
        return target.cancel_database(self.session)
