"""The sessions: what each is, and the one place that knows which of them live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import NamedTuple, Protocol, TypedDict

from sessions.clock import Clock
from sessions.context import (
    NOTHING_MORE,
    ContextTimes,
    UserExecutionContext,
    check_id,
    check_optional_id,
)
from sessions.errors import SessionLimitError, ThreadEndedError
from sessions.ids import IsolationKey, UnifiedIdGenerator
from sessions.metrics import Metrics
from sessions.settings import Settings

logger = logging.getLogger(__name__)


class SessionData(TypedDict):
    """The three ids that a get returns; request_id is new each time and stored nowhere."""

    thread_id: str
    run_id: str
    request_id: str


@dataclass(slots=True, eq=False)
class Session:
    """One conversation of one user, as the registry keeps it; times are clock seconds.

    ends_with_manager: a connection began it and no message has come yet, so that it ends with
    its manager, which is at leased_until_s unless the manager says otherwise. number tells it from
    a later session of the same name; used is the number of its latest get or message, of all;
    stopped, that of the latest message that was stopped: a thread is at one at a time.
    """

    user_id: str
    thread_id: str
    run_id: str
    websocket_client_id: str
    created_at_s: float
    active_at_s: float
    ends_with_manager: bool
    number: int
    used: int = 0
    stopped: int | None = None
    leased_until_s: float | None = None


class Peek(NamedTuple):
    """What a look at a live session shows."""

    run_id: str
    websocket_client_id: str
    began_at_s: float
    number: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What one get found: the session's ids in a context, and whether it was there before.

    number is the session's own, which no other has; used, that of its latest get.
    """

    context: UserExecutionContext
    resumed: bool
    number: int
    used: int

    def data(self) -> SessionData:
        context = self.context
        return {
            "thread_id": context.thread_id,
            "run_id": context.run_id,
            "request_id": context.request_id,
        }


class Accepted(Protocol):
    """What came for a session, such as a message, and matters for as long as that one lives."""

    @property
    def key(self) -> IsolationKey: ...

    @property
    def session_number(self) -> int: ...

    @property
    def used(self) -> int: ...


class Registry:
    """Sessions by user and thread; thread-safe (the contract, Registry).

    A session that is due is gone for every caller from that moment, though its record stays
    until a clean-up, or until its key is made anew. A get takes the same time however many
    sessions live; only a user at the limit pays for a look at that user's own. times is how long
    the gets of contexts took that did not refuse.
    """

    def __init__(
        self, ids: UnifiedIdGenerator, clock: Clock, settings: Settings, metrics: Metrics
    ) -> None:
        self.times = ContextTimes()
        self._ids = ids
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._lock = RLock()
        self._sessions: dict[IsolationKey, Session] = {}
        self._numbers = count(1)
        self._uses = count(1)
        self._by_user: dict[str, dict[str, Session]] = {}

    def get_or_create_user_session(
        self, user_id: str, thread_id: str | None = None, run_id: str | None = None
    ) -> SessionData:
        """Return the ids of the session asked for, making one if there is none.

        Raises InvalidContextError and SessionLimitError, and has then changed nothing.
        """
        return self.visit(user_id, thread_id, run_id).data()

    def visit(self, user_id: str, thread_id: str | None = None, run_id: str | None = None) -> Visit:
        """Do what get_or_create_user_session does, and say more of what was found.

        Without a thread it is the user's latest live one; without a run, the thread's current.
        """
        with self._lock:
            self._validate(user_id, thread_id, run_id)
            session, was_there = self._get(user_id, thread_id, run_id)
            self._use(session, resumed=was_there)
            return self._seen(session, resumed=was_there)

    def accept(
        self,
        user_id: str,
        thread_id: str | None,
        run_id: str | None,
        own: UserExecutionContext | None,
    ) -> Visit:
        """Do the get of a message, and count it: from now on its session outlives its manager.

        own is the context of the connection that it came by, whose thread it is for if it names
        none. The caller has checked the ids.
        """
        asked_at_s = self._clock.now()
        with self._lock:
            thread_id = thread_id or (own.thread_id if own else None)
            session, was_there = self._get(user_id, thread_id, run_id)
            session.ends_with_manager = False
            session.leased_until_s = None
            self._metrics.messages += 1
            self._metrics.messages_continued += was_there
            self._use(session, resumed=was_there)
            connection_id = own.websocket_connection_id if own else None
            visit = self._seen(session, connection_id, resumed=was_there)
        self.times.observe(self._clock.now() - asked_at_s)
        return visit

    def visit_by_connection(
        self,
        user_id: str,
        thread_id: str | None,
        connection_id: str | None,
        additional: Mapping[str, object] = NOTHING_MORE,
    ) -> Visit:
        """Do the get of a connection: without a thread it begins a conversation.

        Without an id the connection is given one. The caller has checked the ids.
        """
        with self._lock:
            found = self._find(user_id, thread_id) if thread_id else None
            session = found or self._create(user_id, thread_id, None, by_connection=True)
            self._use(session, resumed=found is not None)
            return self._seen(
                session, connection_id, additional, resumed=found is not None, by_connection=True
            )

    def get_existing_session(
        self, user_id: str, thread_id: str | None = None
    ) -> SessionData | None:
        """Read a live session, or the user's latest; None if there is none. Extends nothing."""
        with self._lock:
            self._validate(user_id, thread_id, None)
            session = self._find(user_id, thread_id) if thread_id else self._latest(user_id)
            return self._seen(session, resumed=True).data() if session else None

    def peek(self, user_id: str, thread_id: str) -> Peek | None:
        """Read what is known of a live session, or None. Extends nothing."""
        with self._lock:
            if (session := self._find(user_id, thread_id)) is None:
                return None
            return Peek(
                session.run_id,
                session.websocket_client_id,
                session.created_at_s,
                session.number,
            )

    def is_over(self, accepted: Accepted) -> bool:
        """Return whether the session has ended that accepted this: what is due is gone."""
        return self._due_at_s(accepted) is None

    def stop(self, accepted: Accepted) -> None:
        """Mark a message as stopped: check() refuses it from now on, while its handling ends.

        is_over() is as before: the thread is at it until that end.
        """
        with self._lock:
            if session := self._session_of(accepted):
                session.stopped = accepted.used

    def check(self, accepted: Accepted) -> None:
        """Raise ThreadEndedError if this was stopped, or the session has ended that accepted it."""
        with self._lock:
            session = self._session_of(accepted)
            if session is None or session.stopped == accepted.used:
                raise ThreadEndedError(
                    f"nothing more comes of this on thread {accepted.key.thread_id!r}: it was "
                    "stopped, or the session has ended that accepted it"
                )

    async def until_over(self, accepted: Accepted) -> None:
        """Return when the session is due, however often that is put off, or has ended else."""
        while (due_at_s := self._due_at_s(accepted)) is not None:
            await asyncio.sleep(due_at_s - self._clock.now())

    def extend(self, user_id: str, thread_id: str) -> None:
        """Restart the idle time of a live session, without making its thread the latest."""
        with self._lock:
            if session := self._find(user_id, thread_id):
                session.active_at_s = self._clock.now()

    def lease(self, user_id: str, thread_id: str, until_s: float) -> None:
        """Note until when the manager lives that a session may end with."""
        with self._lock:
            session = self._find(user_id, thread_id)
            if session and session.ends_with_manager:
                session.leased_until_s = until_s

    def manager_ended(self, user_id: str, thread_id: str) -> None:
        """End the session that a connection began and that never had a message."""
        with self._lock:
            session = self._sessions.get(self._key(user_id, thread_id))
            if session and session.ends_with_manager and not self._sat_idle(session):
                self._end(session)

    def check_room(self, user_id: str, thread_id: str | None = None) -> None:
        """Raise SessionLimitError if a connection to this thread could get no session.

        Without a thread it would begin a conversation.
        """
        with self._lock:
            if not thread_id or self._find(user_id, thread_id) is None:
                self._check_limit(user_id)

    def cleanup_expired_sessions(self) -> int:
        """Free every session that is due; return how many of them sat idle for too long."""
        with self._lock:
            due = [session for session in self._sessions.values() if self._is_due(session)]
            for session in due:
                self._end(session)
            return sum(self._sat_idle(session) for session in due)

    def invalidate_user_sessions(self, user_id: str) -> int:
        """End every session of this user and of nobody else; return how many were live."""
        check_id("user_id", user_id)
        with self._lock:
            ended = self._sessions_of(user_id)
            live = sum(not self._is_due(session) for session in ended)
            for session in ended:
                self._end(session)
            return live

    def end_thread(self, user_id: str, thread_id: str) -> bool:
        """End the session of a thread; return whether it was live."""
        with self._lock:
            session = self._sessions.get(self._key(user_id, thread_id))
            was_live = session is not None and not self._is_due(session)
            if session:
                self._end(session)
            return was_live

    def restore(self, user_id: str, thread_id: str, run_id: str, active_at_s: float) -> None:
        """Register a stored session, idle since active_at_s; its thread is the user's latest."""
        with self._lock:
            client_id = self._ids.generate_websocket_client_id(user_id)
            session = self._made(
                user_id, thread_id, run_id, client_id, active_at_s, by_connection=False
            )
            self._register(session)
            self._place_last(session)

    def count_on(self, used: int) -> None:
        """Count gets and messages on from a number that was stored, which none has again."""
        with self._lock:
            self._uses = count(used + 1)

    def used_so_far(self) -> int:
        """Return a number that each later get or message exceeds, and none so far."""
        with self._lock:
            return next(self._uses)

    def live(self) -> dict[IsolationKey, str]:
        """Return the current run of every live session, by user and thread."""
        with self._lock:
            return {
                IsolationKey(session.user_id, session.thread_id): session.run_id
                for session in self._sessions.values()
                if not self._is_due(session)
            }

    def _validate(self, user_id: str, thread_id: str | None, run_id: str | None) -> None:
        check_id("user_id", user_id)
        check_optional_id("thread_id", thread_id)
        check_optional_id("run_id", run_id)

    def _key(self, user_id: str, thread_id: str) -> IsolationKey:
        return IsolationKey(user_id, thread_id)

    def _find(self, user_id: str, thread_id: str) -> Session | None:
        session = self._sessions.get(self._key(user_id, thread_id))
        return session if session and not self._is_due(session) else None

    def _latest(self, user_id: str) -> Session | None:
        used = reversed(self._sessions_of(user_id))
        return next((session for session in used if not self._is_due(session)), None)

    def _sessions_of(self, user_id: str) -> list[Session]:
        """Return a user's sessions, due ones too, the one of the latest get or message last."""
        return list(self._by_user.get(user_id, {}).values())

    def _due_at_s(self, accepted: Accepted) -> float | None:
        """Return when the session that accepted this expires if nobody uses it, or None."""
        with self._lock:
            session = self._session_of(accepted)
            return session.active_at_s + self._settings.session_ttl_s if session else None

    def _session_of(self, accepted: Accepted) -> Session | None:
        """Return the session that accepted this while it lives, and none that came after it."""
        session = self._find(*accepted.key)
        if session is None or session.number != accepted.session_number:
            return None
        return session

    def _is_due(self, session: Session) -> bool:
        """Return whether a session expired, or its manager did that it ends with."""
        now_s, leased_until_s = self._clock.now(), session.leased_until_s
        is_orphan = leased_until_s is not None and now_s >= leased_until_s
        return is_orphan or now_s >= session.active_at_s + self._settings.session_ttl_s

    def _sat_idle(self, session: Session) -> bool:
        """Return whether a session expired before its manager could end it."""
        leased_until_s = session.leased_until_s
        expires_at_s = session.active_at_s + self._settings.session_ttl_s
        came_first = leased_until_s is None or expires_at_s <= leased_until_s
        return came_first and self._clock.now() >= expires_at_s

    def _get(self, user_id: str, thread_id: str | None, run_id: str | None) -> tuple[Session, bool]:
        """Return the session that a get is for, making one, and whether it was there before."""
        found = self._find(user_id, thread_id) if thread_id else self._latest(user_id)
        session = found or self._create(user_id, thread_id, run_id, by_connection=False)
        session.run_id = run_id or session.run_id
        return session, found is not None

    def _create(
        self, user_id: str, thread_id: str | None, run_id: str | None, *, by_connection: bool
    ) -> Session:
        self._check_limit(user_id)
        operation = "websocket_session" if by_connection else "session"
        new_thread_id, new_run_id, _ = self._ids.generate_user_context_ids(user_id, operation)
        client_id = self._ids.generate_websocket_client_id(user_id)
        session = self._made(
            user_id,
            thread_id or new_thread_id,
            run_id or new_run_id,
            client_id,
            self._clock.now(),
            by_connection=by_connection,
        )
        self._register(session)
        return session

    def _made(
        self,
        user_id: str,
        thread_id: str,
        run_id: str,
        client_id: str,
        began_at_s: float,
        *,
        by_connection: bool,
    ) -> Session:
        return Session(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            websocket_client_id=client_id,
            created_at_s=began_at_s,
            active_at_s=began_at_s,
            ends_with_manager=by_connection,
            number=next(self._numbers),
        )

    def _check_limit(self, user_id: str) -> None:
        # Records are counted first, as they are no fewer than live sessions and cost no look.
        limit = self._settings.max_sessions_per_user
        is_full = len(self._by_user.get(user_id, ())) >= limit
        if is_full and sum(not self._is_due(each) for each in self._sessions_of(user_id)) >= limit:
            self._metrics.session_limit_refusals += 1
            raise SessionLimitError(f"user {user_id!r} has {limit} live sessions, the limit")

    def _register(self, session: Session) -> None:
        self._sessions[self._key(session.user_id, session.thread_id)] = session

    def _use(self, session: Session, *, resumed: bool) -> None:
        session.active_at_s = self._clock.now()
        session.used = next(self._uses)
        self._place_last(session)
        if resumed:
            self._metrics.contexts_reused += 1
        else:
            self._metrics.contexts_created += 1
        logger.info("%s session: %s", "Reusing" if resumed else "Creating", session.thread_id)

    def _place_last(self, session: Session) -> None:
        """Make a session's thread the user's latest."""
        mine = self._by_user.setdefault(session.user_id, {})
        mine.pop(session.thread_id, None)
        mine[session.thread_id] = session

    def _seen(
        self,
        session: Session,
        connection_id: str | None = None,
        additional: Mapping[str, object] = NOTHING_MORE,
        *,
        resumed: bool,
        by_connection: bool = False,
    ) -> Visit:
        user_id, request_id = session.user_id, self._ids.generate_base_id("req_session")
        if by_connection and not connection_id:
            connection_id = self._ids.generate_websocket_connection_id(user_id)
        context = UserExecutionContext(
            user_id=user_id,
            thread_id=session.thread_id,
            run_id=session.run_id,
            request_id=request_id,
            websocket_client_id=session.websocket_client_id,
            websocket_connection_id=connection_id,
            created_at=session.created_at_s,
            additional_context=additional,
        )
        return Visit(context, resumed, session.number, session.used)

    def _end(self, session: Session) -> None:
        self._sessions.pop(self._key(session.user_id, session.thread_id), None)
        mine = self._by_user.get(session.user_id, {})
        mine.pop(session.thread_id, None)
        if not mine:
            self._by_user.pop(session.user_id, None)
