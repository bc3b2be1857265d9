"""The reference model of a session manager: the contract, one operation after another."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import asdict, replace
from typing import Any, Self

from threadline.contract import Census
from threadline.handle import Handle
from threadline.outcome import Ok, Outcome, Refused

from models.session_manager.census import census
from models.session_manager.context import Context
from models.session_manager.ids import DEPTH_MAX, Id, Key, refused_ids
from models.session_manager.manager import Connection
from models.session_manager.peers import BROKEN, STALLED, WELL
from models.session_manager.sessions import Session
from models.session_manager.settings import Settings
from models.session_manager.shape import shape
from models.session_manager.state import State
from models.session_manager.switchboard import GOING_AWAY, INVALIDATED


class SessionManagerModel:
    """A State, and for each operation what may be refused, in the contract's order, then done.

    owners, written, keys: of which user each step was, of which thread each text and each
    connection, for telling whose a stray one is.
    """

    def __init__(self, policy: object = None, **settings: Any) -> None:  # Any: drawn by name
        del policy  # there is one right way
        self.state = State(Settings(**settings))
        self.owners: dict[int, str] = {}
        self.written: dict[object, Key] = {}
        self.keys: dict[object, Key] = {}

    def at(self, step: int) -> Self:
        self.state.moment.step = step
        self.state.board.closed.clear()
        return self

    def get(self, user: str, thread: Id | None, run: Id | None) -> Outcome:
        if refused := self.state.refuse_get(user, thread, run):
            return refused
        return self._done(self._shown(self.state.context(self.state.visit(user, thread, run))))

    def get_session(self, user: str, thread: Id | None, run: Id | None) -> Outcome:
        if refused := self.state.refuse_get(user, thread, run):
            return refused
        return self._done(self._ids(self.state.visit(user, thread, run)))

    def create(self, user: str, thread: Id | None, run: Id | None) -> Outcome:
        outcome = self.get(user, thread, run)
        assert isinstance(outcome, Ok | Refused)
        return replace(outcome, warnings=("DeprecationWarning",))

    def existing(self, user: str, thread: Id | None) -> Outcome:
        if refused := refused_ids(user, thread):
            return refused
        session = self.state.sessions.find(user, thread)
        return self._done(self._ids(session) if session else None)

    def from_websocket(self, user: str, name: Id | None, additional: tuple[str, ...]) -> Outcome:
        refused = refused_ids(user, name) or self.state.sessions.refuse(user)
        if refused:
            return refused
        return self._done(self._shown(self.state.begin_conversation(user, name, additional)))

    def invalidate(self, user: str) -> Outcome:
        if refused := refused_ids(user):
            return refused
        return self._done(self._end_user(user))

    def clean_up_sessions(self) -> Outcome:
        return self._done(self.state.sessions.free())

    def child(self, context: Handle, deep: int) -> Outcome:
        parent = self.state.contexts.of(context)
        depth = parent.depth + deep
        if depth > DEPTH_MAX:
            return Refused("invalid context", because=f"depth {depth} is over {DEPTH_MAX}")
        handle, request = self.state.moment.mint("x"), self.state.minted.keep("q")
        return self._done(self._shown(replace(parent, handle=handle, request=request, depth=depth)))

    def tamper(self, context: Handle) -> Outcome:
        return self._done(self.state.contexts.of(context).view())

    def base_id(self, prefix: str, random_length: int) -> Outcome:
        return self._done(self.state.minted.base_id(prefix, random_length))

    def context_ids(self, user: str, purpose: str) -> Outcome:
        del user  # part of no id: it would tell whose the id is
        minted = self.state.minted
        return minted.refuse(purpose) or self._done(minted.context_ids(purpose))

    def websocket_ids(self, user: str) -> Outcome:
        return self._done(self.state.minted.websocket_ids(user))

    def read_id(self, text: Id) -> Outcome:
        return self._done(self.state.minted.read(text))

    def connect(self, user: str, thread: Id | None, name: Id | None, peer: str) -> Outcome:
        if refused := self._refuse_connect(user, thread, name):
            return refused
        state = self.state
        resumed = bool(thread) and (user, thread) in state.sessions.live
        session = state.visit(user, thread, by_connection=True)
        context = state.context(session, state.name(name))
        manager = state.manager(context)
        socket = Connection(state.moment.mint("k"), context.connection or "", session.key, peer)
        self.keys[socket.handle] = session.key
        own = {"connection_id": socket.name, "resumed": resumed}
        state.board.attach(manager, socket, state.event("connected", session.key, **own))
        return self._done({"socket": socket.handle, **self._shown(context)})

    def disconnect(self, connection: Handle, code: int) -> Outcome:
        board = self.state.board
        live = board.connections.get(connection)
        if live is None:
            board.name_of(connection)  # raises Dangling for one that is long forgotten
            return self._done(False)
        board.leave(live, code)
        return self._done(True)

    def message(
        self, user: str, thread: Id | None, run: Id | None, connection: Handle | None, text: str
    ) -> Outcome:
        state = self.state
        if refused := refused_ids(user, thread, run):
            return refused
        asker = state.asker(user, connection) if connection else None
        if isinstance(asker, Refused):
            return asker
        thread = thread or (asker.key[1] if asker else None)
        if refused := state.refuse_get(user, thread, run):
            return refused
        state.counts.messages += 1
        state.counts.messages_continued += state.sessions.find(user, thread) is not None
        session = state.visit(user, thread, run)
        session.is_fleeting = False
        if asker:
            state.note_frame(asker)
        self.written[text] = session.key
        event = state.event("message", session.key, text=text) | {"message_id": text}
        state.board.publish(session.key, event, asker)
        return self._done(self._shown(state.context(session, asker.name if asker else None)))

    def ping(self, user: str, connection: Handle, thread: Id | None) -> Outcome:
        state = self.state
        asker = refused_ids(user, thread) or state.asker(user, connection)
        if isinstance(asker, Refused):
            return asker
        key = (user, thread or asker.key[1])
        if session := state.sessions.live.get(key):
            session.active_s = state.moment.now_s
        state.note_frame(asker)
        state.board.answer(asker, state.event("pong", key))
        return self._done(None)

    def deliver(self, user: str, thread: Id, text: str) -> Outcome:
        if refused := refused_ids(user) or refused_ids(thread):
            return refused
        self.written[text] = key = (user, thread)
        event = self.state.event("agent_thinking", key, text=text)
        self.state.board.publish(key, event, None)
        return self._done(None)

    def stall(self, connection: Handle) -> Outcome:
        return self._turn(connection, WELL, STALLED)

    def resume(self, connection: Handle) -> Outcome:
        return self._turn(connection, STALLED, WELL)

    def cut(self, connection: Handle) -> Outcome:
        if self.state.board.connection(connection).peer == STALLED:
            return self._turn(connection, STALLED, BROKEN)
        return self._turn(connection, WELL, BROKEN)

    def mend(self, connection: Handle) -> Outcome:
        return self._turn(connection, BROKEN, WELL)

    def create_manager(self, context: Handle | None, user: str | None) -> Outcome:
        state = self.state
        if context:
            given = state.contexts.of(context)
            refused = state.board.refuse(given.user, given.key)
            return refused or self._done(self._shown(state.manager(given).context))
        if user is None:
            return Refused("nothing given", because="neither context nor user")
        refused = refused_ids(user) or state.sessions.refuse(user)
        refused = refused or state.board.refuse(user, None)
        if refused:
            return refused
        begun = state.begin_conversation(user, None)
        return self._done(self._shown(state.manager(begun).context))

    def get_manager(self, key: Key | None, context: Handle | None) -> Outcome:
        wanted = self._key_given(key, context)
        if isinstance(wanted, Refused):
            return wanted
        return self._done(wanted if wanted in self.state.board.managers else None)

    def cleanup_manager(self, key: Key | None, context: Handle | None) -> Outcome:
        wanted = self._key_given(key, context)
        if isinstance(wanted, Refused):
            return wanted
        manager = self.state.board.managers.get(wanted)
        if manager:
            self.state.board.end(manager, GOING_AWAY)
        return self._done(manager is not None)

    def manager_count(self, user: str) -> Outcome:
        return self._done(len(self.state.board.of(user)))

    def wait(self, seconds: int) -> Outcome:
        self.state.wait(seconds)
        return self._done(None)

    def sweep(self) -> Outcome:
        self.state.sweep()
        return self._done(None)

    def metrics(self) -> Outcome:
        return self._done(asdict(self.state.counts))

    def census(self) -> Census:
        return census(self.state)

    def shape(self) -> Hashable:
        return shape(self.state)

    def _end_user(self, user: str) -> int:
        ended = self.state.sessions.end_user(user)
        for manager in self.state.board.of(user):
            self.state.board.end(manager, INVALIDATED)
        return ended

    def _refuse_connect(self, user: str, thread: Id | None, name: Id | None) -> Refused | None:
        """Return what refuses a connection first: its ids, its name, sessions, managers."""
        state = self.state
        if refused := refused_ids(user, thread, name):
            return refused
        if state.board.named(name):
            return Refused("connection taken", because=f"connection {name!r} is live")
        key = (user, thread) if thread else None
        refused = None if key in state.sessions.live else state.sessions.refuse(user)
        return refused or state.board.refuse(user, key)

    def _key_given(self, key: Key | None, context: Handle | None) -> Key | Refused:
        if context is None:
            return key or Refused("nothing given", because="neither key nor context")
        own = self.state.contexts.of(context).key
        if key in (None, own):
            return own
        self.state.counts.mismatches += 1
        return Refused("context mismatch", because=f"the key of {context} is {own}")

    def _turn(self, handle: Handle, before: str, after: str) -> Outcome:
        """Let what befalls a peer befall it, if it is as it must be for that."""
        connection = self.state.board.connection(handle)
        if connection.peer == before:
            connection.peer = after
            if connection.sending:
                self.state.board.send(connection)
        return self._done(None)

    def _ids(self, session: Session) -> dict[str, object]:
        self.owners[self.state.moment.step] = session.user
        request = self.state.minted.keep("q")
        return {
            "thread": session.thread,
            "run": session.run,
            "request": request,
        }

    def _shown(self, context: Context) -> dict[str, object]:
        self.owners[self.state.moment.step] = context.user
        return self.state.contexts.keep(context)

    def _done(self, value: object) -> Outcome:
        """Return a value, and beside it what arrived at the connections."""
        sent = self.state.board.peers.take()
        return Ok({"value": value, "sent": sent} if sent else value)
