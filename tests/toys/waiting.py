"""Stores whose operations wait, start threads, log, import or hang; and drivers that are wrong."""

from __future__ import annotations

import importlib
import logging
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition, Lock, RLock
from typing import Any, ClassVar

from tests.toys.unlocked import Losing, Store, StoreDriver

logger = logging.getLogger(__name__)


class Waits(Store):
    """Waits for what nobody does, but not for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = Condition()

    def total(self) -> int:
        with self.changed:
            assert not self.changed.wait_for(lambda: False, timeout=3_600)
        with suppress(queue.Empty):
            queue.Queue[int]().get(timeout=3_600)
        time.sleep(3_600)  # the scheduler's own: it takes no real time
        return super().total()


class Spreads(Store):
    """Adds in two threads of its own, each a half, without a lock."""

    def add(self, key: str) -> int:
        threads = [threading.Thread(target=self.half, args=(key,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.numbers[key] // 2

    def half(self, key: str) -> None:
        number = self.numbers.get(key, 0)
        self.numbers[key] = number + 1


class Pools(Store):
    """Adds in a pool of threads."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = ThreadPoolExecutor(2)

    def add(self, key: str) -> int:
        return self.pool.submit(super().add, key).result()


class Dies(Store):
    """Starts a thread that raises, and does not look at it."""

    def add(self, key: str) -> int:
        thread = threading.Thread(target=self.fail)
        thread.start()
        thread.join()
        return super().add(key)

    def fail(self) -> None:
        raise ValueError("gone")


class Spins(Store):
    """Goes round and round until nobody adds."""

    def __init__(self) -> None:
        super().__init__()
        self.adding = 1

    def add(self, key: str) -> int:
        self.adding = 1
        number = super().add(key)
        self.adding = 0
        return number

    def total(self) -> int:
        while self.adding:
            pass
        return super().total()


def held_by_nobody_else() -> Any:
    """Return a function that holds a lock which nothing but itself can find."""
    locks = [Lock()]

    def hold() -> Any:
        return locks[0]

    return hold


HELD = held_by_nobody_else()
MODULE_LOCK = Lock()


class Holds(Store):
    """Adds under a lock that was made when its module was loaded."""

    def add(self, key: str) -> int:
        with HELD():
            number = self.numbers.get(key, 0)
            self.numbers[key] = number + 1
            return number + 1


class Shown:
    """Prints itself in a few lines."""

    def __str__(self) -> str:
        words = ["shown"]
        return " ".join(words)


class Logs(Store):
    """Logs, which holds a lock while an object of its own is printed; imports; leaves garbage."""

    def add(self, key: str) -> int:
        logger.warning("%s", Shown())
        return super().add(key)

    def total(self) -> int:
        sys.modules.pop("tests.toys.late", None)
        late = importlib.import_module("tests.toys.late")
        assert late.VALUE == 2
        return super().total()

    def desk(self, key: str) -> str:
        for _ in range(3):
            Ring()
        return super().desk(key)


class Ring:
    """Holds itself, and counts when the collector comes to it."""

    freed = 0

    def __init__(self) -> None:
        self.own = self

    def __del__(self) -> None:
        Ring.freed += 1
        Ring.freed += 1


@dataclass(eq=False)
class Stands(Store):
    """Has locks in all places in which one can stand."""

    of_class: ClassVar[Any] = RLock()
    own: Any = field(default_factory=Lock)
    numbers: dict[str, int] = field(default_factory=dict)
    desks: dict[str, str] = field(default_factory=dict)

    def add(self, key: str) -> int:
        with MODULE_LOCK:
            number = self.numbers.get(key, 0)
            self.numbers[key] = number + 1
            return number + 1

    def desk(self, key: str) -> str:
        with self.of_class:
            return self.desks.setdefault(key, f"desk of {key}")

    def total(self) -> int:
        with self.own:
            return sum(self.numbers.values())


class Waiting(StoreDriver):
    """Reaches Waits."""

    kind = Waits


class Spreading(StoreDriver):
    """Reaches Spreads."""

    kind = Spreads


class Dying(StoreDriver):
    """Reaches Dies."""

    kind = Dies


class Spinning(StoreDriver):
    """Reaches Spins."""

    kind = Spins


class Holding(StoreDriver):
    """Reaches Holds."""

    kind = Holds


class Standing(StoreDriver):
    """Reaches Stands."""

    kind = Stands


class Logged(StoreDriver):
    """Reaches Logs."""

    kind = Logs


class Resetting(StoreDriver):
    """Cleans its store, and has a method of its own."""

    def reset(self) -> None:
        self.store.numbers.clear()
        self.store.desks.clear()

    def add(self, key: str) -> int:
        store = self.store
        return store.add(key)


class Pooling(StoreDriver):
    """Reaches Pools, which it closes."""

    kind = Pools

    def close(self) -> None:
        assert isinstance(self.store, Pools)
        self.store.pool.shutdown()
        super().close()


class Misnaming(StoreDriver):
    """Says what is threaded as a text."""

    threaded = "unlocked"  # type: ignore[assignment]  # what is wrong with it


class Named(Losing):
    """Says which package is threaded."""

    threaded = ("tests.toys",)


class NamedElse(Losing):
    """Says that another package is threaded."""

    threaded = ("tests.toy", "sessions")


class Awaiting(StoreDriver):
    """Has an async method."""

    async def add(self, key: str) -> int:
        return self.store.add(key)


class Starting(StoreDriver):
    """Starts a thread before there is an operation."""

    def __init__(self) -> None:
        super().__init__()
        self.is_over = threading.Event()
        threading.Thread(target=self.is_over.wait, name="sweeper", daemon=True).start()
