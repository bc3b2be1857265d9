"""What a pool of database places must do: first come, first served, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from threadline import Census, Handle, Model, Operation, Property, operation

PLACE, TIMEOUT = "place", "pool timeout"


@dataclass(slots=True)
class Waiting:
    """When the wait is over, and how long the place would be held; None until it is given back."""

    due_s: float
    held_s: float | None


class DatabasePool(Model):
    """So many can be at work at once: database sessions, and transactions without one.

    Who comes when all places are taken waits in line for pool_timeout_s seconds; a place that
    comes free at that very second comes too late. Each is told what comes of it.
    """

    def __init__(self, pool_size: int = 10, pool_timeout_s: float = 30) -> None:
        self.now_s = 0.0
        self.holding: dict[Handle, float | None] = {}  # when each gives its place back by itself
        self.line: dict[Handle, Waiting] = {}
        self._sessions: set[Handle] = set()
        self._size = pool_size
        self._timeout_s = pool_timeout_s

    @operation
    def take(self, held_s: float | None) -> Handle:
        """A session begins to work, and gives its place back after so long, or when it is told."""
        return self._begin(held_s, is_session=True)

    @operation
    def hold(self, held_s: float) -> Handle:
        """The same, of a transaction without a session, which gives back at its very second."""
        return self._begin(held_s, is_session=False)

    @operation(breaks=Property.MEMORY)
    def give_back(self, session: Handle) -> None:
        """One that holds a place is done."""
        del self.holding[session]
        self._serve()

    @operation(breaks=Property.MEMORY)
    def cancel(self, session: Handle) -> None:
        """One that holds a place, or waits for one, is cancelled."""
        if session not in self.holding:
            del self.line[session]
        else:
            self.give_back(session)

    @operation(breaks=Property.MEMORY)
    def hand_over(self, session: Handle, cancelled: Handle) -> None:
        """One gives its place back, and one that waits is cancelled in the same moment."""
        del self.line[cancelled]
        self.give_back(session)

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        end_s = self.now_s + seconds
        while (due_s := self._next_s()) <= end_s:
            self.now_s = due_s
            for session in [each for each, waiting in self.line.items() if waiting.due_s <= due_s]:
                del self.line[session]
                self.tell(session, TIMEOUT)
            for session in [each for each, until_s in self.holding.items() if until_s == due_s]:
                self.give_back(session)
        self.now_s = end_s

    def census(self) -> Census:
        """Return how many places are taken, who is in line, and how many sessions are open."""
        sessions = self._sessions & {*self.holding, *self.line}
        return {"taken": len(self.holding), "in_line": len(self.line), "open": len(sessions)}

    def teardown(self) -> Iterator[Operation]:
        for session in [*self.line, *self.holding]:
            yield DatabasePool.cancel(session)

    def _begin(self, held_s: float | None, *, is_session: bool) -> Handle:
        new = self.new("s")
        self.line[new] = Waiting(self.now_s + self._timeout_s, held_s)
        if is_session:
            self._sessions.add(new)
        self._serve()
        return new

    def _serve(self) -> None:
        """Give free places to the first in line."""
        while self.line and len(self.holding) < self._size:
            session = next(iter(self.line))
            held_s = self.line.pop(session).held_s
            self.holding[session] = None if held_s is None else self.now_s + held_s
            self.tell(session, PLACE)

    def _next_s(self) -> float:
        waits = [waiting.due_s for waiting in self.line.values()]
        ends = [until_s for until_s in self.holding.values() if until_s is not None]
        return min([*waits, *ends], default=float("inf"))
