"""What database sessions must do: transactions, one statement at a time, and one writer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from threadline import Census, Handle, Model, Operation, Property, Unpredictable, operation

# What comes of what a session was asked, beside what was read.
DONE, DISK, TIMEOUT, CLOSED = "done", "disk error", "pool timeout", "closed"
PENDING, IN_TRANSACTION = "rollback needed", "in a transaction"

AWAITED, BLOCK = "awaited", "block"
FIRST = "nothing yet"  # in each row, before anybody has written
ROWS = ("a", "b")
LINE_MAX = 2  # that one session is asked at once


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a session was asked: `do` says what came of it.

    Of places it needs none, one of the pool, or the writer's as well. Of a session that is closed,
    or whose commit has failed, nothing is done but what `always` is.
    """

    do: Callable[[], object]
    places: int = 0
    undoes: bool = False
    always: bool = False
    is_alone: bool = False
    is_told: bool = True


@dataclass(slots=True, eq=False)
class Held:
    """A session: what it has written and not committed, its places, and what it is asked."""

    handle: Handle
    connection: str
    how: str
    written: dict[str, str] = field(default_factory=dict)
    asked: deque[Asked] = field(default_factory=deque)
    has_place: bool = False
    is_writer: bool = False
    has_begun: bool = False  # a transaction
    needs_rollback: bool = False
    is_closed: bool = False
    due_s: float = 0.0  # until when it waits, once it does


class DatabaseSessions(Model):
    """Sessions on one file: each does what it is asked, in order, and one at a time writes.

    Each is told what came of it. Who cannot write yet waits for pool_timeout_s seconds.
    """

    def __init__(self, pool_timeout_s: float = 30) -> None:
        self.now_s = 0.0
        self.rows = dict.fromkeys(ROWS, FIRST)
        self.sessions: dict[Handle, Held] = {}
        self.line: deque[Held] = deque()  # who waits to write
        self.fails = False
        self._timeout_s = pool_timeout_s
        self._ready: deque[Held] = deque()  # who can go on

    @operation
    def open(self, connection: str, how: str) -> Handle:
        """A session is opened on a connection's context, and awaited, or held by a block."""
        session = self.new("s")
        self.sessions[session] = Held(session, connection, how)
        return session

    @operation
    def read(self, session: Handle) -> None:
        """All rows are read: as they are committed, and as the session has written them."""
        held = self.sessions[session]
        if held.asked and held.asked[0].is_alone:
            raise Unpredictable("whoever writes next may come before it, or after it")
        self._ask(held, Asked(partial(self._read, held), places=1))

    @operation
    def write(self, session: Handle, row: str, text: str) -> None:
        """A row is written, which nobody else sees before it is committed."""
        held = self.sessions[session]
        self._ask(held, Asked(partial(self._write, held, row, text), places=2))

    @operation
    def write_alone(self, session: Handle, row: str, text: str) -> None:
        """A row is written in a transaction of its own; within another one, that is undone."""
        held = self.sessions[session]
        asked = Asked(partial(self._write_alone, held, row, text), places=2, is_alone=True)
        self._ask(held, asked)

    @operation
    def begin_writing(self, session: Handle) -> None:
        """A session waits until it may write."""
        self._ask(self.sessions[session], Asked(lambda: DONE, places=2))

    @operation
    def commit(self, session: Handle) -> None:
        """What was written lasts; where that fails, the session can only be rolled back."""
        held = self.sessions[session]
        self._ask(held, Asked(partial(self._commit, held)))

    @operation
    def roll_back(self, session: Handle) -> None:
        """What was written is undone."""
        held = self.sessions[session]
        self._ask(held, Asked(partial(self._end, held), undoes=True))

    @operation(breaks=Property.MEMORY)
    def close_session(self, session: Handle) -> None:
        """A session ends, after what it is at; what was not committed is undone."""
        held = self.sessions[session]
        self._ask(held, Asked(partial(self._end, held), always=True))
        held.is_closed = True

    @operation(breaks=Property.MEMORY)
    def leave(self, session: Handle) -> None:
        """Whoever waits to write is there no more."""
        held = self.sessions[session]
        self.line.remove(held)
        held.asked.popleft()
        self._go_on(held)

    @operation(breaks=Property.MEMORY)
    def close_all(self) -> None:
        """Every session ends, as each would, and who waits to write with them."""
        still_open = self.still_open()
        for held in still_open:
            held.is_closed = True
        for held in still_open:
            held.asked.append(Asked(partial(self._end, held), always=True, is_told=False))
            self._go_on(held)

    @operation(breaks=Property.KEYS)
    def of_connection(self, connection: str) -> list[Handle]:
        """Return the open sessions of a connection, but for those of a block."""
        wanted = connection, AWAITED
        found = self.still_open()
        return [each.handle for each in found if (each.connection, each.how) == wanted]

    @operation
    def disk(self, fails: bool) -> None:
        """No commit succeeds from now on, or all do."""
        self.fails = fails

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        end_s = self.now_s + seconds
        while self.line and (due_s := self.line[0].due_s) <= end_s:
            self.now_s = due_s
            held = self.line.popleft()
            held.asked.popleft()
            self.tell(held.handle, TIMEOUT)
            self._go_on(held)
        self.now_s = end_s

    def census(self) -> Census:
        """Return what is committed, who is open, who has which places, and who waits."""
        sessions = self.sessions.values()
        return {
            "rows": dict(self.rows),
            "open": len(self.still_open()),
            "taken": sum(each.has_place for each in sessions),
            "writers": sum(each.is_writer for each in sessions),
            "in_line": len(self.line),
        }

    def teardown(self) -> Iterator[Operation]:
        while self.line:
            yield DatabaseSessions.leave(self.line[0].handle)
        for held in self.still_open():
            yield DatabaseSessions.close_session(held.handle)

    def still_open(self) -> list[Held]:
        return [each for each in self.sessions.values() if not each.is_closed]

    def _ask(self, held: Held, asked: Asked) -> None:
        if held.asked and (held.is_closed or len(held.asked) == LINE_MAX):
            raise Unpredictable("it is asked too much at once")
        held.asked.append(asked)
        if len(held.asked) == 1:
            self._go_on(held)

    def _go_on(self, held: Held) -> None:
        """Do what a session is asked until it has to wait, then what it lets others do."""
        self._ready.append(held)
        while self._ready:
            next_one = self._ready.popleft()
            while next_one.asked and self._is_done(next_one, next_one.asked[0]):
                next_one.asked.popleft()

    def _is_done(self, held: Held, asked: Asked) -> bool:
        """Do what a session is asked, unless it has to wait."""
        if held in self.line:
            return False
        came = self._refusal(held, asked)
        if came is None and not self._has_places(held, asked.places):
            held.due_s = self.now_s + self._timeout_s
            self.line.append(held)
            return False
        said = came or asked.do()
        if asked.is_told:
            self.tell(held.handle, said)
        return True

    def _refusal(self, held: Held, asked: Asked) -> str | None:
        if held.is_closed and not asked.always:
            return CLOSED
        return PENDING if held.needs_rollback and not (asked.always or asked.undoes) else None

    def _has_places(self, held: Held, places: int) -> bool:
        """Return whether a session has the places that it needs, once it has taken them."""
        held.has_place = held.has_place or places > 0
        is_taken = any(each.is_writer for each in self.sessions.values())
        held.is_writer = held.is_writer or (places > 1 and not is_taken)
        return held.is_writer or places < 2

    def _read(self, held: Held) -> object:
        held.has_begun = True
        return self.rows | held.written

    def _write(self, held: Held, row: str, text: str) -> str:
        held.has_begun = True
        held.written[row] = text
        return DONE

    def _write_alone(self, held: Held, row: str, text: str) -> str:
        came = IN_TRANSACTION if held.has_begun else DONE
        if not held.has_begun:
            self.rows[row] = text
        self._end(held)
        return came

    def _commit(self, held: Held) -> str:
        if held.has_begun and self.fails:
            held.needs_rollback = True
            held.written.clear()
            return DISK
        self.rows |= held.written
        return self._end(held)

    def _end(self, held: Held) -> str:
        """Undo what is not committed, and give back the places: the writer's to the first."""
        held.written.clear()
        was_writer = held.is_writer
        held.has_begun = held.needs_rollback = held.has_place = held.is_writer = False
        if was_writer and self.line:
            first = self.line.popleft()
            first.is_writer = True
            self._ready.append(first)
        return DONE
