"""Locks that a thread of an operation waits for while the threads of others go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import get_ident
from typing import Protocol

from ..pump import NotDone

# As they are now: while operations run, the names in `threading` and `time` lead to this file.
REAL_LOCK = threading.Lock
REAL_SLEEP = time.sleep
REAL_START, REAL_JOIN = threading.Thread.start, threading.Thread.join
HANG_S = 10.0  # of real time, for which nothing of ours waits without giving up; our choice


class Waiter(Protocol):
    """The thread of an operation, as one of a run in which only one goes on at a time."""

    def wait_until(self, is_over: Callable[[], bool], timeout_s: float) -> bool:
        """Block this thread until `is_over` returns True; return False if the timeout came first.

        Other threads run meanwhile. If the run ends first, this thread is abandoned.
        """
        ...

    def give_way(self, seconds: float) -> None:
        """Run other threads first, as `time.sleep` does."""
        ...

    def now(self) -> float:
        """Return the time that has passed for threads of this run: what timeouts have taken."""
        ...

    def start(self, thread: threading.Thread) -> None:
        """Start a thread of the system's own, which is one of the run then."""
        ...

    def join(self, thread: threading.Thread, timeout_s: float) -> None:
        """Wait until a thread is over."""
        ...


class _Current(threading.local):
    waiter: Waiter | None = None
    plays = False  # whether it plays runs: what it waits for, no operation can give it


# Of the process, because locks are: a system that is reset keeps its own from run to run.
CURRENT_THREAD = _Current()


class Lock:
    """A lock as `threading.Lock` makes it; outside of operations it is one.

    An operation that has to wait for it is put aside until it is free, and has it then.
    """

    def __init__(self) -> None:
        self._lock = REAL_LOCK()
        self._has_waiter = False  # whether an operation has it: those are never left to run

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        waiter = CURRENT_THREAD.waiter
        if self._take(waiter):
            return True
        if not blocking:
            return self._lock.acquire(blocking, timeout)
        if waiter is not None:
            has_it = waiter.wait_until(lambda: self._take(waiter), timeout)
            if CURRENT_THREAD.waiter is waiter:
                return has_it
        return self._acquire_outside(timeout)

    def _take(self, waiter: Waiter | None) -> bool:
        if not self._lock.acquire(False):
            return False
        self._has_waiter = waiter is not None
        return True

    def _acquire_outside(self, timeout: float) -> bool:
        """Acquire it where no operation asks for it: as in a census, or in a thread elsewhere."""
        if not CURRENT_THREAD.plays:
            return self._lock.acquire(True, timeout)
        limit_s = 0.0 if self._has_waiter else HANG_S
        if self._lock.acquire(True, min(limit_s, timeout) if timeout >= 0 else limit_s):
            return True
        if 0 <= timeout <= limit_s:
            return False
        raise NotDone("its turn: nobody gives back the lock that it waits for", "the driver")

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def _is_owned(self) -> bool:
        """Return what a condition asks, which would try to acquire it otherwise."""
        return self._lock.locked()

    def _at_fork_reinit(self) -> None:
        self._lock = REAL_LOCK()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class RLock:
    """A lock as `threading.RLock` makes it, which its owner can take again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._is_owned():
            self._count += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._owner, self._count = get_ident(), 1
        return True

    def release(self) -> None:
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    # What a condition asks of its lock: to let go of it whole, and to have it back as it was.

    def _is_owned(self) -> bool:
        return self._owner == get_ident()

    def _release_save(self) -> int:
        count, self._count = self._count, 0
        self._owner = None
        self._lock.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        self._lock.acquire()
        self._owner, self._count = get_ident(), count

    def _at_fork_reinit(self) -> None:
        self._lock, self._owner, self._count = Lock(), None, 0

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def sleep(seconds: float) -> None:
    """Sleep as `time.sleep` does; a thread of an operation lets others go on, in no time."""
    waiter = CURRENT_THREAD.waiter
    if waiter is None:
        REAL_SLEEP(seconds)
    else:
        waiter.give_way(seconds)


def start(thread: threading.Thread) -> None:
    """Start a thread; one that an operation starts is switched as the operation's own is."""
    waiter = CURRENT_THREAD.waiter
    if waiter is None:
        REAL_START(thread)
    else:
        waiter.start(thread)


def join(thread: threading.Thread, timeout: float | None = None) -> None:
    """Wait until a thread is over."""
    waiter = CURRENT_THREAD.waiter
    if waiter is not None:
        waiter.join(thread, -1 if timeout is None else timeout)
    else:
        REAL_JOIN(thread, timeout)


def now() -> float:
    """Return the time by which `threading` and `queue` reckon how much of a timeout is left."""
    waiter = CURRENT_THREAD.waiter
    return time.monotonic() if waiter is None else waiter.now()
