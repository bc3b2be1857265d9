"""A session manager for chat back ends: one conversation, one session, one set of ids."""

from __future__ import annotations

import logging

# First, so that every part of the package can reach the process default, which is a ChatSystem.
from sessions.system import ChatSystem  # isort: skip

from sessions.context import UserExecutionContext
from sessions.default import default_system, set_default_system
from sessions.factory import WebSocketManagerFactory
from sessions.getter import create_user_execution_context, get_user_execution_context
from sessions.ids import UnifiedIdGenerator
from sessions.manager import IsolatedWebSocketManager
from sessions.settings import Settings

__all__ = [
    "ChatSystem",
    "IsolatedWebSocketManager",
    "Settings",
    "UnifiedIdGenerator",
    "UserExecutionContext",
    "WebSocketManagerFactory",
    "create_user_execution_context",
    "default_system",
    "get_user_execution_context",
    "set_default_system",
]

# A library leaves it to its user where its log goes, even that of errors.
logging.getLogger(__name__).addHandler(logging.NullHandler())
