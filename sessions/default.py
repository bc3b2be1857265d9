"""The process default: the one system that calls without a system of their own use."""

from __future__ import annotations

from threading import Lock

import sessions.system


class _ProcessDefault:
    """Holds the default system, made on first use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._system: sessions.system.ChatSystem | None = None

    def get(self) -> sessions.system.ChatSystem:
        with self._lock:
            if self._system is None:
                self._system = sessions.system.ChatSystem()
            return self._system

    def put(self, system: sessions.system.ChatSystem | None) -> None:
        with self._lock:
            self._system = system


# The only module-level state of the package.
_default = _ProcessDefault()


def default_system() -> sessions.system.ChatSystem:
    """Return the process default, making it with all default limits on first use."""
    return _default.get()


def set_default_system(system: sessions.system.ChatSystem | None) -> None:
    """Make system the process default; None forgets it, and the next use makes a new one."""
    _default.put(system)
