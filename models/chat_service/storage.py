"""The places that storage takes: those of the pool, and the one of SQLite's only writer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from models.chat_service.processes import Gate, Place, Places, Processes, Wait
from models.chat_service.settings import Settings
from models.chat_service.turns import StorageFailed
from models.session_manager.clock import Clock

T = TypeVar("T")


class PoolTimeout(Exception):
    """No place came free in time."""


# Of storage errors; a commit that the disk refuses is of none of the kinds that the log knows.
KINDS: dict[type[Exception], str] = {PoolTimeout: "pool_timeout", StorageFailed: "other"}


class Storage:
    """Does what a process asks for once it has its places, and gives them back.

    Where operations overlap, that it is done is one moment, and that it is known is another.
    noted: how often the log was told that something could not be stored or read, by the kind of
    error.
    """

    def __init__(self, settings: Settings, clock: Clock, processes: Processes) -> None:
        self.pool = Places(settings.pool_size)
        self.writers = Places(1)
        self.noted: dict[str, int] = {}
        self._timeout_s = settings.pool_timeout_s
        self._clock = clock
        self._processes = processes

    def note(self, error: Exception) -> None:
        """Note an error, if it is one of storage."""
        if kind := KINDS.get(type(error)):
            self.noted[kind] = self.noted.get(kind, 0) + 1

    def read(self, function: Callable[[], T]) -> Generator[Wait, bool, T]:
        """Read with a place; raises PoolTimeout."""
        return self._at_a_moment([self.pool], function)

    def write(self, function: Callable[[], T]) -> Generator[Wait, bool, T]:
        """Write with a place, and then that of writers; raises PoolTimeout and StorageFailed."""
        return self._at_a_moment([self.pool, self.writers], function)

    def _at_a_moment(
        self, wanted: list[Places], function: Callable[[], T]
    ) -> Generator[Wait, bool, T]:
        yield Gate()
        done = yield from self._with_places(wanted, function)
        yield Gate()
        return done

    def _with_places(
        self, wanted: list[Places], function: Callable[[], T]
    ) -> Generator[Wait, bool, T]:
        taken: list[Places] = []
        try:
            for places in wanted:
                if not (yield Place(places, self._clock.now_s + self._timeout_s)):
                    raise PoolTimeout
                taken.append(places)
            return function()
        finally:
            for places in reversed(taken):
                self._processes.give_back(places)
