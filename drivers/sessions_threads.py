"""The driver of what of the session manager can be called from any thread."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from operator import attrgetter
from typing import Any

from threadline import Census, Driver

from drivers.sessions_shown import shown_context, shown_form, shown_session
from models.session_manager import SessionManagerModel
from sessions import ChatSystem, Settings
from sessions.errors import RefusedError


class SessionThreadsDriver(Driver[SessionManagerModel]):
    """Calls the getter, the ids and the registry of one ChatSystem from threads."""

    threaded = ("sessions",)
    refuses = {RefusedError: attrgetter("reason")}

    def __init__(self, **settings: Any) -> None:
        numbers = count()
        self._system = ChatSystem(
            settings=Settings(**settings),
            clock=self.clock,
            counter=count(1),
            entropy=lambda size: next(numbers).to_bytes(max(8, size), "big")[-size:],
        )

    def roots(self) -> Mapping[str, object]:
        return {"system": self._system}

    def get(self, user: str, thread: str | None, run: str | None) -> object:
        return shown_context(self._system.contexts.get_user_execution_context(user, thread, run))

    def get_session(self, user: str, thread: str | None, run: str | None) -> object:
        return shown_session(self._system.registry.get_or_create_user_session(user, thread, run))

    def existing(self, user: str, thread: str | None) -> object:
        return shown_session(self._system.registry.get_existing_session(user, thread))

    def invalidate(self, user: str) -> int:
        return self._system.registry.invalidate_user_sessions(user)

    def clean_up_sessions(self) -> int:
        return self._system.registry.cleanup_expired_sessions()

    def base_id(self, prefix: str, random_length: int) -> object:
        has_random = random_length > 0
        made = self._system.ids.generate_base_id(prefix, has_random, random_length)
        return {"id": made, **shown_form(made, has_random=has_random)}

    def census(self) -> Census:
        live = self._system.registry.live()
        return {"sessions": {tuple(key): run for key, run in live.items()}}
