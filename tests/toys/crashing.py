"""A log on a disk that outlives its process, and the same with faults that only a crash shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from threadline import Census, Driver, Model, Scenario, operation, pool

TEXTS = pool("hi", "yo")
Io = Callable[[], Awaitable[None]]


class Log(Model):
    """Lines; what was written is there after a crash."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @operation(text=TEXTS)
    def write(self, text: str) -> int:
        """A line is added at the end; its number comes back."""
        self.lines.append(text)
        return len(self.lines)

    @operation
    def read(self) -> list[str]:
        """All lines are read."""
        return list(self.lines)

    @operation
    def crash(self) -> None:
        """The process is gone, and is started again on what it stored."""

    def census(self) -> Census:
        return {"lines": list(self.lines)}


class Disk:
    """What outlives a process: lines, and how many there are."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.number = 0


class RightLog:
    """Stores a line and its number at once, and says so afterwards."""

    def __init__(self, disk: Disk, io: Io) -> None:
        self.disk, self.io = disk, io
        self.lines = disk.lines[: disk.number]

    async def write(self, text: str) -> int:
        await self.io()
        self.keep(text)
        number = len(self.lines)
        await self.io()
        return number

    async def read(self) -> list[str]:
        await self.io()
        return list(self.lines)

    def keep(self, text: str) -> None:
        self.lines.append(text)
        self.disk.lines.append(text)
        self.disk.number += 1


class SaysSoFirst(RightLog):
    """Says that a line is stored, and stores it afterwards."""

    def __init__(self, disk: Disk, io: Io) -> None:
        super().__init__(disk, io)
        self.tasks: set[asyncio.Task[None]] = set()

    async def write(self, text: str) -> int:
        self.lines.append(text)
        task = asyncio.create_task(self.store(text))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return len(self.lines)

    async def store(self, text: str) -> None:
        await self.io()
        self.disk.lines.append(text)
        self.disk.number += 1


class StoresByHalves(RightLog):
    """Stores a line, and its number later: after a crash it numbers from another line on."""

    def keep(self, text: str) -> None:
        self.lines.append(text)
        self.disk.lines.append(text)

    async def write(self, text: str) -> int:
        await self.io()
        self.keep(text)
        number = len(self.lines)
        await self.io()
        self.disk.number = max(self.disk.number, number)
        return number


class RightDriver(Driver[Log]):
    """Starts a log on its disk, and starts it again after a crash."""

    of: ClassVar[type[RightLog]] = RightLog
    through = "log"

    def __init__(self) -> None:
        self.disk = Disk()
        self.log = self.of(self.disk, self.io)

    def crash(self) -> None:
        self.abandon()
        self.log = self.of(self.disk, self.io)

    def census(self) -> Census:
        return {"lines": list(self.log.lines)}


class SaysSoFirstDriver(RightDriver):
    """Loses what it said was stored."""

    of = SaysSoFirst


class StoresByHalvesDriver(RightDriver):
    """Stores half of a line."""

    of = StoresByHalves


class GoesOnDriver(RightDriver):
    """Does what was under way in the crash after it, once somebody has read that it is not done."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[str] = []

    async def write(self, text: str) -> int:
        self.given.append(text)
        return await self.log.write(text)

    async def read(self) -> list[str]:
        lines = await self.log.read()
        for text in self.given[len(lines) :]:
            self.log.keep(text)
        return lines


class LeavesItselfDriver(RightDriver):
    """Would be left where it is by its own crash."""

    async def crash(self) -> None:  # type: ignore[override]
        self.abandon()


class AtOnce(Scenario[Log]):
    """Lines and crashes at once."""

    overlap = True


class OneByOne(Scenario[Log]):
    """Lines and crashes, one after the other."""
