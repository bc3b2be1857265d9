"""The class of a leak: what it is that grows, in the words of a reader."""

from __future__ import annotations

from asyncio import Handle
from collections import deque
from collections.abc import Iterable
from functools import _lru_cache_wrapper, partial
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType

from .reach import LENGTH, Path, Reach

_CALLABLE = (FunctionType, MethodType, BuiltinFunctionType, partial)
_HOLDERS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (dict, "dict entry"),
    (list, "list item"),
    ((set, frozenset), "set member"),
    (deque, "deque item"),
    (tuple, "tuple item"),
    (bytearray, "byte"),
    (_lru_cache_wrapper, "cache entry"),
)
_ONE = {
    "threads": "thread",
    "file descriptors": "file descriptor",
    "child processes": "child process",
    "asynchronous generators": "asynchronous generator",
    "resource warnings": "ResourceWarning",
}


def kind_of(path: Path, reach: Reach) -> str:
    """Return the class of what grows on a path, looking at what a container took last."""
    last = path[-1]
    if len(path) == 1:
        return _ONE.get(last.label, f"{last.label.partition(' ')[2]} held elsewhere")
    if last.label in ("task", "timer"):
        return _task_kind(last.label, reach.objects(path))
    if last.label != LENGTH:
        return last.kind
    containers = reach.objects(path)
    return _container_kind(containers[-1]) if containers else path.holder[-1].kind


def _task_kind(label: str, found: list[object]) -> str:
    waits = any(isinstance(each, Handle) for each in found)
    return "timer" if label == "timer" or waits else "task"


def _container_kind(container: object) -> str:
    word = next((word for base, word in _HOLDERS if isinstance(container, base)), "entry")
    of = _of(_latest(container))
    return f"{word} ({of})" if of else word


def members(container: object) -> list[object]:
    """Return what a container holds: of a dict its values, and where these are None its keys."""
    if isinstance(container, dict):
        return [key if value is None else value for key, value in container.items()]
    return list(container) if isinstance(container, Iterable) else []


def _latest(container: object) -> object:
    """Return what a container took last, where it has an order."""
    if isinstance(container, (set, frozenset)):
        kinds = {type(item).__name__: item for item in islice(container, 100)}
        return kinds[min(kinds)] if kinds else None
    held = members(container)
    return held[-1] if held else None


def _of(value: object) -> str:
    if isinstance(value, _CALLABLE):
        return "callback"
    return "None" if value is None else type(value).__name__
