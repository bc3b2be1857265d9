"""What is lent to a system that is called from threads: locks for those it would make itself."""

from __future__ import annotations

import os
import queue
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from types import CellType, FunctionType, ModuleType, TracebackType
from typing import Any, NamedTuple, TypeAlias

from ..driver import Driver, DriverError
from . import locks

OURS = str(Path(__file__).parents[1])
# The one in C waits in C; its twin in Python is made of a semaphore.
SIMPLE_QUEUE: object = vars(queue)["_PySimpleQueue"]
LENT: tuple[tuple[Any, str, object], ...] = (
    (threading, "Lock", locks.Lock),
    (threading, "_allocate_lock", locks.Lock),
    (threading, "RLock", locks.RLock),
    (threading, "_time", locks.now),  # by which a timeout is reckoned, as in the next
    (queue, "time", locks.now),
    (queue, "SimpleQueue", SIMPLE_QUEUE),
    (time, "sleep", locks.sleep),
    (threading.Thread, "start", locks.start),
    (threading.Thread, "join", locks.join),
)
NOT_ELSEWHERE = ("_time", "time", "start", "join")  # what a system itself has under these names
FACTORIES = {
    id(getattr(where, name)): lent for where, name, lent in LENT if name not in NOT_ELSEWHERE
}
AnyLock: TypeAlias = locks.Lock | locks.RLock
KINDS: dict[type, Callable[[], AnyLock]] = {
    type(threading.Lock()): locks.Lock,
    type(threading.RLock()): locks.RLock,
}


class Counted:
    """Says which code is the system's: its lines are where threads can be switched.

    `threaded` is what a driver says of that: names of packages and modules; or True, for all code
    that is neither Python's, nor installed, nor this library's. The driver's own is never counted.
    """

    def __init__(self, driver: type[Driver[Any]]) -> None:
        self._names = _names(driver)
        self.of_driver = frozenset(
            id(value.__code__)
            for base in driver.__mro__
            for value in vars(base).values()
            if isinstance(value, FunctionType)
        )

    def has(self, module: str, file: str) -> bool:
        """Return whether the code of a module counts."""
        if self._names:
            return any(module == name or module.startswith(f"{name}.") for name in self._names)
        return bool(file) and not file.startswith(("<", *installed()))

    def modules(self) -> Iterator[ModuleType]:
        """Yield the modules that count, of those that are loaded."""
        for name, module in list(sys.modules.items()):
            if isinstance(module, ModuleType) and self.has(name, _file(module)):
                yield module


class Lent(NamedTuple):
    """A name, and what stands there for its own value while threads run."""

    holder: Any
    name: str
    own: object
    lent: object


class Lending(AbstractContextManager[None]):
    """Puts our locks where a system would make or find real ones; a context, entered again and
    again.

    Replaced are `threading.Lock` and `threading.RLock`, which conditions, events, semaphores and
    queues are made of; `time.sleep`; and how a thread is started and joined. In the modules that
    count it is so under any name at their top, in their classes, and in what a dataclass makes a
    field of. A lock that stands there already is replaced too, if nobody has it.
    """

    def __init__(self, counted: Counted) -> None:
        self._entries = [
            Lent(where, name, getattr(where, name), lent) for where, name, lent in LENT
        ]
        self._entries += [
            Lent(holder, name, own, lent)
            for module in counted.modules()
            for holder, name, own in _names_in(module)
            if (lent := _lent_for(own)) is not None
        ]

    def __enter__(self) -> None:
        locks.CURRENT_THREAD.plays = True
        for holder, name, own, lent in self._entries:
            if getattr(holder, name, None) is own:
                setattr(holder, name, lent)

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        for holder, name, own, lent in self._entries:
            if getattr(holder, name, None) is lent:
                setattr(holder, name, own)


@contextmanager
def lent_to(driver: type[Driver[Any]]) -> Iterator[None]:
    """Give a system that is called from threads our locks while the block runs, in no operation.

    Raises DriverError where a thread is started there: no scheduler would switch it.
    """
    if not driver.threaded:
        yield
        return
    before = threading.enumerate()
    with Lending(Counted(driver)):
        yield
    if started := [thread.name for thread in threading.enumerate() if thread not in before]:
        raise DriverError(
            f"{driver.__name__} is threaded, and its system has started {', '.join(started)} when "
            "it was made; let an operation start it, so that it is switched as others are"
        )


def _names(driver: type[Driver[Any]]) -> tuple[str, ...]:
    """Return the packages that a driver names; raises DriverError for what names none."""
    given: Any = driver.threaded
    if given is True:
        return ()
    if isinstance(given, tuple) and given and all(isinstance(name, str) for name in given):
        return given
    raise DriverError(
        f"{driver.__name__}.threaded is {given!r}; write True, or the packages whose lines count: "
        'threaded = ("my_app",)'
    )


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""


@lru_cache
def installed() -> tuple[str, ...]:
    """Return where code is that nobody means when he says: my system."""
    return (f"{OURS}{os.sep}", *(f"{path}{os.sep}" for path in sysconfig.get_paths().values()))


def _names_in(module: ModuleType) -> Iterator[tuple[object, str, object]]:
    """Yield the names of a module in which a lock can stand, or what makes one."""
    for name, value in list(vars(module).items()):
        yield module, name, value
        if isinstance(value, type) and value.__module__ == module.__name__:
            for own, inner in list(vars(value).items()):
                yield value, own, inner
                for cell in getattr(inner, "__closure__", None) or ():
                    yield cell, "cell_contents", _content(cell)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # empty so far
        return None


def _lent_for(own: object) -> object | None:
    """Return what is lent for a value, or None."""
    make = KINDS.get(type(own))
    return FACTORIES.get(id(own)) if make is None else _stand_in(own, make)


def _stand_in(own: Any, make: Callable[[], AnyLock]) -> AnyLock | None:
    """Return the lock that stands for one of a module's, the same in each run; None: it is held."""
    _, known = _stand_ins.get(id(own), (own, None))
    if known is None or known.locked():  # by a thread that was abandoned
        if not own.acquire(False):
            return None
        own.release()
        known = make()
        _stand_ins[id(own)] = (own, known)
    return known


# Of the process, because modules are: what a system has found there once it may keep.
_stand_ins: dict[int, tuple[object, AnyLock]] = {}
