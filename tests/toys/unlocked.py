"""Five small stores that are called from threads, each with a race, and each again with a lock."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Condition, Lock, RLock
from typing import Any, ClassVar

from threadline import Census, Driver, Handle, Model, Scenario, operation, pool

KEYS = pool("a", "b")


class Counts(Model):
    """Numbers by key, which are added to; who asks for a desk gets the one that the key has."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.desks: dict[str, Handle] = {}

    @operation(key=KEYS)
    def add(self, key: str) -> int:
        """Add one to a number, and return what it is then."""
        self.numbers[key] = self.numbers.get(key, 0) + 1
        return self.numbers[key]

    @operation(key=KEYS)
    def desk(self, key: str) -> Handle:
        """Return the desk of a key, which it has from now on."""
        if key not in self.desks:
            self.desks[key] = self.new("d")
        return self.desks[key]

    @operation
    def total(self) -> int:
        """Return the sum of all numbers."""
        return sum(self.numbers.values())

    def census(self) -> Census:
        return {"numbers": dict(self.numbers), "desks": dict(self.desks)}


class Store:
    """Does one thing after the other, under one lock."""

    def __init__(self) -> None:
        self.lock: Any = RLock()
        self.numbers: dict[str, int] = {}
        self.desks: dict[str, str] = {}

    def add(self, key: str) -> int:
        with self.lock:
            number = self.numbers.get(key, 0)
            self.numbers[key] = number + 1
            return number + 1

    def desk(self, key: str) -> str:
        with self.lock:
            if key not in self.desks:
                self.desks[key] = f"desk {len(self.desks)} of {key}"
            return self.desks[key]

    def total(self) -> int:
        with self.lock:
            total = 0
            for number in self.numbers.values():
                total += number
            return total


class LosesUpdates(Store):
    """Reads a number, and writes it back later: what was added meanwhile is lost."""

    def add(self, key: str) -> int:
        number = self.numbers.get(key, 0)
        self.numbers[key] = number + 1
        return number + 1


class ChecksThenInserts(Store):
    """Looks whether a key has a desk, and gives it one later: two callers can both do so."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0

    def desk(self, key: str) -> str:
        if key not in self.desks:
            self.given += 1
            self.desks[key] = f"desk {self.given} of {key}"
        return self.desks[key]


class Iterates(Store):
    """Goes through a dict to which others add meanwhile."""

    def total(self) -> int:
        total = 0
        for number in self.numbers.values():
            total += number
        return total


class LocksCrosswise(Store):
    """Takes two locks, in another order to add than to sum up."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = Lock(), Lock()

    def add(self, key: str) -> int:
        with self.one:  # noqa: SIM117  # two lines, between which threads are switched
            with self.other:
                return super().add(key)

    def total(self) -> int:
        with self.other:  # noqa: SIM117  # as above
            with self.one:
                return super().total()


class LocksInOrder(LocksCrosswise):
    """Takes two locks, always in the same order."""

    def total(self) -> int:
        with self.one:  # noqa: SIM117  # two lines, between which threads are switched
            with self.other:
                return Store.total(self)


class PublishesEarly(Store):
    """Puts an entry into its cache, and fills it later: another caller finds it empty."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: dict[str, dict[str, str]] = {}

    def desk(self, key: str) -> str:
        if key not in self.cache:
            entry: dict[str, str] = {}
            self.cache[key] = entry
            self.fill(entry, key)
        return self.cache[key].get("desk", "")

    def fill(self, entry: dict[str, str], key: str) -> None:
        with self.lock:
            entry["desk"] = self.desks.setdefault(key, f"desk of {key}")


class FillsFirst(PublishesEarly):
    """Fills an entry, and puts it into its cache then."""

    def desk(self, key: str) -> str:
        if key not in self.cache:
            entry: dict[str, str] = {}
            self.fill(entry, key)
            self.cache[key] = entry
        return self.cache[key].get("desk", "")


class Queues(Store):
    """Lets one caller in after the other, by a condition, and by a lock that it tries to get."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = Lock()
        self.free = Condition()
        self.is_taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self.free:
            while self.is_taken:
                self.free.wait(timeout=3.0)
            self.is_taken = True
        yield
        with self.free:
            self.is_taken = False
            self.free.notify_all()

    def add(self, key: str) -> int:
        with self.turn():
            number = self.numbers.get(key, 0)
            self.numbers[key] = number + 1
        return number + 1

    def total(self) -> int:
        with self.turn():
            return sum(self.numbers.values())


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
        time.sleep(3_600)
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


@dataclass(eq=False)
class Stands(Store):
    """Has locks in all places in which one can stand."""

    of_class: ClassVar[Any] = RLock()
    own: Any = field(default_factory=Lock)
    numbers: dict[str, int] = field(default_factory=dict)
    desks: dict[str, str] = field(default_factory=dict)

    def add(self, key: str) -> int:
        with MODULE_LOCK, self.of_class, self.own:
            number = self.numbers.get(key, 0)
            self.numbers[key] = number + 1
            return number + 1

    def total(self) -> int:
        with self.own:
            return sum(self.numbers.values())


class StoreDriver(Driver[Counts]):
    """Reaches a store that is right."""

    through = "store"
    threaded: ClassVar[bool | tuple[str, ...]] = True
    kind: ClassVar[type[Store]] = Store

    def __init__(self) -> None:
        self.store = self.kind()

    def census(self) -> Census:
        return {"numbers": dict(self.store.numbers), "desks": dict(self.store.desks)}


class Losing(StoreDriver):
    """Reaches LosesUpdates."""

    kind = LosesUpdates


class Inserting(StoreDriver):
    """Reaches ChecksThenInserts."""

    kind = ChecksThenInserts


class Iterating(StoreDriver):
    """Reaches Iterates."""

    kind = Iterates


class Crossing(StoreDriver):
    """Reaches LocksCrosswise."""

    kind = LocksCrosswise


class Publishing(StoreDriver):
    """Reaches PublishesEarly."""

    kind = PublishesEarly


class Ordering(StoreDriver):
    """Reaches LocksInOrder."""

    kind = LocksInOrder


class Filling(StoreDriver):
    """Reaches FillsFirst."""

    kind = FillsFirst


class Queueing(StoreDriver):
    """Reaches Queues."""

    kind = Queues


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


class AtOnce(Scenario[Counts]):
    """Threads at once."""

    overlap = True
