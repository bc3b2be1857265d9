"""Which sessions live (the contract, Registry)."""

from __future__ import annotations

from dataclasses import dataclass

from threadline import Handle, Refused

from models.session_manager.clock import Clock
from models.session_manager.counts import Counts
from models.session_manager.ids import Id, Key
from models.session_manager.settings import Settings


@dataclass(slots=True, eq=False)
class Session:
    """One live session; is_fleeting: a connection began it, and no message has come yet."""

    user: str
    thread: Id
    run: Id
    client: Handle
    created_s: float
    is_fleeting: bool
    active_s: float = 0.0
    used: int = 0  # the place in the order of gets and messages

    @property
    def key(self) -> Key:
        return self.user, self.thread


class Sessions:
    """The live sessions, and the keys of those that sat idle for too long and were not freed."""

    def __init__(self, settings: Settings, clock: Clock, counts: Counts) -> None:
        self.live: dict[Key, Session] = {}
        self.expired: set[Key] = set()
        self._settings = settings
        self._clock = clock
        self._counts = counts
        self.uses = 0

    def of(self, user: str) -> list[Session]:
        return [session for session in self.live.values() if session.user == user]

    def find(self, user: str, thread: Id | None) -> Session | None:
        """Return the session of a thread, or without one that of the latest get or message."""
        if thread:
            return self.live.get((user, thread))
        return max(self.of(user), key=lambda session: session.used, default=None)

    def refuse(self, user: str) -> Refused | None:
        """Refuse one session more to a user who is at the limit."""
        limit = self._settings.max_sessions_per_user
        if len(self.of(user)) < limit:
            return None
        self._counts.session_limit_refusals += 1
        says = repr(user), str(limit)
        return Refused("session limit", f"{user!r} has {limit} live sessions, the limit", says=says)

    def use(self, session: Session) -> Session:
        """Note a get that found a session."""
        self._counts.contexts_reused += 1
        return self._touch(session)

    def begin(self, user: str, thread: Id | None, run: Id | None, *, is_fleeting: bool) -> Session:
        """Make a session, with ids of this step for those that were not given."""
        clock = self._clock
        session = Session(
            user=user,
            thread=thread or clock.new_handle("t"),
            run=run or clock.new_handle("r"),
            client=clock.new_handle("c"),
            created_s=clock.now_s,
            is_fleeting=is_fleeting,
        )
        self.live[session.key] = session
        self.expired.discard(session.key)
        self._counts.contexts_created += 1
        return self._touch(session)

    def restore(self, user: str, thread: Id, run: Id, active_s: float) -> None:
        """Restore a session that was stored, idle since then, as the user's latest so far."""
        session = Session(
            user=user,
            thread=thread,
            run=run,
            client=self._clock.another_handle("c"),
            created_s=active_s,
            is_fleeting=False,
        )
        self.live[session.key] = session
        self._rank(session)
        session.active_s = active_s

    def end(self, key: Key) -> None:
        self.live.pop(key, None)

    def end_user(self, user: str) -> int:
        """End all of a user's sessions; return how many."""
        mine = self.of(user)
        for session in mine:
            self.end(session.key)
        self.expired = {key for key in self.expired if key[0] != user}
        return len(mine)

    def next_due_s(self) -> float:
        return min(map(self._due_s, self.live.values()), default=float("inf"))

    def expire(self) -> None:
        """End what is due."""
        for session in list(self.live.values()):
            if self._due_s(session) <= self._clock.now_s:
                self.end(session.key)
                self.expired.add(session.key)

    def free(self) -> int:
        """Free what has expired; return how many that were."""
        freed = len(self.expired)
        self.expired.clear()
        return freed

    def _due_s(self, session: Session) -> float:
        return session.active_s + self._settings.session_ttl_s

    def _touch(self, session: Session) -> Session:
        self._rank(session)
        session.active_s = self._clock.now_s
        return session

    def _rank(self, session: Session) -> None:
        self.uses += 1
        session.used = self.uses
