"""What an object holds, edge by edge: a label for the reader, and the object at its end."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, ContextVar
from functools import _lru_cache_wrapper, partial
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any, TypeAlias
from weakref import ReferenceType

from ..driver import Driver
from .variables import Variables

ASKS_THE_SYSTEM = True  # outside of steps: see outcomes.is_the_systems
Edge: TypeAlias = tuple[str, object]
Tell: TypeAlias = Callable[[Any], Iterable[Edge]]

# Of CPython's object.h. What its collector does not track holds nothing that could grow.
_HAS_GC, _IS_HEAP_TYPE = 1 << 14, 1 << 9
_MAPPINGS = (dict,)
_SERIES = (list, tuple, deque, set, frozenset)
_SETS = (set, frozenset)
# A census stops here: these are code, or belong to everybody.
_CODE = (type, ModuleType, CodeType, FrameType, TracebackType, property, MemberDescriptorType)
_EVERYBODYS = (GetSetDescriptorType, ReferenceType, Context, ContextVar)
_LOGGING = (logging.Filterer, logging.Manager, logging.Formatter)
# What a driver notes is not the system's, though its `tell` was handed to it.
_OPAQUE = (*_CODE, *_EVERYBODYS, *_LOGGING, Driver)
_SUSPENDED = (CoroutineType, GeneratorType, AsyncGeneratorType)


class Edges:
    """Knows what objects hold; how to look at a type is decided once, and kept.

    Looking changes nothing: no property is called, no future asked for its exception, no frame made
    to write its locals down.
    """

    def __init__(self) -> None:
        self._known: dict[type, Tell | None] = {}
        self._variables = Variables(is_code)
        self._foreign: tuple[str, ...] = ()

    def stop_at(self, packages: tuple[str, ...]) -> None:
        """Leave objects alone whose classes are from these packages."""
        if packages != self._foreign:
            self._foreign = packages
            self._known.clear()

    def of(self, holder: object) -> Iterable[Edge]:
        """Yield what an object holds, without what holds nothing itself; cost: what it holds."""
        kind = type(holder)
        try:
            tell = self._known[kind]
        except KeyError:
            tell = self._known[kind] = self._tell(kind)
        return tell(holder) if tell is not None else ()

    def is_leaf(self, kind: type) -> bool:
        """Return whether objects of this type are not looked at."""
        if kind not in self._known:
            self._known[kind] = self._tell(kind)
        return self._known[kind] is None

    def _tell(self, kind: type) -> Tell | None:
        """Return how to look at objects of a type; None where there is nothing to see."""
        if issubclass(kind, ModuleType):
            return self._variables.of
        if issubclass(kind, bytearray):
            return _nothing
        if is_code(kind) or not kind.__flags__ & _HAS_GC:
            return None
        if kind.__module__.partition(".")[0] in self._foreign:
            return None
        special = next((tell for base, tell in _SPECIAL if issubclass(kind, base)), None)
        if special is not None:
            return special
        parts = list(self._parts(kind))
        if len(parts) == 1:
            return parts[0]
        return lambda holder: [edge for part in parts for edge in part(holder)]

    def _parts(self, kind: type) -> Iterator[Tell]:
        if issubclass(kind, _MAPPINGS):
            yield self._mapping
        elif issubclass(kind, _SERIES):
            yield self._set if issubclass(kind, _SETS) else self._series
        elif any(not base.__flags__ & _IS_HEAP_TYPE for base in kind.__mro__[:-1]):
            yield _referents
        if kind.__dictoffset__:
            yield self._attributes
        if slots := _slots(kind):
            yield lambda holder: self._slot_values(holder, slots)

    def _mapping(self, holder: dict[object, object]) -> Iterable[Edge]:
        leaf = self.is_leaf
        keys = [("key", key) for key in dict.keys(holder) if not leaf(type(key))]
        return keys + [("[*]", value) for value in dict.values(holder) if not leaf(type(value))]

    def _series(self, holder: Iterable[object]) -> Iterable[Edge]:
        leaf = self.is_leaf
        return [("[*]", item) for item in holder if not leaf(type(item))]

    def _set(self, holder: Iterable[object]) -> Iterable[Edge]:
        # Sets of objects have no order of their own that two processes would share.
        return sorted(self._series(holder), key=lambda edge: type(edge[1]).__qualname__)

    def _attributes(self, holder: object) -> Iterable[Edge]:
        leaf = self.is_leaf
        own: dict[str, object] = getattr(holder, "__dict__", {})  # some of C's hide it
        return [(f".{name}", value) for name, value in own.items() if not leaf(type(value))]

    def _slot_values(
        self, holder: object, slots: list[tuple[str, MemberDescriptorType]]
    ) -> Iterator[Edge]:
        for name, slot in slots:
            try:
                yield name, slot.__get__(holder)
            except AttributeError:  # not set
                continue


def is_code(kind: type) -> bool:
    """Return whether a census stops at objects of this type: code, or what belongs to everybody."""
    return issubclass(kind, _OPAQUE) or kind.__module__ == "typing"


def size(holder: object) -> int | None:
    """Return how much a container holds, atoms included; None for what is no container."""
    if isinstance(holder, (*_MAPPINGS, *_SERIES, bytearray)):
        return len(holder)
    if isinstance(holder, _lru_cache_wrapper):
        return holder.cache_info().currsize
    return None


def is_sized(kind: type) -> bool:
    return issubclass(kind, (*_MAPPINGS, *_SERIES, bytearray, _lru_cache_wrapper))


def _slots(kind: type) -> list[tuple[str, MemberDescriptorType]]:
    found = []
    for owner in kind.__mro__:
        if "__slots__" in vars(owner):
            for name, value in vars(owner).items():
                if isinstance(value, MemberDescriptorType):
                    found.append((f".{name}", value))
    return found


def _loop(loop: Any) -> Iterator[Edge]:
    """Yield the tasks that are not done and the timers that are not cancelled, by their names."""
    for task in live_tasks(loop):
        yield "task", task
    for timer in live_timers(loop):
        yield "timer", timer


def live_tasks(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """Return the tasks of a loop that are not done, in the order of their names."""
    return sorted(asyncio.all_tasks(loop), key=_by_name)


def live_timers(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """Return the timers of a loop that are not cancelled, the first that is due first."""
    scheduled: list[asyncio.TimerHandle] = getattr(loop, "_scheduled", [])
    return sorted((timer for timer in scheduled if not timer.cancelled()), key=lambda t: t.when())


def _by_name(task: asyncio.Task[Any]) -> tuple[int, str]:
    """Return what sorts Task-9 before Task-10: the order of their making."""
    return len(task.get_name()), task.get_name()


def _handle(handle: Any) -> Iterator[Edge]:
    if not handle.cancelled():
        yield "callback", handle._callback
        for argument in handle._args or ():
            yield "argument", argument


def _task(task: Any) -> Iterator[Edge]:
    coroutine = task.get_coro()
    yield "coroutine", coroutine
    for held in gc.get_referents(task):
        if held is not coroutine and not isinstance(held, asyncio.AbstractEventLoop):
            yield "held", held


def _suspended(coroutine: Any) -> Iterator[Edge]:
    awaited = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    for held in gc.get_referents(coroutine):
        if not isinstance(held, FunctionType):  # the coroutine's own
            yield ("await" if held is awaited else "local"), held


def _function(function: FunctionType) -> Iterator[Edge]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            yield f"closure {name}", cell.cell_contents
        except ValueError:  # not set
            continue
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield "default", default


def _method(method: MethodType) -> Iterator[Edge]:
    yield "self", method.__self__


def _builtin(method: BuiltinFunctionType) -> Iterator[Edge]:
    if not isinstance(method.__self__, ModuleType):
        yield "self", method.__self__


def _partial(call: Any) -> Iterator[Edge]:
    yield "function", call.func
    for argument in (*call.args, *call.keywords.values()):
        yield "argument", argument


def _referents(holder: object) -> Iterator[Edge]:
    """Yield what an object of C's holds, whose fields have no names."""
    own = getattr(holder, "__dict__", None)
    for held in gc.get_referents(holder):
        if held is not own and not isinstance(held, asyncio.AbstractEventLoop):
            yield "held", held


def _nothing(_: object) -> Iterable[Edge]:
    return ()


_SPECIAL: tuple[tuple[type | tuple[type, ...], Tell], ...] = (
    (asyncio.AbstractEventLoop, _loop),
    (asyncio.Task, _task),
    (asyncio.Handle, _handle),
    (_SUSPENDED, _suspended),
    (FunctionType, _function),
    (MethodType, _method),
    (BuiltinFunctionType, _builtin),
    (partial, _partial),
    (_lru_cache_wrapper, _nothing),
)
