"""Who a message is for: the ids that every component is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from sessions.errors import InvalidContextError
from sessions.ids import UnifiedIdGenerator
from sessions.validation import check_depth, check_id, check_optional_id

Frozen: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Frozen, ...] | frozenset[Frozen]"
    " | Mapping[str, Frozen] | None"
)


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
