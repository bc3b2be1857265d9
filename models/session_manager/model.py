"""The reference model of a session manager: its contract, one operation after another.

Ids are text or handles; None and "" mean that an optional one is not given. A context is shown as
what its holder can read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import asdict, replace
from typing import Any, ClassVar, Self

from threadline import (
    Census,
    Disagreement,
    Handle,
    Model,
    Ok,
    Operation,
    Property,
    Refused,
    operation,
)

from models.session_manager.blame import blame
from models.session_manager.census import NOTES, WATCHED, census
from models.session_manager.connections import CLEAN, GOING_AWAY, INVALIDATED
from models.session_manager.context import Context
from models.session_manager.ids import DEPTH_MAX, Id, Key, refused_id, refused_ids
from models.session_manager.invariants import INVARIANTS
from models.session_manager.manager import Connection
from models.session_manager.plain_data import FROZEN, described
from models.session_manager.sessions import Session
from models.session_manager.settings import Settings
from models.session_manager.shape import shape
from models.session_manager.socket_faults import BROKEN, STALLED, WELL
from models.session_manager.state import State


class SessionsModel(Model):
    """What a bare session manager and a chat service both offer: contexts, sockets, managers, time.

    A State, and for each operation what may be refused, in the contract's order, then done. What
    arrives at a socket is told to it. owners, written, keys: of which user each step was, of which
    thread each text and each connection, for telling whose a stray one is.
    """

    invariants: ClassVar[Any] = INVARIANTS
    watched = WATCHED
    notes = NOTES

    def __init__(self, **settings: Any) -> None:  # Any: drawn by name
        self.state = State(Settings(**settings), self.tell)
        self.owners: dict[int, str] = {}
        self.written: dict[object, Key] = {}
        self.keys: dict[object, Key] = {}

    def at(self, step: int) -> Self:
        self.state.clock.step = step
        self.state.connections.closed.clear()
        return super().at(step)

    @operation
    def get(self, user: str, thread: Id | None, run: Id | None) -> object:
        """A context is got: of a thread, or the user's latest, or a new one."""
        if refused := self.state.refuse_get(user, thread, run):
            return refused
        self.state.gets += 1
        return self._shown(self.state.context(self.state.visit(user, thread, run)))

    @operation
    def get_session(self, user: str, thread: Id | None, run: Id | None) -> object:
        """The same, and the three ids alone are shown."""
        if refused := self.state.refuse_get(user, thread, run):
            return refused
        return self._ids(self.state.visit(user, thread, run))

    @operation
    def create(self, user: str, thread: Id | None, run: Id | None) -> object:
        """What get does, by the deprecated function, with its warning."""
        shown = self.get(user, thread, run)
        outcome = shown if isinstance(shown, Refused) else Ok(shown)
        return replace(outcome, warnings=("DeprecationWarning",))

    @operation
    def existing(self, user: str, thread: Id | None) -> object:
        """The ids of a live session are read, or None; nothing is created or extended."""
        if refused := refused_ids(user, thread=thread):
            return refused
        session = self.state.sessions.find(user, thread)
        return self._ids(session) if session else None

    @operation
    def from_websocket(self, user: str, name: Id | None, additional: tuple[str, ...]) -> object:
        """A conversation begins at the WebSocket entry, with these tags in its context."""
        refused = refused_ids(user, websocket=name) or self.state.sessions.refuse(user)
        if refused:
            return refused
        return self._shown(self.state.begin_conversation(user, name, additional))

    @operation
    def invalidate(self, user: str) -> object:
        """All that a user has ends; how many sessions were live."""
        if refused := refused_ids(user):
            return refused
        return self._end_user(user)

    @operation
    def clean_up_sessions(self) -> object:
        """Sessions that sat idle for too long are freed; how many."""
        return self.state.sessions.free()

    @operation
    def child(self, context: Handle, deep: int) -> object:
        """A part of an operation gets the context that is deeper by so much."""
        parent = self.state.contexts.of(context)
        depth = parent.depth + deep
        if depth > DEPTH_MAX:
            says = f"operation_depth is {DEPTH_MAX + 1};", f"from 0 to {DEPTH_MAX}"
            return Refused("invalid context", f"depth {depth} is over {DEPTH_MAX}", says=says)
        handle, request = self.state.clock.new_handle("x"), self.state.generated_ids.keep("q")
        return self._shown(replace(parent, handle=handle, request=request, depth=depth))

    @operation(breaks=Property.ISOLATION)
    def tamper(self, context: Handle) -> object:
        """Somebody tries to change a context to any depth; what its holder reads afterwards."""
        return self.state.contexts.of(context).view()

    @operation
    def connect(self, user: str, thread: Id | None, name: Id | None, peer: str) -> object:
        """A socket is connected, to a thread or a new conversation; its peer is such (PEERS)."""
        if refused := self._refuse_connect(user, thread, name):
            return refused
        state = self.state
        resumed = bool(thread) and (user, thread) in state.sessions.live
        session = state.visit(user, thread, by_connection=True)
        context = state.context(session, state.name(name))
        manager = state.manager(context)
        socket = Connection(
            state.clock.new_handle("k"), context.connection or "", session.key, peer
        )
        self.keys[socket.handle] = session.key
        own = {"connection_id": socket.name, "resumed": resumed}
        state.connections.attach(manager, socket, state.event("connected", session.key, **own))
        return {"socket": socket.handle, **self._shown(context)}

    @operation
    def disconnect(self, connection: Handle, code: int) -> object:
        """The peer closes its socket, with 1000 if it will not come back; whether it was live."""
        connections = self.state.connections
        live = connections.live.get(connection)
        if live is None:
            connections.name_of(connection)  # raises KeyError for one that is long forgotten
            return False
        connections.leave(live, code)
        return True

    @operation
    def stall(self, connection: Handle) -> None:
        """A peer takes nothing from now on."""
        self._turn(connection, WELL, STALLED)

    @operation
    def resume(self, connection: Handle) -> None:
        """A stalled peer takes what waits."""
        self._turn(connection, STALLED, WELL)

    @operation
    def cut(self, connection: Handle) -> None:
        """Whatever is sent to a peer raises from now on."""
        if self.state.connections.connection(connection).peer == STALLED:
            self._turn(connection, STALLED, BROKEN)
        else:
            self._turn(connection, WELL, BROKEN)

    @operation
    def mend(self, connection: Handle) -> None:
        """A cut peer can be sent to again, if nobody noticed."""
        self._turn(connection, BROKEN, WELL)

    @operation(breaks=Property.KEYS)
    def create_manager(self, context: Handle | None, user: str | None) -> object:
        """A manager is asked for, of a context or of a new conversation; its own context."""
        state = self.state
        if context:
            given = state.contexts.of(context)
            refused = state.connections.refuse(given.user, given.key)
            return refused or self._shown(state.manager(given).context)
        if user is None:
            return Refused("nothing given", because="neither context nor user")
        return self._began_manager(user, None)

    @operation(breaks=Property.KEYS)
    def get_manager(self, key: Key | None, context: Handle | None) -> object:
        """A manager is looked up by key, context, both or neither; its key, or None."""
        wanted = self._key_given(key, context)
        if isinstance(wanted, Refused):
            return wanted
        return wanted if wanted in self.state.connections.managers else None

    @operation(breaks=Property.KEYS)
    def cleanup_manager(self, key: Key | None, context: Handle | None) -> object:
        """A manager is ended from outside; whether there was one."""
        wanted = self._key_given(key, context)
        if isinstance(wanted, Refused):
            return wanted
        manager = self.state.connections.managers.get(wanted)
        if manager:
            self.state.connections.end(manager, GOING_AWAY)
        return manager is not None

    @operation(breaks=Property.KEYS)
    def manager_count(self, user: str) -> object:
        """The managers of a user that can be reached are counted."""
        return len(self.state.connections.of(user))

    @operation
    def wait(self, seconds: int) -> object:
        """Time passes."""
        self.state.wait(seconds)
        return None

    @operation
    def sweep(self) -> object:
        """What is due is freed, and its sockets are closed, before the sweep's time."""
        self.state.sweep()
        return None

    @operation(breaks=Property.MEMORY)
    def metrics(self) -> object:
        """The counts are read, by name."""
        return asdict(self.state.counts) | self.state.timed()

    def census(self) -> Census:
        return census(self.state)

    def shape(self) -> Hashable:
        return shape(self.state)

    def blame(self, asked: Operation, disagreement: Disagreement) -> Property:
        breaks = self._marked[asked.kind].breaks
        return blame(self, asked, disagreement, breaks)

    def teardown(self) -> Iterator[Operation]:
        """Close every connection, wait out sends and grace, end what sessions are left, and sweep.

        Sessions are ended and not waited out, as a day has 1,440 sweeps; scenarios that draw a
        short life for them wait it out themselves.
        """
        ours, state, settings = SessionsModel, self.state, self.state.settings
        for connection in list(state.connections.live):
            yield ours.disconnect(connection, CLEAN)
        yield ours.wait(int(max(settings.send_timeout_s, settings.reconnect_grace_s)) + 1)
        keys = (*state.sessions.live, *state.connections.managers)
        for user in dict.fromkeys(user for user, _ in keys):
            yield ours.invalidate(user)
        yield ours.sweep()
        yield ours.wait(int(settings.send_timeout_s) + 1)  # for sockets that do not close

    def _began_manager(self, user: str, name: Id | None) -> object:
        state = self.state
        refused = refused_ids(user, websocket=name) or state.sessions.refuse(user)
        refused = refused or state.connections.refuse(user, None)
        if refused:
            return refused
        begun = state.begin_conversation(user, name)
        return self._shown(state.manager(begun).context)

    def _end_user(self, user: str) -> int:
        ended = self.state.sessions.end_user(user)
        for manager in self.state.connections.of(user):
            self.state.connections.end(manager, INVALIDATED)
        return ended

    def _refuse_connect(self, user: str, thread: Id | None, name: Id | None) -> Refused | None:
        """Return what refuses a connection first: its ids, its name, sessions, managers."""
        state = self.state
        if refused := refused_ids(user, thread=thread, connection=name):
            return refused
        if state.connections.named(name):
            return Refused("connection taken", f"connection {name!r} is live", says=(repr(name),))
        key = (user, thread) if thread else None
        refused = None if key in state.sessions.live else state.sessions.refuse(user)
        return refused or state.connections.refuse(user, key)

    def _key_given(self, key: Key | None, context: Handle | None) -> Key | Refused:
        if context is None:
            return key or Refused("nothing given", because="neither key nor context")
        own = self.state.contexts.of(context).key
        if key in (None, own):
            return own
        self.state.counts.mismatches += 1
        return Refused("context mismatch", because=f"the key of {context} is {own}")

    def _turn(self, handle: Handle, before: str, after: str) -> None:
        """Change the state of a peer, if it is in the state that this needs."""
        connection = self.state.connections.connection(handle)
        if connection.peer == before:
            connection.peer = after
            if connection.sending:
                self.state.connections.send(connection)
        return

    def _ids(self, session: Session) -> dict[str, object]:
        self.owners[self.state.clock.step] = session.user
        request = self.state.generated_ids.keep("q")
        return {
            "thread": session.thread,
            "run": session.run,
            "request": request,
        }

    def _shown(self, context: Context) -> dict[str, object]:
        self.owners[self.state.clock.step] = context.user
        return self.state.contexts.keep(context)


class SessionManagerModel(SessionsModel):
    """A bare session manager: messages, pings and events come by calls; and it makes ids."""

    name = "session_manager"

    @operation(breaks=Property.KEYS)
    def base_id(self, prefix: str, random_length: int) -> object:
        """An id is made with so many random digits; 0 for none."""
        return self.state.generated_ids.base_id(prefix, random_length)

    @operation(breaks=Property.KEYS)
    def context_ids(self, user: str, purpose: str) -> object:
        """The three ids of a new conversation are made, and no session."""
        del user  # part of no id: it would tell whose the id is
        generated_ids = self.state.generated_ids
        return generated_ids.refuse(purpose) or generated_ids.context_ids(purpose)

    @operation(breaks=Property.KEYS)
    def websocket_ids(self, user: str) -> object:
        """The client and the connection id of a socket are made."""
        return self.state.generated_ids.websocket_ids(user)

    @operation(breaks=Property.KEYS)
    def read_id(self, text: Id) -> object:
        """A text is read as a generated id: whether it is one, when it was made, how old it is."""
        return self.state.generated_ids.read(text)

    @operation
    def message(
        self, user: str, thread: Id | None, run: Id | None, connection: Handle | None, text: str
    ) -> object:
        """A user's message arrives, over a connection or without one; its context."""
        state = self.state
        if refused := refused_ids(user, thread=thread, run=run):
            return refused
        asker = state.asker(user, state.connections.name_of(connection)) if connection else None
        return self._said(user, thread, run, asker, text)

    @operation
    def write_over(
        self, user: str, thread: Id | None, run: Id | None, name: Id | None, text: str
    ) -> object:
        """A message arrives over what somebody says is the name of a connection."""
        if refused := refused_ids(user, thread=thread, run=run, connection=name):
            return refused
        return self._said(user, thread, run, self.state.asker(user, name) if name else None, text)

    @operation
    def ping(self, user: str, connection: Handle, thread: Id | None) -> object:
        """A ping arrives over a connection, for its own thread or for another."""
        state = self.state
        refused = refused_ids(user, thread=thread)
        asker = refused or state.asker(user, state.connections.name_of(connection))
        return self._pinged(user, asker, thread)

    @operation
    def ping_over(self, user: str, name: Id, thread: Id | None) -> object:
        """A ping arrives over what somebody says is the name of a connection."""
        refused = refused_id("connection", name) or refused_ids(user, thread=thread)
        return self._pinged(user, refused or self.state.asker(user, name), thread)

    @operation
    def begin_with(self, user: str, name: Id | None, additional: str) -> object:
        """A conversation begins with more than ids in its context, which is told by a word."""
        if refused := refused_ids(user, websocket=name):
            return refused
        if additional not in FROZEN:
            return Refused("invalid context", says=("additional_context is ",))
        if refused := self.state.sessions.refuse(user):
            return refused
        begun = self.state.begin_conversation(user, name)
        self.owners[self.state.clock.step] = user
        ids = {"thread": begun.thread, "run": begun.run}
        return {**ids, "additional": described(FROZEN[additional])}

    @operation(breaks=Property.KEYS)
    def begin_manager(self, user: str, name: Id | None) -> object:
        """A manager is asked for, of a new conversation under a name for its socket."""
        return self._began_manager(user, name)

    @operation(breaks=Property.ISOLATION)
    def attach_stranger(self, context: Handle, other: Handle) -> object:
        """A thread's manager is handed a connection of another context."""
        own, strange = self.state.contexts.of(context).key, self.state.contexts.of(other).key
        if own not in self.state.connections.managers:
            return Refused("no manager")
        if own == strange:
            return Refused("no stranger")
        self.state.counts.mismatches += 1
        return Refused("context mismatch", says=(repr(own[0]), repr(strange[0])))

    @operation
    def deliver(self, user: str, thread: Id, text: str) -> object:
        """An agent has an event for a thread."""
        if refused := refused_id("thread", thread) or refused_ids(user):
            return refused
        self.written[text] = key = (user, thread)
        event = self.state.event("agent_thinking", key, text=text)
        self.state.connections.publish(key, event, None)
        return None

    def _said(
        self,
        user: str,
        thread: Id | None,
        run: Id | None,
        asker: Connection | Refused | None,
        text: str,
    ) -> object:
        """Accept a message, and send it back to its thread and its asker; its context."""
        if isinstance(asker, Refused):
            return asker
        state = self.state
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
        state.connections.publish(session.key, event, asker)
        return self._shown(state.context(session, asker.name if asker else None))

    def _pinged(self, user: str, asker: Connection | Refused, thread: Id | None) -> object:
        if isinstance(asker, Refused):
            return asker
        state = self.state
        key = (user, thread or asker.key[1])
        if session := state.sessions.live.get(key):
            session.active_s = state.clock.now_s
        state.note_frame(asker)
        state.connections.answer(asker, state.event("pong", key))
        return None
