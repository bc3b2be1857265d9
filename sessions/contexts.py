"""The ways to a context: those that go on with a conversation, and those that begin one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

from sessions.clock import Clock
from sessions.context import UserExecutionContext, check_id, check_optional_id, frozen_mapping
from sessions.ids import UnifiedIdGenerator
from sessions.registry import Registry


class Contexts:
    """The getter: the ways to a context at the entry. That of a message comes by Registry.accept.

    All refuse with InvalidContextError or SessionLimitError before they change anything.
    """

    def __init__(self, ids: UnifiedIdGenerator, registry: Registry, clock: Clock) -> None:
        self._clock = clock
        self._ids = ids
        self._registry = registry

    def get_user_execution_context(
        self, user_id: str, thread_id: str | None = None, run_id: str | None = None
    ) -> UserExecutionContext:
        """Return the context of a thread's session, or of the user's latest, or of a new one."""
        asked_at_s = self._clock.now()
        context = self._registry.visit(user_id, thread_id, run_id).context
        self._registry.times.observe(self._clock.now() - asked_at_s)
        return context

    def reading_context(self, user_id: str, thread_id: str) -> UserExecutionContext:
        """Return a context to read a thread on, whether or not it has a session; makes none.

        Raises InvalidContextError.
        """
        check_id("user_id", user_id)
        check_id("thread_id", thread_id)
        seen = self._registry.peek(user_id, thread_id)
        _, run_id, request_id = self._ids.generate_user_context_ids(user_id, "read")
        return UserExecutionContext(
            user_id=user_id,
            thread_id=thread_id,
            run_id=seen.run_id if seen else run_id,
            request_id=request_id,
            websocket_client_id=seen.websocket_client_id if seen else None,
            created_at=seen.began_at_s if seen else self._ids.now(),
        )

    def create_user_execution_context(
        self,
        user_id: str,
        thread_id: str | None = None,
        run_id: str | None = None,
        db_session: object | None = None,  # noqa: ARG002  # its callers pass it; no context keeps it
        websocket_connection_id: str | None = None,
        *,
        stacklevel: int = 2,
    ) -> UserExecutionContext:
        """Warn that it is deprecated, then get the context; stacklevel 2 blames the caller."""
        warnings.warn(
            "create_user_execution_context is deprecated; use get_user_execution_context, which "
            "goes on with the conversation",
            DeprecationWarning,
            stacklevel=stacklevel,
        )
        check_optional_id("websocket_connection_id", websocket_connection_id)
        context = self.get_user_execution_context(user_id, thread_id, run_id)
        return replace(context, websocket_connection_id=websocket_connection_id)

    def from_websocket_request(
        self,
        user_id: str,
        websocket_id: str | None = None,
        additional_context: Mapping[str, object] | None = None,
    ) -> UserExecutionContext:
        """Begin a conversation at the WebSocket entry, and register its session."""
        check_id("user_id", user_id)
        check_optional_id("websocket_id", websocket_id)
        additional = additional_context or {}
        # The context copies it again; here it must be refused before a session is made.
        frozen_mapping("additional_context", additional)
        return self._registry.visit_by_connection(user_id, None, websocket_id, additional).context
