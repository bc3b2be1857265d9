"""Registries with one bug each."""

from __future__ import annotations

from threadline.campaign.change import Change
from threadline.campaign.mutant import Mutant

from scenarios.conversation import Conversation
from scenarios.expiry import Expiry
from scenarios.keys import Keys
from scenarios.limits import Limits
from scenarios.refusals import Refusals
from tests.mutants.sessions import line

AlwaysCreates = line(
    "AlwaysCreates",
    "Makes a new session for each message, where there is one already (seeds 000 and 002).",
    "registry.Registry._find",
    old="session if session and not self._is_due(session) else None",
    new="None",
    scenario=Conversation,
    continuity_connect=2,
    continuity_get=2,
    continuity_message=2,
    continuity_ping=2,
    isolation_message=2,
)
RegistersElsewhere = line(
    "RegistersElsewhere",
    "Registers a session without a thread under an id of a second generation (seed 003).",
    "registry.Registry._create",
    old="self._register(session)",
    new="self._register(session)\n"
    "if not thread_id:\n"
    "    other_id, _, _ = self._ids.generate_user_context_ids(user_id, 'session')\n"
    "    own_key = self._key(user_id, session.thread_id)\n"
    "    self._sessions[self._key(user_id, other_id)] = self._sessions.pop(own_key)",
    scenario=Conversation,
    continuity_connect=2,
    continuity_get=2,
    continuity_get_session=2,
    continuity_message=2,
    memory_disconnect=2,
    memory_invalidate=2,
    isolation_message=3,
)
JoinsKeyParts = line(
    "JoinsKeyParts",
    "Joins user and thread with ':', so that two pairs can be one key (seed 003).",
    "registry.Registry._key",
    old="IsolationKey(user_id, thread_id)",
    new="IsolationKey(f'{user_id}:{thread_id}', '')",
    scenario=Keys,
    isolation_connect=2,
    isolation_existing=2,
    isolation_get=2,
    isolation_message=2,
)
ValidatesLate = line(
    "ValidatesLate",
    "Registers the session, and only then looks at what it was given (seed 001, 2.2).",
    "registry.Registry.visit",
    old="self._validate(user_id, thread_id, run_id)\n"
    "        session, was_there = self._get(user_id, thread_id, run_id)",
    new="found = self._find(user_id, thread_id) if thread_id else self._latest(user_id)\n"
    "session = found or self._create(user_id, thread_id, run_id, by_connection=False)\n"
    "self._validate(user_id, thread_id, run_id)\n"
    "session.run_id, was_there = run_id or session.run_id, found is not None",
    scenario=Refusals,
    continuity_create=1,
    continuity_get=1,
    continuity_get_session=1,
    memory_create=1,
    memory_get=1,
    memory_get_session=1,
)
KeepsRefusedRun = line(
    "KeepsRefusedRun",
    "Stores the run before it is checked, so that a refused one stays.",
    "registry.Registry._validate",
    old='check_optional_id("run_id", run_id)',
    new="if session := self._find(user_id, thread_id) if thread_id else self._latest(user_id):\n"
    "    session.run_id = run_id or session.run_id\n"
    "check_optional_id('run_id', run_id)",
    scenario=Refusals,
    continuity_create=2,
    continuity_get=2,
    continuity_get_session=2,
)
LatestByTime = line(
    "LatestByTime",
    "Takes the thread with the latest time for the latest: within one tick, the wrong one.",
    "registry.Registry._latest",
    old="return next((session for session in used if not self._is_due(session)), None)",
    new="live = [one for one in self._sessions_of(user_id) if not self._is_due(one)]\n"
    "return max(live, key=lambda one: one.active_at_s, default=None)",
    scenario=Conversation,
    continuity_create=3,
    continuity_existing=3,
    continuity_get=3,
    continuity_get_session=3,
    continuity_message=3,
)
ExpiresLate = line(
    "ExpiresLate",
    "Compares idle time with > where the contract says >=.",
    "registry.Registry._is_due",
    old="now_s >= session.active_at_s",
    new="now_s > session.active_at_s",
    also=(Change("sessions.registry.Registry._sat_idle", old=">=", new=">"),),
    scenario=Expiry,
    memory_wait=2,
    continuity_clean_up_sessions=3,
)
ExpiresWhenSwept = line(
    "ExpiresWhenSwept",
    "Honours what has expired until a sweep happens to come by.",
    "registry.Registry._is_due",
    old="now_s, leased_until_s =",
    new="return False\nnow_s, leased_until_s =",
    also=(
        Change(
            "sessions.registry.Registry.cleanup_expired_sessions",
            old="self._is_due(session)",
            new="self._clock.now() >= session.active_at_s + self._settings.session_ttl_s "
            "or self._clock.now() >= (session.leased_until_s or float('inf'))",
        ),
    ),
    scenario=Expiry,
    memory_wait=2,
)
ReadingExtends = line(
    "ReadingExtends",
    "Lets a session live on because somebody looked at it.",
    "registry.Registry.get_existing_session",
    old="return self._seen",
    new="if session:\n    self.extend(user_id, session.thread_id)\nreturn self._seen",
    scenario=Expiry,
    memory_wait=4,
    continuity_clean_up_sessions=5,
)
PingMakesLatest = line(
    "PingMakesLatest",
    "Takes a ping for use of the thread, which the user's next message then goes to.",
    "registry.Registry.extend",
    old="session.active_at_s = self._clock.now()",
    new="session.active_at_s = self._clock.now()\n"
    "session.used = next(self._uses)\n"
    "self._place_last(session)",
    scenario=Conversation,
    continuity_create=4,
    continuity_get=4,
    continuity_existing=4,
    continuity_get_session=4,
    continuity_message=4,
    isolation_message=4,
)
SweepsByAge = line(
    "SweepsByAge",
    "Sweeps what began long ago, however lately it was used.",
    "registry.Registry.cleanup_expired_sessions",
    old="self._is_due(session)",
    new="self._is_due(session) or "
    "self._clock.now() - session.created_at_s >= self._settings.session_ttl_s",
    scenario=Expiry,
    continuity_wait=4,
    continuity_clean_up_sessions=5,
    continuity_sweep=5,
)
InvalidatesByPrefix = line(
    "InvalidatesByPrefix",
    "Ends the sessions of every user whose id begins alike (DEL ana*).",
    "registry.Registry.invalidate_user_sessions",
    old="self._sessions_of(user_id)",
    new="[each for each in self._sessions.values() if each.user_id.startswith(user_id)]",
    scenario=Keys,
    continuity_invalidate=2,
)
HandsToAnother = line(
    "HandsToAnother",
    "Finds a session by its thread id alone, and so hands over another user's (seed 004).",
    "registry.Registry._key",
    old="IsolationKey(user_id, thread_id)",
    new="IsolationKey('', thread_id)",
    scenario=Conversation,
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
OneSessionOver = line(
    "OneSessionOver",
    "Compares with <= where the limit is reached, and so lets in one session more.",
    "registry.Registry._check_limit",
    old="self._sessions_of(user_id)) >= limit",
    new="self._sessions_of(user_id)) > limit",
    scenario=Limits,
    continuity_connect=3,
    memory_connect=3,
    memory_create_manager=3,
    keys_create_manager=3,
    memory_from_websocket=3,
    memory_get=3,
    memory_message=3,
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
