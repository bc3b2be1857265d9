"""What the start of a database must do: one process has it, and the tables are this program's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from threadline import Census, Model, Operation, Property, Refuse, operation

NONE, FIRST, UNVERSIONED, CURRENT = "no tables", "version 0001", "no version", "version 0002"
LATER = "version 9999"
# What a file is like that a process finds, and the words on what no version of it has made.
TABLES: Mapping[str, str] = {
    **dict.fromkeys((NONE, FIRST, UNVERSIONED, CURRENT), ""),
    LATER: "are of version 9999, and this program knows 0002, 0001",
    "another column": "the tables threads and turns are not",
    "one table of two": "the tables threads are not",
}
# What is left where a migration ends half way: nothing of it.
INDEX = "an index of that name"
FILE, PUBLIC, CHAT = "a file", "schema public", "schema chat"
ALONE = "a lease alone"  # a process that asks for nothing but the lease, as do those on a server
SERVER = {"on a server": PUBLIC, "on its schema": PUBLIC, "on another schema": CHAT}
# What each process wants for itself.
PLACES = {"one": FILE, "another": FILE, ALONE: FILE, **SERVER}
# The names of files, and whether what is in them is more than one connection's.
FILES: Mapping[str, bool] = {
    "sqlite+aiosqlite:///a.db": True,
    "sqlite+aiosqlite:///file:a.db?uri=true": True,
    "sqlite+aiosqlite:///file:a?mode=memory&uri=true": False,
    "sqlite+aiosqlite:///:memory:": False,
    "sqlite+aiosqlite:///": False,
    "sqlite+aiosqlite://": False,
}
SQLITE, POSTGRESQL = "sqlite", "postgresql"
# The number of the lock by which one process has a schema. Another program would not know it else.
LOCKS: Mapping[str, int] = {"public": -7469811400057137425, "chat": -6508451031149716770}
NO_ANSWER, ENDS, STAYS = "no answer", "can be ended", "cannot be ended"


class DatabaseStart(Model):
    """Processes of one program, each of which wants a database for itself.

    serves: who has what. The file has one thread, or None where it has no tables.
    """

    def __init__(self, connect_timeout_s: float = 4, statement_timeout_s: float = 5) -> None:
        self.serves: dict[str, str] = {}
        self.unsure: set[str] = set()
        self._sure: set[str] = set()  # who has taken its own, and does not know whether it is gone
        self._tables = NONE
        self._threads: int | None = None
        self._connect_s, self._statement_s = connect_timeout_s, statement_timeout_s

    @operation
    def tables_become(self, tables: str) -> None:
        """Another program leaves the file like this, with one thread where it has tables."""
        self._tables, self._threads = tables, None if tables in (NONE, INDEX) else 1

    @operation
    def serve(self, process: str) -> None:
        """A process starts on its database; one that has it already goes on."""
        if process not in self._sure:
            self._take(process)
        if process == ALONE or process in SERVER:
            return
        if self._tables == INDEX:
            self.leave(process)
            raise Refuse("storage")
        if says := TABLES[self._tables]:
            self.leave(process)
            raise Refuse("tables", says=(says,))
        self._tables, self._threads = CURRENT, self._threads or 0

    @operation(breaks=Property.MEMORY)
    def leave(self, process: str) -> None:
        """A process ends, and another may start."""
        self._sure.discard(process)
        if self.serves.get(PLACES[process]) == process:
            del self.serves[PLACES[process]]

    @operation
    def restart_server(self) -> None:
        """The server forgets who has what of it, and its processes do not know."""
        for place in SERVER.values():
            self.serves.pop(place, None)

    @operation(breaks=Property.LIVENESS)
    def renew(self, process: str, callers: int) -> None:
        """A lease is taken again, for so many callers at once: all have the same end."""
        del callers
        self.unsure.add(process)
        self.leave(process)
        self._take(process)
        self.unsure.remove(process)

    @operation(breaks=Property.LIVENESS)
    def ready(self, process: str, fails: bool) -> object:
        """Is the database of a process ready, with a disk that fails meanwhile: what is the matter?

        With it, how many errors were noted.
        """
        if self.serves.get(FILE) != process:
            raise Refuse("not begun")
        return ["other", 1] if fails else [None, 0]

    @operation
    def error(self, loses: bool) -> None:
        """An error comes by which a connection was lost, or was not: so may be the lease."""
        if loses:
            self.unsure.add(ALONE)

    @operation
    def options(self, database: str) -> object:
        """How long a connection of a kind of database waits."""
        statement_s = self._statement_s
        if database == POSTGRESQL:
            server = [["statement_timeout", str(int(statement_s * 1000))]]
            return [
                ["command_timeout", statement_s + 1],
                ["server_settings", server],
                ["timeout", self._connect_s],
            ]
        return [["timeout", statement_s]] if database == SQLITE else []

    @operation
    def give_up(self, error: str, connection: str | None) -> object:
        """A statement ends by an error: is its connection lost, and ended at once?"""
        is_lost = error == NO_ANSWER and connection is not None
        return [is_lost, is_lost and connection == ENDS]

    @operation
    def engine(self, database: str, places: int) -> object:
        """An engine is made: its connections, more for nobody, and how each writes."""
        return [places, 0, *(("wal", 1) if database == SQLITE else ("delete", 2))]

    @operation(breaks=Property.ISOLATION)
    def file(self, url: str) -> None:
        """A database is named."""
        if not FILES[url]:
            raise Refuse("in memory", says=("name a file",))

    @operation(breaks=Property.KEYS)
    def lock(self, schema: str) -> object:
        """The number of a schema's lock."""
        return LOCKS[schema]

    def _take(self, process: str) -> None:
        holder = self.serves.setdefault(PLACES[process], process)
        if holder != process:
            raise Refuse("taken", says=("is served by another process",))
        self._sure.add(process)

    def census(self) -> Census:
        """Return what the file is like, and who has what."""
        is_told = self._tables in (FIRST, CURRENT, LATER)
        return {
            "version": self._tables.removeprefix("version ") if is_told else None,
            "threads": self._threads,
            "serves": self.serves,
            "unsure": self.unsure,
        }

    def teardown(self) -> Iterator[Operation]:
        for process in sorted(self._sure):
            yield DatabaseStart.leave(process)
