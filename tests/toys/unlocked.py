"""Five small stores that are called from threads, each with a race, and each again with a lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
            with self.lock:  # which it takes once more to fill it
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


class AtOnce(Scenario[Counts]):
    """Threads at once."""

    overlap = True
