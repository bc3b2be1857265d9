"""What a system returns is its caller's own: a copy is compared, and the original changed.

So a system that hands out what it keeps is found, where the next look at it differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..outcome import CHANGED

Copies = dict[int, Any]


def handed(value: Any) -> Any:
    """Return a copy of a value, and change the lists, dicts and sets in it, to any depth.

    Objects of other types, and of types derived from these, are neither copied nor changed.
    """
    way = WAYS.get(type(value))
    return value if way is None else way(value, {})


def _handed(value: Any, copies: Copies) -> Any:
    way = WAYS.get(type(value))
    if way is None:
        return value
    return copies[id(value)] if id(value) in copies else way(value, copies)


def _list(value: list[Any], copies: Copies) -> list[Any]:
    copy = copies[id(value)] = []
    copy += [_handed(item, copies) for item in value]
    value.append(CHANGED)
    return copy


def _dict(value: dict[Any, Any], copies: Copies) -> dict[Any, Any]:
    copy = copies[id(value)] = {}
    copy.update([(key, _handed(item, copies)) for key, item in value.items()])
    value[CHANGED] = CHANGED
    return copy


def _set(value: set[Any], copies: Copies) -> set[Any]:
    copy = copies[id(value)] = value.copy()
    value.add(CHANGED)
    return copy


def _tuple(value: tuple[Any, ...], copies: Copies) -> tuple[Any, ...]:
    items = tuple([_handed(item, copies) for item in value])
    same = all(one is other for one, other in zip(items, value, strict=True))
    return value if same else items


WAYS: dict[type, Callable[[Any, Copies], Any]] = {
    list: _list,
    dict: _dict,
    set: _set,
    tuple: _tuple,
}
