"""Which threads get quality alerts: each as long as the manager lives that it was made with."""

from __future__ import annotations

from models.chat_service.delivery import Heading
from models.session_manager.ids import Key
from models.session_manager.manager import Manager
from models.session_manager.state import State


class Subscriptions:
    """One for each thread at most, in the order in which they were made."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._made: dict[Key, tuple[Heading, Manager]] = {}

    def add(self, heading: Heading) -> bool:
        """Subscribe a thread, in place of an older subscription, if it has a manager."""
        self.remove(heading.key)
        manager = self._state.connections.managers.get(heading.key)
        if manager:
            self._made[heading.key] = heading._replace(message=None), manager
        return manager is not None

    def remove(self, key: Key) -> None:
        self._made.pop(key, None)

    def live(self) -> dict[Key, Heading]:
        """Return those whose manager lives."""
        managers = self._state.connections.managers
        return {
            key: heading
            for key, (heading, manager) in self._made.items()
            if managers.get(key) is manager
        }
