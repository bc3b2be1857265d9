"""The reference model of a chat service: a session manager that handles messages and stores."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import asdict

from threadline.contract import Census
from threadline.handle import Dangling, Handle
from threadline.outcome import Outcome, Refused

from models.chat_service.census import census
from models.chat_service.databases import BLOCK, DatabaseSession
from models.chat_service.handling import LIMIT
from models.chat_service.messages import MessagesModel
from models.chat_service.payload import Frame
from models.chat_service.shape import shape
from models.chat_service.turns import StorageFailed
from models.session_manager.ids import Id, Key, refused_ids

DELETED = 4404
STORAGE_ERROR = Refused("storage_error", because="storage fails")


class ChatServiceModel(MessagesModel):
    """The whole of it: messages, what is stored of them, and database sessions.

    What would have to wait for a place in its own step is not there to be asked for: an
    operation that needs places raises Dangling for the session that holds one.
    """

    def invalidate(self, user: str) -> Outcome:
        self.service.databases.check_free()
        if refused := refused_ids(user):
            return refused
        ended = self._end_user(user)
        self._forget_dead_letters(lambda key: key[0] == user)
        self.service.settle()
        try:
            self.service.turns.end_sessions(user)
        except StorageFailed:
            return STORAGE_ERROR
        return self._done(ended)

    def wait(self, seconds: int) -> Outcome:
        self.service.wait(seconds)
        return self._done(None)

    def sweep(self) -> Outcome:
        self.service.databases.check_free()
        is_stored = self.service.sweep_at_once()
        self.service.settle()
        return self._done(None) if is_stored else STORAGE_ERROR

    def metrics(self) -> Outcome:
        return self._done(asdict(self.state.counts) | asdict(self.service.requests.counts))

    def threads(self, user: str) -> Outcome:
        self.service.databases.check_free()
        if refused_ids(user):
            return Refused("bad_id", because="of the user")
        mine = [
            {"thread_id": found.key[1], "last_active_at_s": found.active_s}
            for found in reversed(self.service.turns.in_order())
            if found.key[0] == user and self.service.is_kept(found)
        ]
        return self._done({"threads": mine})

    def thread_messages(self, user: str, thread: Id, limit: int | None) -> Outcome:
        self.service.databases.check_free()
        flaw = Frame("get_thread_history", {"limit": limit}).flaw()
        if flaw or refused_ids(user) or refused_ids(thread):
            return Refused(flaw or "bad_id", because="of the limit, the user or the thread")
        found = self.service.conversation((user, thread))
        turns = found.turns[-(limit or LIMIT) :] if found else []
        return self._done({"thread_id": thread, "turns": [turn.view() for turn in turns]})

    def delete_thread(self, user: str, thread: Id) -> Outcome:
        self.service.databases.check_free()
        if refused_ids(user) or refused_ids(thread):
            return Refused("bad_id", because="of the user or the thread")
        key, board, sessions = (user, thread), self.state.board, self.state.sessions
        was_there = key in sessions.live or self.service.conversation(key) is not None
        sessions.end(key)
        sessions.expired.discard(key)
        if key in board.managers:
            board.end(board.managers[key], DELETED)
        self._forget_dead_letters(lambda each: each == key)
        self.service.settle()
        try:
            self.service.turns.delete(key)
        except StorageFailed:
            return STORAGE_ERROR
        return self._done({"thread_id": thread, "deleted": was_there})

    def broadcast(self, event: str, text: str) -> Outcome:
        for heading in self.service.subscriptions.live().values():
            self.service.delivery.publish(heading, None, event, text=text)
        return self._done(None)

    def restart(self) -> Outcome:
        self.service.databases.check_free()
        self.service.stop()
        self.service.start()
        self.state = self.service.core
        return self._done(None)

    def crash(self) -> Outcome:
        self.service.crash()
        self.state = self.service.core
        return self._done(None)

    def storage_fails(self) -> Outcome:
        self.service.turns.fails = True
        return self._done(None)

    def storage_recovers(self) -> Outcome:
        self.service.turns.fails = False
        return self._done(None)

    def open_database_session(self, context: Handle, how: str) -> Outcome:
        handle = self.state.moment.mint("s")
        under = self.state.contexts.of(context)
        session = DatabaseSession(handle, under, how)
        if self.service.is_dying(session):
            raise Dangling(context)  # nobody knows whether its connection is there to end it
        self.service.databases.add(session)
        ids = {"thread": under.thread, "run": under.run, "request": under.request}
        return self._done({"session": handle, **ids})

    def write_database(self, session: Handle) -> Outcome:
        take = self.service.databases.take
        return self._in_transaction(session, lambda found: take(found, writes=True))

    def read_database(self, session: Handle) -> Outcome:
        take = self.service.databases.take
        return self._in_transaction(session, lambda found: take(found, writes=False))

    def commit_database(self, session: Handle) -> Outcome:
        databases = self.service.databases
        found = self._database(session)
        if isinstance(found, DatabaseSession) and databases.has_written(found):
            found.needs_rollback |= self.service.turns.fails
        return self._in_transaction(session, databases.give_back)

    def roll_back_database(self, session: Handle) -> Outcome:
        def undo(found: DatabaseSession) -> None:
            found.needs_rollback = False
            self.service.databases.give_back(found)

        return self._on(session, undo)

    def close_database(self, session: Handle) -> Outcome:
        return self._on(session, self.service.databases.close)

    def raise_in_database(self, session: Handle) -> Outcome:
        return self._on(session, self.service.databases.close, how=BLOCK)

    def cancel_database(self, session: Handle) -> Outcome:
        return self._on(session, self.service.databases.close, how=BLOCK)

    def census(self) -> Census:
        return census(self.service)

    def shape(self) -> Hashable:
        return shape(self.service)

    def _in_transaction(self, handle: Handle, change: Callable[[DatabaseSession], None]) -> Outcome:
        """Go on with the transaction of a database session, unless a commit of it failed."""
        found = self._database(handle)
        if isinstance(found, DatabaseSession) and found.needs_rollback:
            return STORAGE_ERROR
        return self._on(handle, change)

    def _on(
        self, handle: Handle, change: Callable[[DatabaseSession], None], *, how: str = ""
    ) -> Outcome:
        """Change a database session, unless it was closed."""
        found = self._database(handle, how=how)
        if isinstance(found, Refused):
            return found
        change(found)
        return self._done(None)

    def _database(self, handle: Handle, *, how: str = "") -> DatabaseSession | Refused:
        """Return an open database session; raises Dangling where nobody can tell if it is.

        That is so while its connection has ended, and its socket was not swept.
        """
        found = self.service.databases.find(handle, how=how)
        if isinstance(found, DatabaseSession) and self.service.is_dying(found):
            raise Dangling(handle)
        return found

    def _forget_dead_letters(self, chosen: Callable[[Key], bool]) -> None:
        requests = self.service.requests
        requests.dead_letters = [key for key in requests.dead_letters if not chosen(key)]
