"""The process default: one system and one service, which calls without their own use.

Whoever is written against classes and plain functions, as the documents are that this service was
made from, imports these from here; nothing else of the package knows that there is a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING

from sessions import context, manager
from sessions.event import CLEAN, WebSocket
from sessions.ids import RANDOM_LENGTH, ParsedId
from sessions.registry import SessionData
from sessions.session_manager import ChatSystem

if TYPE_CHECKING:  # what needs the extra `sessions`, without which a system gets along
    from sessions.service import ChatService
    from sessions.storage import database


class _ProcessDefault:
    """Holds the default system and the default service on it, each made on first use."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._system: ChatSystem | None = None
        self._service: ChatService | None = None

    def get(self) -> ChatSystem:
        with self._lock:
            if self._system is None:
                self._system = ChatSystem()
            return self._system

    def get_service(self) -> ChatService:
        with self._lock:
            if self._service is None:
                self._service = import_module("sessions.service").ChatService(self.get())
            return self._service

    def put(self, system: ChatSystem | None, service: ChatService | None) -> None:
        with self._lock:
            self._system = system
            self._service = service


# The only module-level state of the package.
_default = _ProcessDefault()


def default_system() -> ChatSystem:
    """Return the process default, making it with all default limits on first use."""
    return _default.get()


def set_default_system(system: ChatSystem | None) -> None:
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


class UnifiedIdGenerator:
    """The ids and sessions of the process default, called on the class.

    See sessions.ids.UnifiedIdGenerator and sessions.registry.Registry.
    """

    @staticmethod
    def generate_base_id(
        prefix: str = "id", include_random: bool = True, random_length: int = RANDOM_LENGTH
    ) -> str:
        return default_system().ids.generate_base_id(prefix, include_random, random_length)

    @staticmethod
    def generate_user_context_ids(user_id: str, operation: str = "context") -> tuple[str, str, str]:
        return default_system().ids.generate_user_context_ids(user_id, operation)

    @staticmethod
    def generate_websocket_client_id(user_id: str) -> str:
        return default_system().ids.generate_websocket_client_id(user_id)

    @staticmethod
    def generate_websocket_connection_id(user_id: str) -> str:
        return default_system().ids.generate_websocket_connection_id(user_id)

    @staticmethod
    def parse_id(text: object) -> ParsedId | None:
        return default_system().ids.parse_id(text)

    @staticmethod
    def is_valid_id(text: object) -> bool:
        return default_system().ids.is_valid_id(text)

    @staticmethod
    def get_id_age(text: object) -> float:
        return default_system().ids.get_id_age(text)

    @staticmethod
    def get_or_create_user_session(
        user_id: str, thread_id: str | None = None, run_id: str | None = None
    ) -> SessionData:
        registry = default_system().registry
        return registry.get_or_create_user_session(user_id, thread_id, run_id)

    @staticmethod
    def get_existing_session(user_id: str, thread_id: str | None = None) -> SessionData | None:
        return default_system().registry.get_existing_session(user_id, thread_id)

    @staticmethod
    def cleanup_expired_sessions() -> int:
        return default_system().registry.cleanup_expired_sessions()

    @staticmethod
    def invalidate_user_sessions(user_id: str) -> int:
        return default_system().registry.invalidate_user_sessions(user_id)


class UserExecutionContext(context.UserExecutionContext):
    """A context whose conversation can be begun on the class, in the process default."""

    __slots__ = ()

    @classmethod
    def from_websocket_request(
        cls,
        user_id: str,
        websocket_id: str | None = None,
        additional_context: Mapping[str, object] | None = None,
    ) -> context.UserExecutionContext:
        """See Contexts.from_websocket_request."""
        contexts = default_system().contexts
        return contexts.from_websocket_request(user_id, websocket_id, additional_context)


def WebSocketManagerFactory() -> manager.WebSocketManagerFactory:  # noqa: N802  # as the class
    """Return the process default's factory of managers."""
    return default_system().factory


def RequestScopedSessionFactory() -> database.RequestScopedSessionFactory:  # noqa: N802
    """Return the default service's factory of database sessions."""
    return default_service().session_factory


def get_user_execution_context(
    user_id: str, thread_id: str | None = None, run_id: str | None = None
) -> context.UserExecutionContext:
    """See Contexts.get_user_execution_context."""
    return default_system().contexts.get_user_execution_context(user_id, thread_id, run_id)


def create_user_execution_context(
    user_id: str,
    thread_id: str | None = None,
    run_id: str | None = None,
    db_session: object | None = None,
    websocket_connection_id: str | None = None,
) -> context.UserExecutionContext:
    """Deprecated: see Contexts.create_user_execution_context."""
    return default_system().contexts.create_user_execution_context(
        user_id, thread_id, run_id, db_session, websocket_connection_id, stacklevel=3
    )


async def handle_websocket_connection(
    websocket: WebSocket, user_id: str, thread_id: str | None = None
) -> context.UserExecutionContext:
    """See ChatService.handle_websocket_connection."""
    return await default_service().handle_websocket_connection(websocket, user_id, thread_id)


async def handle_websocket_disconnect(websocket: WebSocket, code: int = CLEAN) -> bool:
    """See ChatService.handle_websocket_disconnect."""
    return await default_service().handle_websocket_disconnect(websocket, code)
