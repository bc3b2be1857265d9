"""The process default: the one system and service that calls without their own use."""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING

import sessions.system

if TYPE_CHECKING:
    from sessions.service import ChatService


class _ProcessDefault:
    """Holds the default system and the default service on it, each made on first use."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._system: sessions.system.ChatSystem | None = None
        self._service: ChatService | None = None

    def get(self) -> sessions.system.ChatSystem:
        with self._lock:
            if self._system is None:
                self._system = sessions.system.ChatSystem()
            return self._system

    def get_service(self) -> ChatService:
        with self._lock:
            if self._service is None:
                # By name, as it needs the extra `sessions`, without which a system gets along.
                self._service = import_module("sessions.service").ChatService(self.get())
            return self._service

    def put(self, system: sessions.system.ChatSystem | None, service: ChatService | None) -> None:
        with self._lock:
            self._system = system
            self._service = service


# The only module-level state of the package.
_default = _ProcessDefault()


def default_system() -> sessions.system.ChatSystem:
    """Return the process default, making it with all default limits on first use."""
    return _default.get()


def set_default_system(system: sessions.system.ChatSystem | None) -> None:
    """Make system the process default; None forgets it, and the next use makes a new one.

    A default service on another system is forgotten with it.
    """
    _default.put(system, None)


def default_service() -> ChatService:
    """Return the service of the process default, making it on the default system on first use.

    Whoever makes it starts and stops it. It needs the extra `sessions`.
    """
    return _default.get_service()


def set_default_service(service: ChatService | None) -> None:
    """Make service and its system the process default; None forgets both."""
    _default.put(service.system if service else None, service)
