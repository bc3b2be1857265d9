"""Who a message is for: the ids that every component is handed, and how to get them."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from threading import Lock
from types import MappingProxyType
from typing import TypeAlias

from sessions.clock import Clock
from sessions.errors import InvalidContextError
from sessions.ids import UnifiedIdGenerator, check_depth, check_id, check_optional_id
from sessions.registry import Registry, Visit

Frozen: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Frozen, ...] | frozenset[Frozen]"
    " | Mapping[str, Frozen] | None"
)

# Upper ends in seconds: a get is a look into a dict, and whatever takes longer waited for it.
BOUNDS_S = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class UserExecutionContext:
    """The ids of one request, as a value that cannot change (the contract, Context).

    Contexts of one thread and run differ in request_id, and in the connection that asked.
    created_at is when the session began, in clock seconds. Raises InvalidContextError for a
    field that breaks a rule.
    """

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    websocket_client_id: str | None = None
    websocket_connection_id: str | None = None
    created_at: float = 0.0
    # Compared, but left out of the hash, as a read-only mapping has none.
    additional_context: Mapping[str, object] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
    operation_depth: int = 0

    def __post_init__(self) -> None:
        for name in ("user_id", "thread_id", "run_id", "request_id"):
            check_id(name, getattr(self, name))
        check_optional_id("websocket_client_id", self.websocket_client_id)
        check_optional_id("websocket_connection_id", self.websocket_connection_id)
        check_depth(self.operation_depth)
        additional = frozen_mapping("additional_context", self.additional_context)
        object.__setattr__(self, "additional_context", additional)

    def child(self, name: str, ids: UnifiedIdGenerator) -> UserExecutionContext:
        """Return the context of a part of this operation: one deeper, with a request of its own.

        The request id is made by ids. Raises InvalidContextError when that is too deep, and
        InvalidIdRequestError when the name is too long for an operation.
        """
        depth = self.operation_depth + 1
        check_depth(depth)
        _, _, request_id = ids.generate_user_context_ids(self.user_id, name)
        return replace(self, request_id=request_id, operation_depth=depth)


@dataclass(frozen=True, slots=True)
class WebSocketContext:
    """What an event answers: a context, who asked, and which message.

    A context of its own, for which no HTTP request is made up. asker is a connection id, or the
    name of an HTTP request that waits; answers to one who has left are dropped.
    """

    context: UserExecutionContext
    asker: str | None = None
    message_id: str | None = None


def frozen(field: str, value: object) -> Frozen:
    """Copy value with lists as tuples, sets as frozen sets and dicts as read-only mappings.

    Raises InvalidContextError for whatever is not plain data, as a database session is not.
    """
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, list | tuple):
        return tuple(frozen(field, item) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(frozen(field, item) for item in value)
    if isinstance(value, Mapping):
        return frozen_mapping(field, value)
    raise InvalidContextError(field, value, "hold plain data only: no objects")


def frozen_mapping(field: str, value: Mapping[str, object]) -> Mapping[str, Frozen]:
    """Copy a mapping, read-only to any depth; raises InvalidContextError as frozen does."""
    if not all(isinstance(key, str) for key in value):
        raise InvalidContextError(field, value, "have strings as keys")
    return MappingProxyType({key: frozen(field, item) for key, item in value.items()})


class Contexts:
    """The getter: the only way to a context, once per message, at the entry.

    All refuse with InvalidContextError or SessionLimitError before they change anything. times
    is how long the gets took that did not refuse.
    """

    def __init__(
        self,
        ids: UnifiedIdGenerator,
        registry: Registry,
        clock: Clock,
    ) -> None:
        self.times = ContextTimes()
        self._clock = clock
        self._ids = ids
        self._registry = registry

    def get_user_execution_context(
        self, user_id: str, thread_id: str | None = None, run_id: str | None = None
    ) -> UserExecutionContext:
        """Return the context of a thread's session, or of the user's latest, or of a new one."""
        asked_at_s = self._clock.now()
        context = self.context_of(self._registry.visit(user_id, thread_id, run_id))
        self.times.observe(self._clock.now() - asked_at_s)
        return context

    def accept_message(
        self, user_id: str, thread_id: str | None, run_id: str | None, connection_id: str | None
    ) -> tuple[UserExecutionContext, Visit]:
        """Return the context of a message that came by a connection, and what its get found."""
        asked_at_s = self._clock.now()
        visit = self._registry.accept(user_id, thread_id, run_id)
        context = self.context_of(visit, connection_id)
        self.times.observe(self._clock.now() - asked_at_s)
        return context, visit

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
        # The context copies it again; here it must be refused before a session is made.
        frozen_mapping("additional_context", additional_context or {})
        visit = self._registry.visit_by_connection(user_id)
        connection_id = websocket_id or self._ids.generate_websocket_connection_id(user_id)
        return self.context_of(visit, connection_id, additional_context)

    def context_of(
        self,
        visit: Visit,
        connection_id: str | None = None,
        additional_context: Mapping[str, object] | None = None,
    ) -> UserExecutionContext:
        """Put the ids that a get found into a context."""
        return UserExecutionContext(
            user_id=visit.user_id,
            thread_id=visit.thread_id,
            run_id=visit.run_id,
            request_id=visit.request_id,
            websocket_client_id=visit.websocket_client_id,
            websocket_connection_id=connection_id,
            created_at=visit.created_at_s,
            additional_context=additional_context or {},
        )


class ContextTimes:
    """A histogram, all 0 at the start; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sum_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    def observe(self, seconds: float) -> None:
        """Count a time; one of exactly an upper end is below it."""
        with self._lock:
            self._counts[bisect_left(BOUNDS_S, seconds)] += 1
            self._sum_s += seconds

    def sum_s(self) -> float:
        return self._sum_s

    def buckets(self) -> list[tuple[str, int]]:
        """Return the count up to each upper end, the last of which is +Inf: that of all."""
        with self._lock:
            counts = list(accumulate(self._counts))
        ends = [*map(str, BOUNDS_S), "+Inf"]
        return list(zip(ends, counts, strict=True))
