"""Registries with one bug each."""

from __future__ import annotations

from typing import cast

from threadline.campaign.mutant import Mutant

from scenarios.conversation import Conversation
from scenarios.expiry import Expiry
from scenarios.keys import Keys
from scenarios.limits import Limits
from scenarios.refusals import Refusals
from sessions.key import IsolationKey
from sessions.registry import Registry
from sessions.rules import check_optional_id
from sessions.session import Session, SessionData, Visit
from tests.mutants.sessions import mutant


@mutant(
    "make_registry",
    Conversation,
    continuity_connect=2,
    continuity_get=2,
    continuity_message=2,
    continuity_ping=2,
    isolation_message=2,
)
class AlwaysCreates(Registry):
    """Makes a new session for each message, where there is one already (seeds 000 and 002)."""

    def _find(self, user_id: str, thread_id: str) -> Session | None:
        return None


@mutant(
    "make_registry",
    Conversation,
    continuity_connect=2,
    continuity_get=2,
    continuity_get_session=2,
    continuity_message=2,
    memory_disconnect=2,
    memory_invalidate=2,
    isolation_message=3,
)
class RegistersElsewhere(Registry):
    """Registers a session without a thread under an id of a second generation (seed 003)."""

    def _create(
        self, user_id: str, thread_id: str | None, run_id: str | None, *, by_connection: bool
    ) -> Session:
        session = super()._create(user_id, thread_id, run_id, by_connection=by_connection)
        if not thread_id:
            other_id, _, _ = self._ids.generate_user_context_ids(user_id, "session")
            own_key = self._key(user_id, session.thread_id)
            self._sessions[self._key(user_id, other_id)] = self._sessions.pop(own_key)
        return session


@mutant(
    "make_registry",
    Keys,
    isolation_connect=2,
    isolation_existing=2,
    isolation_get=2,
    isolation_message=2,
)
class JoinsKeyParts(Registry):
    """Joins user and thread with ':', so that two pairs can be one key (seed 003)."""

    def _key(self, user_id: str, thread_id: str) -> IsolationKey:
        return IsolationKey(f"{user_id}:{thread_id}", "")


@mutant(
    "make_registry",
    Refusals,
    continuity_create=1,
    continuity_get=1,
    continuity_get_session=1,
    memory_create=1,
    memory_get=1,
    memory_get_session=1,
)
class ValidatesLate(Registry):
    """Registers the session, and only then looks at what it was given (seed 001, 2.2)."""

    def visit(self, user_id: str, thread_id: str | None = None, run_id: str | None = None) -> Visit:
        with self._lock:
            found = self._find(user_id, thread_id) if thread_id else self._latest(user_id)
            session = found or self._create(user_id, thread_id, run_id, by_connection=False)
            self._validate(user_id, thread_id, run_id)
            self._change_run(session, run_id)
            return self._use(session, resumed=found is not None)


@mutant("make_registry", Refusals, continuity_create=2, continuity_get=2, continuity_get_session=2)
class KeepsRefusedRun(Registry):
    """Stores the run before it is checked, so that a refused one stays."""

    def _validate(self, user_id: str, thread_id: str | None, run_id: str | None) -> None:
        super()._validate(user_id, thread_id, None)
        if session := self._find(user_id, thread_id) if thread_id else self._latest(user_id):
            self._change_run(session, run_id)
        check_optional_id("run_id", run_id)


@mutant(
    "make_registry",
    Conversation,
    continuity_create=3,
    continuity_existing=3,
    continuity_get=3,
    continuity_get_session=3,
    continuity_message=3,
)
class LatestByTime(Registry):
    """Takes the thread with the latest time for the latest: within one tick, the wrong one."""

    def _latest(self, user_id: str) -> Session | None:
        live = (session for session in self._sessions_of(user_id) if self._is_live(session))
        return max(live, key=lambda session: session.active_at_s, default=None)


@mutant("make_registry", Expiry, memory_wait=2, continuity_clean_up_sessions=3)
class ExpiresLate(Registry):
    """Compares idle time with > where the contract says >=."""

    def _is_expired(self, session: Session) -> bool:
        return self._clock.now() > session.active_at_s + self._settings.session_ttl_s


@mutant("make_registry", Expiry, memory_wait=2)
class ExpiresWhenSwept(Registry):
    """Honours what has expired until a sweep happens to come by."""

    def _is_live(self, session: Session) -> bool:
        return True


@mutant("make_registry", Expiry, memory_wait=4, continuity_clean_up_sessions=5)
class ReadingExtends(Registry):
    """Lets a session live on because somebody looked at it."""

    def get_existing_session(
        self, user_id: str, thread_id: str | None = None
    ) -> SessionData | None:
        if found := super().get_existing_session(user_id, thread_id):
            self.extend(user_id, found["thread_id"])
        return found


@mutant(
    "make_registry",
    Conversation,
    continuity_create=4,
    continuity_get=4,
    continuity_existing=4,
    continuity_get_session=4,
    continuity_message=4,
    isolation_message=4,
)
class PingMakesLatest(Registry):
    """Takes a ping for use of the thread, which the user's next message then goes to."""

    def extend(self, user_id: str, thread_id: str) -> None:
        with self._lock:
            if session := self._find(user_id, thread_id):
                self._touch(session)


@mutant(
    "make_registry", Expiry, continuity_wait=4, continuity_clean_up_sessions=5, continuity_sweep=5
)
class SweepsByAge(Registry):
    """Sweeps what began long ago, however lately it was used."""

    def cleanup_expired_sessions(self) -> int:
        for session in list(self._sessions.values()):
            age_s = self._clock.now() - session.created_at_s
            if age_s >= self._settings.session_ttl_s and self._is_live(session):
                self._end(session)
        return super().cleanup_expired_sessions()


@mutant("make_registry", Keys, continuity_invalidate=2)
class InvalidatesByPrefix(Registry):
    """Ends the sessions of every user whose id begins alike (DEL ana*)."""

    def _sessions_of(self, user_id: str) -> list[Session]:
        return [each for each in self._sessions.values() if each.user_id.startswith(user_id)]


@mutant(
    "make_registry",
    Conversation,
    continuity_connect=2,
    continuity_existing=2,
    continuity_get_session=2,
    continuity_message=2,
    isolation_connect=2,
    isolation_create=2,
    isolation_get=2,
    isolation_get_session=2,
    isolation_message=2,
    continuity_ping=3,
)
class HandsToAnother(Registry):
    """Finds a session by its thread id alone, and so hands over another user's (seed 004)."""

    def _key(self, user_id: str, thread_id: str) -> IsolationKey:
        return IsolationKey("", thread_id)


@mutant(
    "make_registry",
    Limits,
    continuity_connect=3,
    memory_connect=3,
    memory_from_websocket=3,
    memory_get=3,
    memory_message=3,
)
class OneSessionOver(Registry):
    """Compares with <= where the limit is reached, and so lets in one session more."""

    def _has_room(self, user_id: str) -> bool:
        live = sum(self._is_live(session) for session in self._sessions_of(user_id))
        return live <= self._settings.max_sessions_per_user


# A cast, because mypy takes a decorated class for the class.
MUTANTS = cast(
    "tuple[Mutant, ...]",
    (
        AlwaysCreates,
        RegistersElsewhere,
        JoinsKeyParts,
        ValidatesLate,
        KeepsRefusedRun,
        LatestByTime,
        ExpiresLate,
        ExpiresWhenSwept,
        ReadingExtends,
        PingMakesLatest,
        SweepsByAge,
        InvalidatesByPrefix,
        HandsToAnother,
        OneSessionOver,
    ),
)
