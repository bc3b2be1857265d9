"""Turn plain data into data that nobody can change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from sessions.errors import InvalidContextError

Frozen: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Frozen, ...] | frozenset[Frozen]"
    " | Mapping[str, Frozen] | None"
)


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
