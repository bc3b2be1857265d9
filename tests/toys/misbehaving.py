"""Drivers of systems that misbehave in every way that we know of, over a model of one cell."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from hypothesis.errors import Flaky, StopTest, UnsatisfiedAssumption
from threadline import Census, Driver, Model, Operation, operation, pool


class Cell(Model):
    """A number that is put and got; a system in a bad mood misbehaves where it is got."""

    settings = {"mood": pool("good", "calm", "fine", "bad")}

    def __init__(self, mood: str = "good") -> None:
        self.value = 0

    @operation(value=pool(0, 1))
    def put(self, value: int) -> None:
        """Keep a number."""
        self.value = value

    @operation
    def get(self) -> int:
        """The number that was put last."""
        return self.value

    def census(self) -> Census:
        return {"value": self.value}

    def teardown(self) -> list[Operation]:
        return [Cell.put(0)]


class CellDriver(Driver[Cell]):
    """Keeps the number as it must."""

    def __init__(self, mood: str = "good") -> None:
        self.is_bad = mood == "bad"
        self.value = 0

    def put(self, value: int) -> None:
        self.value = value

    def get(self) -> Any:
        return self.misbehave() if self.is_bad else self.value

    def misbehave(self) -> Any:
        return self.value

    def census(self) -> Any:
        return {"value": self.value}


def doing(act: Callable[[], object]) -> type[CellDriver]:
    """Return a driver that does this in place of answering, when it is in a bad mood."""

    class Misbehaving(CellDriver):
        def misbehave(self) -> Any:
            return act()

    return Misbehaving


def throw(error: BaseException) -> NoReturn:
    raise error


def raising(error: BaseException) -> type[CellDriver]:
    return doing(lambda: throw(error))


def wait() -> None:
    """Wait for ever, without the interpreter: a lock that nobody gives back."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def kill(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


# What is raised.
RaisesValueError = raising(ValueError("no"))
RaisesMemoryError = raising(MemoryError())
RaisesSystemExit = raising(SystemExit(0))
RaisesKeyboardInterrupt = raising(KeyboardInterrupt())
RaisesGeneratorExit = raising(GeneratorExit())
RaisesStopIteration = raising(StopIteration())
RaisesCancelled = raising(asyncio.CancelledError())
RaisesAssumption = raising(UnsatisfiedAssumption())
RaisesStopTest = raising(StopTest(0))
RaisesFlaky = raising(Flaky("not the same"))


class OwnBase(BaseException):
    """An exception of the system's own, which is no Exception."""


class Mute(Exception):
    """An exception that cannot be told."""

    def __str__(self) -> str:
        raise OwnBase


RaisesOwnBase = raising(OwnBase("mine"))
RaisesMute = raising(Mute())
RaisesMuch = raising(ValueError("x" * 200_000_000))


def _recurse() -> int:
    return 1 + _recurse()


Recurses = doing(_recurse)


def raising_later(error: BaseException) -> type[CellDriver]:
    """Return a driver that raises in a coroutine."""

    class Raising(CellDriver):
        async def get(self) -> Any:
            if self.is_bad:
                raise error
            return self.value

    return Raising


AsyncKeyboardInterrupt = raising_later(KeyboardInterrupt())
AsyncGeneratorExit = raising_later(GeneratorExit())

# What ends the process.
ExitsWith0 = doing(lambda: os._exit(0))
ExitsWith1 = doing(lambda: os._exit(1))
ExitsWith70 = doing(lambda: os._exit(70))
ExitsWith71 = doing(lambda: os._exit(71))
Aborts = doing(lambda: kill(signal.SIGABRT))
Terminates = doing(lambda: kill(signal.SIGTERM))
Kills = doing(lambda: kill(signal.SIGKILL))
BecomesAnother = doing(lambda: os.execv("/bin/true", ["true"]))


def _segfault() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


Segfaults = doing(_segfault)


def _exit_later() -> None:
    threading.Timer(0.0, lambda: os._exit(0)).start()
    wait()


ExitsOnAThread = doing(_exit_later)

# What hangs.
HangsOnALock = doing(wait)
HangsInSleep = doing(lambda: time.sleep(600))
HangsInALoop = doing(lambda: any(iter(int, 1)))


class HangsInACoroutine(CellDriver):
    """Awaits what never comes."""

    async def get(self) -> Any:
        if self.is_bad:
            await asyncio.Event().wait()
        return self.value


def at(place: str, act: Callable[[], object]) -> type[CellDriver]:
    """Return a driver that does this when one of its methods is called, in a bad mood."""
    own = getattr(CellDriver, place)

    def method(self: CellDriver) -> Any:
        return act() if self.is_bad else own(self)

    return type("Misbehaving", (CellDriver,), {place: method})


def when_made(act: Callable[[], object]) -> type[CellDriver]:
    """Return a driver that does this when a run begins, in a bad mood."""

    class Misbehaving(CellDriver):
        def __init__(self, mood: str = "good") -> None:
            super().__init__(mood)
            if self.is_bad:
                act()

    return Misbehaving


def starting(act: Callable[[], object]) -> type[CellDriver]:
    """Return a driver that does this before there is a run."""
    return type("Misbehaving", (CellDriver,), {"start": classmethod(lambda _: act())})


HangsInCensus = at("census", wait)
HangsWhenClosed = at("close", wait)
HangsWhenMade = when_made(wait)
HangsWhenStarted = starting(wait)

# What goes wrong beside the steps.
RaisesWhenClosed = at("close", lambda: throw(OSError("cannot be closed")))
ExitsWhenClosed = at("close", lambda: os._exit(0))
RaisesWhenMade = when_made(lambda: throw(OSError("cannot be made")))
ExitsWhenMade = when_made(lambda: os._exit(3))
ExitsWhenStarted = starting(lambda: os._exit(0))
RaisesWhenStarted = starting(lambda: throw(OSError("cannot be started")))
RaisesInRoots = at("roots", lambda: throw(OSError("no roots")))
RaisesInNotes = at("discard_notes", lambda: throw(OSError("no notes")))


# What is returned.
class Explosive:
    """A value that bears nothing: not to be compared, printed, hashed or looked at."""

    def _explode(self, *_: object) -> NoReturn:
        raise OwnBase("do not touch")

    __eq__ = __ne__ = __hash__ = __repr__ = __str__ = __len__ = __iter__ = _explode
    __bool__ = __getattr__ = _explode


class ExplosiveNumber(int):
    """A number that bears nothing."""

    def _explode(self, *_: object) -> NoReturn:
        raise OwnBase("do not touch")

    __eq__ = __hash__ = __repr__ = _explode


class Undying:
    """A value that raises when it is freed."""

    def __del__(self) -> None:
        raise OwnBase("not yet")


def nested() -> object:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


def nested_mapping() -> object:
    value: dict[str, object] = {}
    for _ in range(100_000):
        value = {"in": value}
    return value


ReturnsExplosive = doing(Explosive)
ReturnsExplosiveNumber = doing(lambda: ExplosiveNumber(0))
ReturnsExplosiveKey = doing(lambda: {"key": [ExplosiveNumber(0)]})
ReturnsUndying = doing(Undying)
ReturnsNested = doing(nested)
ReturnsNestedMapping = doing(nested_mapping)
ReturnsMuch = doing(lambda: "x" * 200_000_000)
ReturnsMuchOfBytes = doing(lambda: bytes(200_000_000))


def holding(make: Callable[[], object]) -> type[CellDriver]:
    """Return a driver that tells of this in its census, when it is in a bad mood."""

    class Holding(CellDriver):
        def census(self) -> Any:
            return {"value": make() if self.is_bad else self.value}

    return Holding


HoldsExplosive = holding(lambda: ExplosiveNumber(0))
HoldsNested = holding(nested)
RaisesInCensus = holding(lambda: throw(OwnBase()))


# What is done to the process, and a wrong answer.
def and_wrong(act: Callable[[], object]) -> type[CellDriver]:
    def both() -> object:
        act()
        return "wrong"

    return doing(both)


def _limit_memory() -> None:
    limit = 1 << 29
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    bytearray(2 * limit)


def _hoard() -> None:
    """Hold 600 MiB, and wait for someone to end it."""
    held = bytearray(os.urandom(1 << 20) * 600)
    wait()
    del held


Hoards = doing(_hoard)


def _write_everywhere() -> None:
    for descriptor in range(3, 1 << 16):
        with suppress(OSError):
            os.write(descriptor, b"mine\n")


def _fork_and_come_back() -> object:
    os.fork()
    return "wrong"


def _fork_and_wait() -> None:
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def _flood() -> None:
    for _ in range(2_000):
        print("x" * 79)
        print("y" * 79, file=sys.stderr)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)


def _raise_at_sigint() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)


ExceedsItsMemory = doing(_limit_memory)
ClosesLowDescriptors = and_wrong(lambda: os.closerange(0, 21))
ClosesAllDescriptors = doing(lambda: os.closerange(3, 1 << 16))
WritesToAllDescriptors = and_wrong(_write_everywhere)
ForksAndComesBack = doing(_fork_and_come_back)
ForksAChild = and_wrong(_fork_and_wait)
StartsAThread = and_wrong(lambda: threading.Thread(target=time.sleep, args=(600,)).start())
ChangesTheFolder = and_wrong(lambda: os.chdir("/"))
IgnoresSignals = and_wrong(_ignore_signals)
InterruptsItself = doing(_raise_at_sigint)
LowersRecursion = and_wrong(lambda: sys.setrecursionlimit(120))
RaisesRecursionLimit = and_wrong(lambda: sys.setrecursionlimit(10**6))
Floods = and_wrong(_flood)
ClosesStandardStreams = and_wrong(lambda: (sys.stdout.close(), sys.stderr.close()))


class LeavesAThread(CellDriver):
    """Starts a thread in each get, which never ends."""

    def get(self) -> Any:
        threading.Thread(target=time.sleep, args=(600,)).start()
        return self.value


class LeavesAChild(CellDriver):
    """Forks a process in each get, which does not end while the campaign does."""

    def get(self) -> Any:
        _fork_and_wait()
        return self.value


class TakesItsTime(CellDriver):
    """Takes a tenth of a second for each call: more than a second for a run that is repeated."""

    def get(self) -> Any:
        threading.Event().wait(0.1)
        return self.value

    def put(self, value: int) -> None:
        threading.Event().wait(0.1)
        self.value = value


# Whose fault is the driver's own, or the model's.
class HoldsAList(CellDriver):
    """A driver whose census is none."""

    def census(self) -> Any:
        return [self.value]


class HoldsUnknown(CellDriver):
    """A driver whose census has a part that the model does not know."""

    def census(self) -> Any:
        return {"number": self.value}


class Broken(Cell):
    """A model that is wrong itself."""

    @operation
    def get(self) -> int:
        """Fail."""
        raise ZeroDivisionError("in the model")


class DrivesBroken(Driver[Broken]):
    """Drives the model that is wrong."""

    pinned = {"mood": "good"}

    def put(self, value: int) -> None:
        """Keep nothing."""

    def get(self) -> int:
        return 0


class LosesItsLastBreath(CellDriver):
    """Ends its process on a full disk: nothing that is longer than a page can be written."""

    @classmethod
    def start(cls) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def misbehave(self) -> Any:
        os._exit(0)


class FillsTheDisk(LosesItsLastBreath):
    """Answers wrongly on a full disk."""

    def misbehave(self) -> Any:
        return "wrong"
