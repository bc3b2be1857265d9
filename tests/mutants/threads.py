"""Registries that are not safe where threads call them: each without its lock in one place."""

from __future__ import annotations

from functools import partial

from threadline.campaign.mutant import Mutant

from drivers.sessions_threads import SessionThreadsDriver
from scenarios.overlap import Threads
from tests.mutants.line import line

unlocked = partial(
    line,
    SessionThreadsDriver,
    "sessions",
    old="with self._lock:",
    new="if True:",
    scenario=Threads,
)

VisitsUnlocked = unlocked(
    "VisitsUnlocked",
    "Makes a session where another thread has made one since it has looked.",
    "registry.Registry.visit",
)
SweepsUnlocked = unlocked(
    "SweepsUnlocked",
    "Goes through all sessions while other threads make and end some.",
    "registry.Registry.cleanup_expired_sessions",
)
InvalidatesUnlocked = unlocked(
    "InvalidatesUnlocked",
    "Ends sessions that another thread has ended, or made anew, since it has looked.",
    "registry.Registry.invalidate_user_sessions",
)

MUTANTS = tuple(each for each in list(vars().values()) if isinstance(each, Mutant))
