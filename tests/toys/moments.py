"""A post office, where a letter is taken at one moment and brought at another; and wrong ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from threadline import LATER, Census, Driver, Model, Refuse, Scenario, operation, pool

USERS = pool("ana", "ben")


class Post(Model):
    """What is sent is brought later; a box that is emptied takes nothing until that is done."""

    def __init__(self) -> None:
        self.boxes: dict[str, list[str]] = {}
        self.letters: dict[int, tuple[str, str]] = {}  # on their way, by step
        self.emptied: dict[int, str] = {}  # boxes, by the step that empties each

    @operation(user=USERS, text=pool("hi", "yo"), weight=3)
    def send(self, user: str, text: str) -> None:
        """A letter is taken; whose it is, is told of it when it is brought."""
        if user in self.emptied.values():
            raise Refuse("closed")
        self.letters[self._step] = user, text
        if not self.overlaps:
            self.go_on(self._step)

    @operation(user=USERS)
    def read(self, user: str) -> list[str]:
        """All that was brought is read."""
        return list(self.boxes.get(user, ()))

    @operation(user=USERS)
    def empty(self, user: str) -> object:
        """A box is closed, emptied and opened; how many letters were in it."""
        self.emptied[self._step] = user
        return LATER if self.overlaps else self.go_on(self._step)

    def goes_on(self) -> list[int]:
        return [*self.letters, *self.emptied]

    def go_on(self, step: int) -> object:
        if step in self.emptied:
            return len(self.boxes.pop(self.emptied.pop(step), ()))
        user, text = self.letters.pop(step)
        self.boxes.setdefault(user, []).append(text)
        self.tell(user, text)
        return LATER

    def leave_off(self, step: int) -> None:
        self.letters.pop(step, None)
        self.emptied.pop(step, None)

    def census(self) -> Census:
        return {"boxes": {user: list(box) for user, box in self.boxes.items() if box}}


class RightPost:
    """Brings each letter in a task of its own."""

    def __init__(self, io: Callable[[], Awaitable[None]], tell: Callable[[str, str], None]) -> None:
        self.io = io
        self.tell = tell
        self.boxes: dict[str, list[str]] = {}
        self.closed: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def send(self, user: str, text: str) -> None:
        await self.io()
        self.take(user, text)

    def take(self, user: str, text: str) -> None:
        if user in self.closed:
            raise Refuse("closed")
        task = asyncio.create_task(self.bring(user, text))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def bring(self, user: str, text: str) -> None:
        await self.io()
        self.boxes.setdefault(user, []).append(text)
        self.tell(user, text)

    async def empty(self, user: str) -> int:
        await self.io()
        self.closed.append(user)
        try:
            await self.io()
            return len(self.boxes.pop(user, ()))
        finally:
            self.closed.remove(user)


class TellsLater(RightPost):
    """Tells of a letter some time after it was brought: two can be told in the other order."""

    async def bring(self, user: str, text: str) -> None:
        await self.io()
        self.boxes.setdefault(user, []).append(text)
        await self.io()
        self.tell(user, text)


class BringsAStaleBox(RightPost):
    """Writes a box back as it was before the letter was on its way."""

    async def bring(self, user: str, text: str) -> None:
        box = [*self.boxes.get(user, ()), text]
        await self.io()
        self.boxes[user] = box
        self.tell(user, text)


class CountsTooEarly(RightPost):
    """Counts the letters in a box before it is emptied."""

    async def empty(self, user: str) -> int:
        await self.io()
        self.closed.append(user)
        count = len(self.boxes.get(user, ()))
        try:
            await self.io()
            self.boxes.pop(user, None)
            return count
        finally:
            self.closed.remove(user)


class LosesLetters(RightPost):
    """Brings nothing to a box that is closed."""

    async def bring(self, user: str, text: str) -> None:
        await self.io()
        if user not in self.closed:
            self.boxes.setdefault(user, []).append(text)
        self.tell(user, text)


class RightDriver(Driver[Post]):
    """Calls a post office; `office` says which one."""

    through = "post"
    office: ClassVar[type[RightPost]] = RightPost

    def __init__(self) -> None:
        self.post = self.office(self.io, self.tell)

    async def send(self, user: str, text: str) -> None:
        await self.post.send(user, text)

    async def read(self, user: str) -> list[str]:
        return list(self.post.boxes.get(user, ()))

    async def empty(self, user: str) -> int:
        return await self.post.empty(user)

    def census(self) -> Census:
        return {"boxes": {user: list(box) for user, box in self.post.boxes.items() if box}}


class TellingLater(RightDriver):
    """Tells late."""

    office = TellsLater


class BringingAStaleBox(RightDriver):
    """Writes back."""

    office = BringsAStaleBox


class CountingTooEarly(RightDriver):
    """Counts too early."""

    office = CountsTooEarly


class LosingLetters(RightDriver):
    """Loses what comes to a closed box."""

    office = LosesLetters


class AtOnce(Scenario[Post]):
    """Letters to few, at once."""

    overlap = True


class Leaving(AtOnce):
    """And some callers leave."""

    cancels = True
