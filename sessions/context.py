"""Who a message is for: the ids that every component is handed, and the rules that they keep."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from threading import Lock
from types import MappingProxyType
from typing import TypeAlias

from sessions.errors import InvalidContextError
from sessions.ids import UnifiedIdGenerator

Frozen: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Frozen, ...] | frozenset[Frozen]"
    " | Mapping[str, Frozen] | None"
)

# Upper ends in seconds: a get is a look into a dict, and whatever takes longer waited for it.
BOUNDS_S = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1.0)

ID_LENGTH_MAX = 256
DEPTH_MAX = 10
PLACEHOLDERS = frozenset({"none", "null", "undefined", "placeholder", "todo"})
NOTHING_MORE: Mapping[str, object] = MappingProxyType({})
# Category Cc is these two ranges and no more; a lone surrogate cannot be encoded as UTF-8.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


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
        default_factory=lambda: NOTHING_MORE, hash=False
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


def check_id(field: str, value: object) -> None:
    """Raise InvalidContextError unless value can be an id (the contract, Context).

    A good id is never changed: trimming and folding happen for the comparison with the
    placeholders only.
    """
    if not isinstance(value, str):
        raise InvalidContextError(field, value, "be a string")
    if not value.strip():
        raise InvalidContextError(field, value, "have a character that is not white space")
    if len(value) > ID_LENGTH_MAX:
        raise InvalidContextError(field, value, f"have at most {ID_LENGTH_MAX} characters")
    if FORBIDDEN.search(value):
        raise InvalidContextError(field, value, "have no control character and no lone surrogate")
    if value.strip().lower() in PLACEHOLDERS:
        raise InvalidContextError(field, value, "name somebody, not stand in for a name")


def check_optional_id(field: str, value: object) -> None:
    """Accept None and the empty string, which both mean "not given", and else check the id."""
    if value is not None and value != "":
        check_id(field, value)


def check_depth(depth: object) -> None:
    """Raise InvalidContextError unless depth is a whole number from 0 to DEPTH_MAX."""
    if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= DEPTH_MAX:
        rule = f"be a whole number from 0 to {DEPTH_MAX}"
        raise InvalidContextError("operation_depth", depth, rule)


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
