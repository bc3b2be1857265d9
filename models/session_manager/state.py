"""Everything that a right session manager holds, and the few moves that operations share."""

from __future__ import annotations

from threadline import Refused

from models.session_manager.clock import Clock
from models.session_manager.connections import Connections
from models.session_manager.context import Context, Contexts
from models.session_manager.counts import Counts
from models.session_manager.generated_ids import GeneratedIds
from models.session_manager.ids import Id, Key, refused_ids
from models.session_manager.manager import Connection, Event, Manager, Tell
from models.session_manager.sessions import Session, Sessions
from models.session_manager.settings import Settings


class State:
    """All parts of one model, on one clock; what is due ends at its very second."""

    def __init__(self, settings: Settings, tell: Tell, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.counts = Counts()
        self.sessions = Sessions(settings, self.clock, self.counts)
        self.connections = Connections(settings, self.clock, self.counts, self.sessions, tell)
        self.contexts = Contexts()
        self.generated_ids = GeneratedIds(self.clock)
        self.gets = 0  # of contexts, other than by messages and connections
        self._next_sweep_s = settings.sweep_interval_s

    def timed(self) -> dict[str, float]:
        """Return how many gets took how many seconds together; none takes any here."""
        return {"gets_timed": self.gets + self.counts.messages, "get_seconds": 0.0}

    def refuse_get(self, user: str, thread: Id | None, run: Id | None) -> Refused | None:
        refused = refused_ids(user, thread=thread, run=run)
        if refused or self.sessions.find(user, thread):
            return refused
        return self.sessions.refuse(user)

    def visit(
        self,
        user: str,
        thread: Id | None,
        run: Id | None = None,
        *,
        by_connection: bool = False,
    ) -> Session:
        """Get a session: the one that there is, or a new one, for which there is room.

        A connection without a thread begins a conversation.
        """
        session = None if by_connection and not thread else self.sessions.find(user, thread)
        if session is None:
            return self.sessions.begin(user, thread, run, is_fleeting=by_connection)
        session.run = run or session.run
        return self.sessions.use(session)

    def context(
        self, session: Session, connection: Id | None = None, additional: tuple[str, ...] = ()
    ) -> Context:
        """Return a context of a session, with a request of its own."""
        return Context(
            handle=self.clock.new_handle("x"),
            user=session.user,
            thread=self.generated_ids.keep_if_new(session.thread),
            run=self.generated_ids.keep_if_new(session.run),
            request=self.generated_ids.keep("q"),
            client=session.client,
            created_s=session.created_s,
            connection=connection,
            additional={"tags": additional} if additional else {},
        )

    def begin_conversation(
        self, user: str, name: Id | None, additional: tuple[str, ...] = ()
    ) -> Context:
        session = self.visit(user, None, by_connection=True)
        return self.context(session, self.name(name), additional)

    def name(self, given: Id | None) -> Id:
        """Return the id of a connection: the one given, or one that the system makes."""
        return given or self.generated_ids.keep("i")

    def manager(self, context: Context) -> Manager:
        """Return the manager of a thread, or a new one, for which there is room."""
        return self.connections.managers.get(context.key) or self.connections.create(context)

    def asker(self, user: str, name: Id) -> Connection | Refused:
        """Return the live connection of this user that goes by a name."""
        asker = self.connections.named(name)
        if asker is None or asker.key[0] != user:
            because = f"{user!r} has no live connection {name!r}"
            return Refused("unknown connection", because, says=(repr(user),))
        return asker

    def note_frame(self, asker: Connection) -> None:
        """Extend the life of the manager of a connection."""
        self.connections.managers[asker.key].frame_s = self.clock.now_s

    def event(self, kind: str, key: Key, **own: object) -> Event:
        """Return an event of a thread, under its session's run; None where it has no session."""
        session = self.sessions.live.get(key)
        return {
            "type": kind,
            "thread_id": key[1],
            "run_id": session.run if session else None,
            "event_id": self.clock.another_handle("e"),
            "message_id": None,
            **own,
        }

    def wait(self, seconds: int) -> None:
        """Go from one second at which something is due to the next, and do what is due there."""
        end_s = self.clock.now_s + seconds
        while (next_s := self._next_s()) <= end_s:
            self.clock.now_s = next_s
            self.end_due()
            if self._next_sweep_s <= next_s:
                self._next_sweep_s += self.settings.sweep_interval_s
                self.sweep()
        self.clock.now_s = end_s

    def next_due_s(self) -> float:
        """Return when something ends by itself, if nothing happens before."""
        return min(self.sessions.next_due_s(), self.connections.next_due_s())

    def end_due(self) -> None:
        """End what is due now."""
        self.sessions.expire()
        self.connections.end_due()
        self.connections.time_out_sends()

    def sweep(self) -> None:
        """Free what has ended by itself."""
        self.sessions.free()
        self.connections.sweep()

    def _next_s(self) -> float:
        return min(self._next_sweep_s, self.next_due_s())
