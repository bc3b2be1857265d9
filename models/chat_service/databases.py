"""The database sessions that operations have opened (the contract, Database sessions)."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadline import Handle, Refused, Unpredictable

from models.chat_service.processes import Places, Processes
from models.chat_service.storage import Storage
from models.session_manager.context import Context
from models.session_manager.ids import Id

KEPT = 4  # closed ones, for an owner who does not know yet

AWAITED, BLOCK = "awaited", "block"
HOWS = (AWAITED, BLOCK)


@dataclass(slots=True, eq=False)
class DatabaseSession:
    """An open one, and the places that it holds.

    needs_rollback: a commit failed, after which there is nothing to do but to undo, or to close.
    """

    handle: Handle
    context: Context
    how: str
    held: list[Places] = field(default_factory=list)
    needs_rollback: bool = False


class Databases:
    """Those that are open, and the names of those closed last."""

    def __init__(self, storage: Storage, processes: Processes, closed: list[Handle]) -> None:
        self.open: dict[Handle, DatabaseSession] = {}
        self.closed = closed
        self._storage = storage
        self._processes = processes

    def add(self, session: DatabaseSession) -> None:
        self.open[session.handle] = session

    def find(self, handle: Handle, *, how: str = "") -> DatabaseSession | Refused:
        """Return an open one; raises KeyError for one long closed, or Unpredictable."""
        session = self.open.get(handle)
        if session is None and handle in self.closed:
            return Refused("closed", because=f"{handle} was closed")
        if session is None:
            raise KeyError(handle)
        if how not in ("", session.how):
            raise Unpredictable(f"{handle} is not a {how}")
        return session

    def check_free(self) -> None:
        """Raise Unpredictable where a session holds a place."""
        holder = next((each for each in self.open.values() if each.held), None)
        if holder:
            raise Unpredictable(f"{holder.handle} holds a place")

    def take(self, session: DatabaseSession, *, writes: bool) -> None:
        """Give a session the places that it needs; raises Unpredictable if it had to wait."""
        needed = [self._storage.pool, self._storage.writers] if writes else [self._storage.pool]
        missing = [places for places in needed if places not in session.held]
        if any(places.is_full for places in missing):
            raise Unpredictable(f"{session.handle} would wait for a place")
        for places in missing:
            places.taken += 1
            session.held.append(places)

    def has_written(self, session: DatabaseSession) -> bool:
        return self._storage.writers in session.held

    def give_back(self, session: DatabaseSession) -> None:
        while session.held:
            self._processes.give_back(session.held.pop())

    def close(self, session: DatabaseSession) -> None:
        self.give_back(session)
        del self.open[session.handle]
        self.closed.append(session.handle)
        del self.closed[:-KEPT]

    def close_of(self, connection: Id) -> None:
        """Close those that were awaited on a context of a connection."""
        for session in list(self.open.values()):
            if session.how == AWAITED and session.context.connection == connection:
                self.close(session)
