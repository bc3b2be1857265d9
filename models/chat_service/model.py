"""The reference model of a chat service: a session manager that handles messages and stores."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import asdict
from typing import Any, ClassVar

from threadline import (
    Census,
    Disagreement,
    Handle,
    Operation,
    Property,
    Refused,
    Unpredictable,
    operation,
)

from models.chat_service.blame import blame
from models.chat_service.census import WATCHED, census
from models.chat_service.databases import BLOCK, DatabaseSession
from models.chat_service.handling import LIMIT
from models.chat_service.invariants import INVARIANTS
from models.chat_service.messages import MessagesModel
from models.chat_service.payload import Frame
from models.chat_service.preconditions import is_free
from models.chat_service.processes import Gate, Wait
from models.chat_service.shape import shape
from models.chat_service.turns import StorageFailed
from models.session_manager.connections import CLEAN
from models.session_manager.ids import Id, Key, refused_id, refused_ids

DELETED = 4404
STORAGE_ERROR = Refused("storage_error", because="storage fails")


class ChatServiceModel(MessagesModel):
    """The whole of it: messages, what is stored of them, and database sessions.

    What would have to wait for a place in its own step is not there to be asked for: an
    operation that needs places is unpredictable while a session holds one. What is done on a
    database session that was closed is refused ("closed").
    """

    name = "chat_service"
    invariants: ClassVar[Any] = INVARIANTS
    watched = WATCHED

    @operation(when=is_free)
    def invalidate(self, user: str) -> object:
        """All that a user has ends."""
        self.service.databases.check_free()
        if refused := refused_ids(user):
            return refused
        ended = self._end_user(user)
        self._forget_dead_letters(lambda key: key[0] == user)
        self.service.settle()
        return self._finish(self._end_stored(user, self.state.sessions.uses, ended))

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.service.wait(seconds)

    @operation(when=is_free)
    def sweep(self) -> object:
        """What is due is freed."""
        self.service.databases.check_free()
        is_stored = self.service.sweep_at_once()
        self.service.settle()
        return None if is_stored else STORAGE_ERROR

    @operation
    def metrics(self) -> object:
        """The counts are read."""
        own = {"storage_errors": dict(self.service.storage.noted)}
        counts = asdict(self.state.counts) | asdict(self.service.requests.counts)
        return counts | self.state.timed() | own

    @operation(when=is_free)
    def threads(self, user: str) -> object:
        """A user's stored conversations are listed, that of the last message first."""
        self.service.databases.check_free()
        if refused_ids(user):
            return Refused("bad_id", because="of the user")
        mine = [
            {"thread_id": found.key[1], "last_active_at_s": found.active_s}
            for found in reversed(self.service.turns.in_order())
            if found.key[0] == user and self.service.is_kept(found)
        ]
        return {"threads": mine}

    @operation(when=is_free)
    def thread_messages(self, user: str, thread: Id, limit: int | None) -> object:
        """A thread's latest turns are read."""
        self.service.databases.check_free()
        flaw = Frame("get_thread_history", {"limit": limit}).flaw()
        if flaw or refused_ids(user) or refused_id("thread", thread):
            return Refused(flaw or "bad_id", because="of the limit, the user or the thread")
        found = self.service.conversation((user, thread))
        turns = found.turns[-(limit or LIMIT) :] if found else []
        return {"thread_id": thread, "turns": [turn.view() for turn in turns]}

    @operation(when=is_free)
    def delete_thread(self, user: str, thread: Id) -> object:
        """A thread is deleted with all that it has."""
        self.service.databases.check_free()
        if refused_ids(user) or refused_id("thread", thread):
            return Refused("bad_id", because="of the user or the thread")
        key, connections, sessions = (user, thread), self.state.connections, self.state.sessions
        was_live = key in sessions.live
        sessions.end(key)
        sessions.expired.discard(key)
        if key in connections.managers:
            connections.end(connections.managers[key], DELETED)
        self._forget_dead_letters(lambda each: each == key)
        self.service.settle()
        return self._finish(self._delete_stored(key, was_live=was_live))

    @operation(when=is_free)
    def ready(self) -> str | None:
        """Somebody asks whether anything can be stored now; if not, why."""
        self.service.databases.check_free()
        if not self.service.turns.fails:
            return None
        self.service.storage.note(StorageFailed())
        return "other"

    @operation
    def broadcast(self, event: str, text: str) -> None:
        """A quality_update or quality_alert goes to every subscribed thread."""
        for heading in self.service.subscriptions.live().values():
            self.service.delivery.publish(heading, None, event, text=text, texts=[text])

    @operation(when=is_free)
    def restart(self) -> object:
        """The service is stopped, and started again on what it stored."""
        self.service.databases.check_free()
        return self._finish(self._start_again())

    @operation
    def crash(self) -> None:
        """The service is gone at once, and started again: nobody is told, no clean-up runs."""
        self.service.crash()
        self.state = self.service.core

    @operation(breaks=Property.CONTINUITY)
    def start_second(self) -> object:
        """Another process is started on the same database, which this one has for itself."""
        return Refused("database taken", because="a service is running on it")

    @operation
    def storage_fails(self) -> None:
        """From now on no commit of what was written succeeds; reads go on."""
        self.service.turns.fails = True

    @operation
    def storage_recovers(self) -> None:
        """Commits succeed again."""
        self.service.turns.fails = False

    @operation
    def open_database_session(self, context: Handle, how: str) -> object:
        """A database session is opened on a context, "awaited" or as a "block"."""
        handle = self.state.clock.new_handle("s")
        under = self.state.contexts.of(context)
        session = DatabaseSession(handle, under, how)
        if self.service.is_dying(session):
            # Nobody knows whether its connection is there to end it.
            raise Unpredictable(f"the connection of {context} awaits the sweep")
        self.service.databases.add(session)
        ids = {"thread": under.thread, "run": under.run, "request": under.request}
        return {"session": handle, **ids}

    @operation
    def write_database(self, session: Handle) -> object:
        """A database session runs an UPDATE that changes nothing: it takes two places."""
        take = self.service.databases.take
        return self._in_transaction(session, lambda found: take(found, writes=True))

    @operation
    def read_database(self, session: Handle) -> object:
        """A database session runs a SELECT: it takes a place of the pool."""
        take = self.service.databases.take
        return self._in_transaction(session, lambda found: take(found, writes=False))

    @operation
    def commit_database(self, session: Handle) -> object:
        """A database session commits, and gives back what it took."""
        databases = self.service.databases
        found = self._database(session)
        if isinstance(found, DatabaseSession) and databases.has_written(found):
            found.needs_rollback |= self.service.turns.fails
        return self._in_transaction(session, databases.give_back)

    @operation
    def roll_back_database(self, session: Handle) -> object:
        """A database session undoes, and gives back what it took."""

        def undo(found: DatabaseSession) -> None:
            found.needs_rollback = False
            self.service.databases.give_back(found)

        return self._on(session, undo)

    @operation
    def close_database(self, session: Handle) -> object:
        """A database session ends, by its owner or at the end of its block."""
        return self._on(session, self.service.databases.close)

    @operation
    def raise_in_database(self, session: Handle) -> object:
        """The body of a block raises."""
        return self._on(session, self.service.databases.close, how=BLOCK)

    @operation
    def cancel_database(self, session: Handle) -> object:
        """The task of a block is cancelled."""
        return self._on(session, self.service.databases.close, how=BLOCK)

    def _end_stored(self, user: str, used: int, ended: int) -> Generator[Wait, bool, object]:
        """Store that a user's sessions have ended."""
        yield Gate()
        try:
            self.service.turns.end_sessions(user, used)
        except StorageFailed:
            return STORAGE_ERROR
        return ended

    def _start_again(self) -> Generator[Wait, bool, None]:
        """Stop and start the service; what storage is at is done with before it has stopped."""
        yield Gate()
        self.service.stop()
        self.service.start()
        self.state = self.service.core

    def _delete_stored(self, key: Key, *, was_live: bool) -> Generator[Wait, bool, object]:
        """Look whether a thread has turns, and remove them; others wait for that."""
        shut = self.service.processes.shut
        shut.append(key)
        try:
            yield Gate()
            was_there = was_live or self.service.conversation(key) is not None
            yield Gate()
        finally:
            shut.remove(key)
        try:
            self.service.turns.delete(key)
        except StorageFailed as error:
            self.service.storage.note(error)
            return STORAGE_ERROR
        return {"thread_id": key[1], "deleted": was_there}

    def blame(self, asked: Operation, disagreement: Disagreement) -> Property:
        return blame(self, asked, disagreement, self._marked[asked.kind].breaks)

    def teardown(self) -> Iterator[Operation]:
        """Close every database session and every connection, wait, end sessions, delete threads.

        What waits for a place of the pool gets it within the wait, or gives up; an agent that
        never ends is cancelled with its session.
        """
        ours, service, settings = ChatServiceModel, self.service, self.service.settings
        if service.turns.fails:
            yield ours.storage_recovers()
        for session in list(service.databases.open):
            yield ours.close_database(session)
        for connection in list(self.state.connections.live):
            yield ours.disconnect(connection, CLEAN)
        pauses_s = settings.send_timeout_s, settings.reconnect_grace_s, settings.pool_timeout_s
        yield ours.wait(int(max(pauses_s)) + 1)
        state = self.state
        keys = [*state.sessions.live, *state.connections.managers, *service.requests.lines]
        for user in dict.fromkeys(user for user, _ in keys):
            yield ours.invalidate(user)
        for key in list(service.turns.stored):
            yield ours.delete_thread(*key)
        yield ours.sweep()
        yield ours.wait(int(settings.send_timeout_s) + 1)  # for sockets that do not close

    def census(self) -> Census:
        return census(self.service)

    def shape(self) -> Hashable:
        return shape(self.service)

    def _in_transaction(self, handle: Handle, change: Callable[[DatabaseSession], None]) -> object:
        """Go on with the transaction of a database session, unless a commit of it failed."""
        found = self._database(handle)
        if isinstance(found, DatabaseSession) and found.needs_rollback:
            return STORAGE_ERROR
        return self._on(handle, change)

    def _on(
        self, handle: Handle, change: Callable[[DatabaseSession], None], *, how: str = ""
    ) -> object:
        """Change a database session, unless it was closed."""
        found = self._database(handle, how=how)
        if isinstance(found, Refused):
            return found
        change(found)
        return None

    def _database(self, handle: Handle, *, how: str = "") -> DatabaseSession | Refused:
        """Return an open database session; raises Unpredictable where nobody can tell.

        That is so while its connection has ended, and its socket was not swept.
        """
        found = self.service.databases.find(handle, how=how)
        if isinstance(found, DatabaseSession) and self.service.is_dying(found):
            raise Unpredictable(f"{handle} may have ended with its connection")
        return found

    def _forget_dead_letters(self, chosen: Callable[[Key], bool]) -> None:
        requests = self.service.requests
        requests.dead_letters = [key for key in requests.dead_letters if not chosen(key)]
