"""A driver: the operations of a model as calls on one system; it decides nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Hashable, Mapping
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar, get_args

from .bounds import Bounded
from .clock import VirtualClock
from .clocked import give
from .inline import inline_aiosqlite, inline_anyio
from .known import Known
from .model import Census, Model
from .pump import Pump, is_pumped, running_schedule
from .schedule import Answered

M = TypeVar("M", bound=Model)
ASKS_THE_SYSTEM = True  # outside of steps: see outcomes.is_the_systems
HARNESS_OWN = frozenset({"clock", "_pump", "_abandoned", "_told"})  # attributes of a driver


class DriverError(TypeError):
    """A driver is not as a driver must be; says what it did, and what to write instead."""


class Driver(Generic[M]):
    """Reaches one system: derive from `Driver[YourModel]`, a method for each operation.

    A method is called as the model's, real ids in place of handles. It is plain or `async` (then
    awaited in virtual time), and returns plain values. An operation without a method is lacking,
    and not tried. The settings of the run are given to the constructor, those that it takes.

    refuses: which exception is a refusal, and for which reason, a text or a function of the
      exception; the first that fits counts.
    through: the attribute whose methods serve the operations that have none here.
    clocked: modules in which `time` and `datetime` are virtual until the run is over.
    threaded: for a system that is called from threads: True, or the packages whose lines count.
      With overlap, each operation then runs in a thread, and threads are switched at those lines.
    mutates: whether the lists, dicts and sets that a method returns are changed once it has
      returned, as its caller may; False for a system that may hand out what it keeps.
    pinned: settings that this system has fixed, and that a scenario would draw otherwise.
    policy: where systems legitimately differ; given to the model.
    bounds: what may be held at most, at any time. foreign: packages that leak hunts leave alone.
    known: failures that are known, and are not told as new; known.toml has them for a project.
    """

    model: ClassVar[type[Model]]
    policy: ClassVar[Any] = None  # Any: each model has a type of its own
    refuses: ClassVar[Mapping[type[BaseException], str | Callable[[Any], str]]] = {}
    through: ClassVar[str] = ""
    clocked: ClassVar[tuple[ModuleType, ...]] = ()
    threaded: ClassVar[bool | tuple[str, ...]] = False
    mutates: ClassVar[bool] = True
    pinned: ClassVar[Mapping[str, object]] = {}
    bounds: ClassVar[tuple[Bounded, ...]] = ()
    foreign: ClassVar[tuple[str, ...]] = ()
    known: ClassVar[tuple[Known, ...]] = ()

    clock: VirtualClock
    _pump: Pump | None = None
    _abandoned: tuple[Pump, ...] = ()
    _told: dict[object, list[object]] | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in vars(cls).get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Model):
                    cls.model = argument
        if cls.through and hasattr(cls, "model"):
            for kind in cls.model.kinds():
                if not hasattr(cls, kind):
                    setattr(cls, kind, _passed(cls.through, kind))

    def __new__(cls, *_args: Any, **_settings: Any) -> Driver[M]:
        driver = super().__new__(cls)
        driver.clock = VirtualClock()
        if cls.clocked:
            give(cls.clocked, driver.clock, driver._sleep)
        return driver

    @classmethod
    def start(cls) -> None:
        """Make what is dear and serves all runs of a worker: a server, tables, a template.

        Called once in each process that plays runs, before the first.
        """

    def reset(self) -> None:
        """Clean the system, so that the next run finds it as if it had just been made.

        Define it where that is cheaper than to make a driver anew. Still, one run in 20 is played
        on a new driver, and so is every failure before it is reported. If it raises, the next run
        is played on a new driver. The clock is not set back.
        """
        raise NotImplementedError

    def census(self) -> Census | None:
        """Return what the system says it holds, or None if it cannot tell.

        A part of the model's census that is left out is not compared.
        """
        return None

    def roots(self) -> Mapping[str, object]:
        """Return what the system is held by: its own object, its loop, its modules, by name.

        What grows is looked for from here; nothing of the driver's own belongs to it. Without an
        override it is what the driver's attributes lead to.
        """
        own = {name: value for name, value in vars(self).items() if name not in HARNESS_OWN}
        return own if self._pump is None else {**own, "loop": self._pump.loop}

    def discard_notes(self) -> None:
        """Drop what was noted for the next census: a run was torn down, and is repeated."""
        self.census()
        self._close_abandoned()

    def close(self) -> None:
        """Give back everything that the system holds: the run is over.

        The pump is closed in any case, whether or not an override calls this method.
        """
        if self._pump is not None:
            self._pump.close()

    def tell(self, to: Hashable, what: object) -> None:
        """Note that somebody was told something: call it in callbacks, handlers and sockets.

        It becomes part of the outcome of the operation that is going on.
        """
        self._told = self._told or {}
        self._told.setdefault(to, []).append(what)

    async def io(self) -> None:
        """Take as long as an I/O does: await it where a peer or a store in memory stands for one.

        Where operations overlap, others may go on meanwhile; else no time passes.
        """
        schedule = running_schedule()
        if schedule is not None:
            answered = Answered(asyncio.get_running_loop().create_future(), lambda: None)
            schedule.take(answered)
            await answered.future

    def abandon(self) -> None:
        """Leave all that goes on where it is, for good: the process of the system has crashed.

        Call it in a plain method, before the system is made anew on what it has stored. What was
        under way never goes on, no `finally` runs before the run is over, and whoever has waited
        for it gets no answer. Raises DriverError in an `async` method, which would be left, too,
        and for a system in threads, which cannot be left.
        """
        if self.threaded:
            raise DriverError("abandon() cannot leave threads where they are; write no crash here")
        if is_pumped():
            message = (
                "abandon() was called in an async method, which it would leave where it is as well;"
                " make the method plain, and call what is async by self.pump.call(...)"
            )
            raise DriverError(message)
        if self._pump is None:
            return
        before, self._pump = self._pump, Pump(self.clock)
        before.hand_over(self._pump)
        self._abandoned += (before,)

    def _close_abandoned(self) -> None:
        """End what was abandoned, once that can do no harm."""
        pumps, self._abandoned = self._abandoned, ()
        for pump in pumps:
            pump.close()

    def wait(self, seconds: float) -> None:
        """Advance virtual time, from one timer to the next: serves an operation `wait`."""
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        if self._pump is None or is_pumped():  # within the loop, time passes for who sleeps alone
            self.clock.advance(seconds)
        else:
            self._pump.advance(seconds)

    @property
    def pump(self) -> Pump:
        """The loop that `async` methods are awaited on, made when it is first needed."""
        inline_aiosqlite()  # each time: a system may load them late
        inline_anyio()
        if self._pump is None:
            self._pump = Pump(self.clock)
        return self._pump

    @pump.setter
    def pump(self, pump: Pump) -> None:
        self._pump = pump


def _passed(through: str, kind: str) -> Any:
    def passed(self: Driver[Any], *arguments: object) -> object:
        return getattr(getattr(self, through), kind)(*arguments)

    passed.__name__ = kind
    return passed


def modules_of(package: str) -> dict[str, ModuleType]:
    """Return the modules of a package that are loaded, by name: roots for a driver to name."""
    near = [name for name in sys.modules if name.startswith(package)]  # as this is often asked
    names = [name for name in near if name.partition(".")[0] == package]
    return {name: sys.modules[name] for name in sorted(names)}


def end(driver: Driver[Any]) -> None:
    """Close a driver, and its loop whatever comes of that."""
    try:
        try:
            driver._close_abandoned()
        finally:
            driver.close()
    finally:
        if driver._pump is not None:
            driver._pump.close()
