"""Everything that a right session manager holds, and the few moves that operations share."""

from __future__ import annotations

from threadline import Handle, Refused

from models.session_manager.context import Context, Contexts
from models.session_manager.counts import Counts
from models.session_manager.ids import Id, Key, refused_ids
from models.session_manager.manager import Connection, Event, Manager, Tell
from models.session_manager.minted import Minted
from models.session_manager.moment import Moment
from models.session_manager.sessions import Session, Sessions
from models.session_manager.settings import Settings
from models.session_manager.switchboard import Switchboard


class State:
    """All parts of one model, on one clock; what is due ends at its very second."""

    def __init__(self, settings: Settings, tell: Tell, moment: Moment | None = None) -> None:
        self.settings = settings
        self.moment = moment or Moment()
        self.counts = Counts()
        self.sessions = Sessions(settings, self.moment, self.counts)
        self.board = Switchboard(settings, self.moment, self.counts, self.sessions, tell)
        self.contexts = Contexts()
        self.minted = Minted(self.moment)
        self._next_sweep_s = settings.sweep_interval_s

    def refuse_get(self, user: str, thread: Id | None, run: Id | None) -> Refused | None:
        refused = refused_ids(user, thread, run)
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
            handle=self.moment.mint("x"),
            user=session.user,
            thread=self.minted.keep_if_new(session.thread),
            run=self.minted.keep_if_new(session.run),
            request=self.minted.keep("q"),
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
        return given or self.minted.keep("i")

    def manager(self, context: Context) -> Manager:
        """Return the manager of a thread, or a new one, for which there is room."""
        return self.board.managers.get(context.key) or self.board.create(context)

    def asker(self, user: str, handle: Handle) -> Connection | Refused:
        """Return the live connection of this user that goes by the name of a connection."""
        name = self.board.name_of(handle)
        asker = self.board.named(name)
        if asker is None or asker.key[0] != user:
            because = f"{user!r} has no live connection {name!r}"
            return Refused("unknown connection", because=because)
        return asker

    def note_frame(self, asker: Connection) -> None:
        """Extend the life of the manager of a connection."""
        self.board.managers[asker.key].frame_s = self.moment.now_s

    def event(self, kind: str, key: Key, **own: object) -> Event:
        """Return an event of a thread, under its session's run; None where it has no session."""
        session = self.sessions.live.get(key)
        return {
            "type": kind,
            "thread_id": key[1],
            "run_id": session.run if session else None,
            "event_id": self.moment.mint_more("e"),
            "message_id": None,
            **own,
        }

    def wait(self, seconds: int) -> None:
        """Go from one second at which something is due to the next, and do what is due there."""
        end_s = self.moment.now_s + seconds
        while (next_s := self._next_s()) <= end_s:
            self.moment.now_s = next_s
            self.end_due()
            if self._next_sweep_s <= next_s:
                self._next_sweep_s += self.settings.sweep_interval_s
                self.sweep()
        self.moment.now_s = end_s

    def next_due_s(self) -> float:
        """Return when something ends by itself, if nothing happens before."""
        return min(self.sessions.next_due_s(), self.board.next_due_s())

    def end_due(self) -> None:
        """End what is due now."""
        self.sessions.expire()
        self.board.end_due()
        self.board.time_out_sends()

    def sweep(self) -> None:
        """Free what has ended by itself."""
        self.sessions.free()
        self.board.sweep()

    def _next_s(self) -> float:
        return min(self._next_sweep_s, self.next_due_s())
