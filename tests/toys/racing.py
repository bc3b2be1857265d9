"""A small asynchronous store of sessions, with races to be found, and the same without them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from threadline import Census, Driver, Handle, Model, Scenario, operation, pool

USERS = pool("ana", "ben")


class Desks(Model):
    """Each user has at most one desk, and a log."""

    def __init__(self) -> None:
        self.desks: dict[str, Handle] = {}
        self.logs: dict[str, list[str]] = {}

    @operation(user=USERS)
    def enter(self, user: str) -> Handle:
        """A user takes a desk, if he has none."""
        if user not in self.desks:
            self.desks[user] = self.new("d")
        return self.desks[user]

    @operation(user=USERS)
    def leave(self, user: str) -> bool:
        """A user gives the desk back."""
        return self.desks.pop(user, None) is not None

    @operation(user=USERS, text=pool("hi", "yo"))
    def write(self, user: str, text: str) -> int:
        """A line is added at the end; its number comes back, and the user is told."""
        self.logs.setdefault(user, []).append(text)
        self.tell(user, text)
        return len(self.logs[user])

    def census(self) -> Census:
        return {"desks": dict(self.desks), "logs": {u: list(of) for u, of in self.logs.items()}}


class RightDesks:
    """Looks and stores without an await between."""

    def __init__(self, io: Callable[[], Awaitable[None]], tell: Callable[[str, str], None]) -> None:
        self.io = io
        self.tell = tell
        self.count = 0
        self.desks: dict[str, str] = {}
        self.logs: dict[str, list[str]] = {}

    async def enter(self, user: str) -> str:
        await self.io()
        desk = self.take(user)
        await self.io()
        return desk

    def take(self, user: str) -> str:
        if user not in self.desks:
            self.count += 1
            self.desks[user] = f"desk {self.count}"
        return self.desks[user]

    async def leave(self, user: str) -> bool:
        await self.io()
        return self.desks.pop(user, None) is not None

    async def write(self, user: str, text: str) -> int:
        await self.io()
        log = self.logs.setdefault(user, [])
        log.append(text)
        self.tell(user, text)
        number = len(log)
        await self.io()
        return number


class ChecksThenTakes(RightDesks):
    """Awaits between the look and the store: two callers can both find nothing."""

    async def enter(self, user: str) -> str:
        if user in self.desks:
            return self.desks[user]
        await self.io()
        self.count += 1
        self.desks[user] = f"desk {self.count}"
        return self.desks[user]


class WritesBack(RightDesks):
    """Writes a log back whole, as it was before an await: what came meanwhile is lost."""

    async def write(self, user: str, text: str) -> int:
        log = [*self.logs.get(user, ()), text]
        await self.io()
        self.logs[user] = log
        self.tell(user, text)
        return len(log)


class TellsEarly(RightDesks):
    """Tells before it stores, so that the order of the two can differ."""

    async def write(self, user: str, text: str) -> int:
        self.tell(user, text)
        await self.io()
        log = self.logs.setdefault(user, [])
        log.append(text)
        return len(log)


class DoesBoth(WritesBack):
    """Has both bugs."""

    enter = ChecksThenTakes.enter


class YieldsBetween(RightDesks):
    """Gives way once between the look and the store, with nothing to wait for."""

    async def enter(self, user: str) -> str:
        if user in self.desks:
            return self.desks[user]
        await asyncio.sleep(0)
        self.count += 1
        self.desks[user] = f"desk {self.count}"
        return self.desks[user]


class GivesWay(RightDesks):
    """Gives way once between telling and storing: right, as asyncio keeps the order of tasks."""

    async def write(self, user: str, text: str) -> int:
        await self.io()
        self.tell(user, text)
        await asyncio.sleep(0)
        log = self.logs.setdefault(user, [])
        log.append(text)
        return len(log)


class HalfDone(RightDesks):
    """Takes the desk in one step and the log in another: a caller who leaves cuts it in two."""

    async def enter(self, user: str) -> str:
        desk = self.take(user)
        self.logs.setdefault(user, []).append("enters")
        await self.io()
        self.logs[user].remove("enters")
        return desk


class Locks(RightDesks):
    """Takes two locks, in another order to enter than to leave."""

    def __init__(self, io: Callable[[], Awaitable[None]], tell: Callable[[str, str], None]) -> None:
        super().__init__(io, tell)
        self.one, self.other = asyncio.Lock(), asyncio.Lock()

    async def enter(self, user: str) -> str:
        async with self.one:
            await self.io()
            async with self.other:
                return self.take(user)

    async def leave(self, user: str) -> bool:
        async with self.other:
            await self.io()
            async with self.one:
                return self.desks.pop(user, None) is not None


class Forgets(RightDesks):
    """Forgets the desk of a user who writes, whether or not anybody else does anything."""

    async def write(self, user: str, text: str) -> int:
        self.desks.pop(user, None)
        return await super().write(user, text)


class RightDriver(Driver[Desks]):
    """Reaches desks that are right."""

    through = "desks"
    kind: ClassVar[type[RightDesks]] = RightDesks

    def __init__(self) -> None:
        self.desks = self.kind(self.io, self.tell)

    def census(self) -> Census:
        return {"desks": dict(self.desks.desks), "logs": dict(self.desks.logs)}


class Checking(RightDriver):
    """Reaches ChecksThenTakes."""

    kind = ChecksThenTakes


class WritingBack(RightDriver):
    """Reaches WritesBack."""

    kind = WritesBack


class TellingEarly(RightDriver):
    """Reaches TellsEarly."""

    kind = TellsEarly


class Yielding(RightDriver):
    """Reaches YieldsBetween."""

    kind = YieldsBetween


class Giving(RightDriver):
    """Reaches GivesWay."""

    kind = GivesWay


class Halving(RightDriver):
    """Reaches HalfDone."""

    kind = HalfDone


class Locking(RightDriver):
    """Reaches Locks."""

    kind = Locks


class AtOnce(Scenario[Desks]):
    """Users at once."""

    overlap = True


class Leaving(Scenario[Desks]):
    """Users at once, some of whom leave in the middle."""

    overlap = True
    cancels = True


class Forgetting(RightDriver):
    """Reaches Forgets."""

    kind = Forgets


class NoIo(RightDesks):
    """Waits for nothing."""

    async def enter(self, user: str) -> str:
        return self.take(user)

    async def leave(self, user: str) -> bool:
        return self.desks.pop(user, None) is not None

    async def write(self, user: str, text: str) -> int:
        self.logs.setdefault(user, []).append(text)
        self.tell(user, text)
        return len(self.logs[user])


class Hasty(RightDriver):
    """Reaches NoIo."""

    kind = NoIo


class Diary(Model):
    """Lines that only who reads them sees."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @operation(text=pool("a", "b"))
    def note(self, text: str) -> None:
        """A line is added at the end."""
        self.lines.append(text)

    @operation
    def read(self) -> list[str]:
        """All lines, in order."""
        return self.lines[:]


class Diaries(Driver[Diary]):
    """Keeps lines in the order in which they arrive."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def note(self, text: str) -> None:
        await self.io()
        self.lines.append(text)

    async def read(self) -> list[str]:
        return self.lines[:]


class LosingDiaries(Diaries):
    """Writes all lines back."""

    async def note(self, text: str) -> None:
        lines = [*self.lines, text]
        await self.io()
        self.lines = lines


class Both(RightDriver):
    """Reaches DoesBoth."""

    kind = DoesBoth
