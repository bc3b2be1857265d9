"""A session manager for chat back ends: one conversation, one session, one set of ids.

The process default, for calls without a system of their own, is in sessions.default.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from sessions.context import UserExecutionContext
from sessions.ids import UnifiedIdGenerator
from sessions.manager import IsolatedWebSocketManager, WebSocketManagerFactory
from sessions.session_manager import ChatSystem
from sessions.settings import Settings

if TYPE_CHECKING:
    from sessions.service import ChatService
    from sessions.storage.database import RequestScopedSessionFactory

__all__ = [
    "ChatService",
    "ChatSystem",
    "IsolatedWebSocketManager",
    "RequestScopedSessionFactory",
    "Settings",
    "UnifiedIdGenerator",
    "UserExecutionContext",
    "WebSocketManagerFactory",
]

# A library leaves it to its user where its log goes, even that of errors.
logging.getLogger(__name__).addHandler(logging.NullHandler())

# What needs the extra `sessions` is loaded when it is asked for, and not before.
_LATE = {
    "ChatService": "sessions.service",
    "RequestScopedSessionFactory": "sessions.storage.database",
}

if not TYPE_CHECKING:  # which would take every name for one of the package

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_LATE[name]), name)
