"""A chat-room hub under Threadline, whole: members who hear at once, slowly, or raise."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from threadline import Census, Driver, Handle, Model, Operation, Pool, Refuse, operation, pool

PLACES, SLOW_S = 3, 2
ROOMS = pool("hall", "garden")
NAMES = pool("ana", "ben")
HEARS = pool("at once", "slowly", "raises", "raises slowly")
TEXTS = Pool(lambda now: [f"m{now.step}"])
PRESENT = Pool(lambda now: list(now.model.members))


@dataclass
class Listener:
    """A member, as the model knows it."""

    room: str
    name: str
    hears: str
    inbox: list[tuple[float, str]] = field(default_factory=list)  # when it is heard, and what


class ChatRooms(Model):
    """Rooms in which everybody but the speaker hears what is said, whatever others raise."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.members: dict[Handle, Listener] = {}
        self.meant: dict[object, set[Handle]] = {}  # for whom each text was

    @operation(weight=3, room=ROOMS, name=NAMES, hears=HEARS)
    def join(self, room: str, name: str, hears: str) -> Handle:
        """Somebody comes into a room, if there is a place."""
        if len(self._in(room)) == PLACES:
            raise Refuse("room is full")
        member = self.new("m")
        self.members[member] = Listener(room, name, hears)
        return member

    @operation(member=PRESENT)
    def leave(self, member: Handle) -> None:
        """A member goes, and hears no more."""
        del self.members[member]

    @operation(weight=3, member=PRESENT, text=TEXTS)
    def say(self, member: Handle, text: str) -> int:
        """A member says something to the room; how many it reached without an error."""
        return sum(self._reach(m, text) for m in self._in(self.members[member].room) if m != member)

    @operation(member=PRESENT, text=TEXTS)
    def shout(self, member: Handle, text: str) -> int:
        """A member says something to all rooms; how many it reached without an error."""
        return sum(self._reach(m, text) for m in self.members if m != member)

    @operation(member=PRESENT, name=NAMES, text=TEXTS)
    def whisper(self, member: Handle, name: str, text: str) -> None:
        """A member says something to the first one of that name in the room, and to nobody else."""
        called = [m for m in self._in(self.members[member].room) if self.members[m].name == name]
        if not called:
            raise Refuse("nobody there")
        self._reach(called[0], text)

    @operation(room=ROOMS)
    def names(self, room: str) -> list[str]:
        """The names of those in a room are read, in the order in which they came."""
        return [self.members[member].name for member in self._in(room)]

    @operation(weight=2, seconds=pool(1, SLOW_S))
    def wait(self, seconds: float) -> None:
        """Time passes, in which the slow hear one text after another."""
        self.now_s += seconds
        for member, listener in self.members.items():
            while listener.inbox and listener.inbox[0][0] <= self.now_s:
                self._hear(member, listener.inbox.pop(0)[1])

    def census(self) -> Census:
        return {"rooms": {m.room: self._in(m.room) for m in self.members.values()}}

    def teardown(self) -> Iterator[Operation]:
        for member in list(self.members):
            yield ChatRooms.leave(member)

    def belongs_to(self, value: object) -> object:
        return self.meant.get(value)

    def _in(self, room: str) -> list[Handle]:
        return [member for member, listener in self.members.items() if listener.room == room]

    def _reach(self, member: Handle, text: str) -> bool:
        self.meant.setdefault(text, set()).add(member)
        listener = self.members[member]
        if "slowly" not in listener.hears:
            return self._hear(member, text)
        begins_s = listener.inbox[-1][0] if listener.inbox else self.now_s
        listener.inbox.append((begins_s + SLOW_S, text))
        return True

    def _hear(self, member: Handle, text: str) -> bool:
        raises = "raises" in self.members[member].hears
        self.tell(member, ["error", text] if raises else text)
        return not raises


# --- the hub, as its author wrote it

Hear = Callable[[str], Awaitable[None] | None]


class RoomFull(Exception):
    """There is no place left in a room."""


class NobodyThere(Exception):
    """Nobody in the room has that name."""


@dataclass(eq=False)
class Member:
    """Somebody in a room, who hears by a callback or by an async handler."""

    room: str
    name: str
    hear: Hear = field(repr=False)
    inbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue, repr=False)


class Hub:
    """Rooms and their members: a callback is called at once, a handler awaited in a task.

    A member's handler gets one text at a time. What a callback or a handler raises is told to
    `on_error`, and hurts nobody else.
    """

    def __init__(self, on_error: Callable[[Member, Exception], None]) -> None:
        self.rooms: dict[str, list[Member]] = {}
        self.tasks: dict[Member, asyncio.Task[None]] = {}
        self.on_error = on_error

    async def join(self, room: str, name: str, hear: Hear) -> Member:
        members = self.rooms.setdefault(room, [])
        if len(members) == PLACES:
            raise RoomFull(room)
        member = Member(room, name, hear)
        members.append(member)
        if asyncio.iscoroutinefunction(hear):
            self.tasks[member] = asyncio.create_task(self._listen(member))
        return member

    async def leave(self, member: Member) -> None:
        self._remove(member)
        if member in self.tasks:
            self.tasks.pop(member).cancel()

    async def say(self, member: Member, text: str) -> int:
        """Tell the others in the room; return how many were reached without an error."""
        others = [other for other in self.rooms[member.room] if other is not member]
        return sum([self._reach(other, text) for other in others])

    async def shout(self, member: Member, text: str) -> int:
        """Tell the others in all rooms; return how many were reached without an error."""
        others = [other for room in self.rooms.values() for other in room if other is not member]
        return sum([self._reach(other, text) for other in others])

    async def whisper(self, member: Member, name: str, text: str) -> None:
        """Tell the first of that name in the room."""
        self._reach(self._called(name, member.room), text)

    def names(self, room: str) -> list[str]:
        return [member.name for member in self.rooms.get(room, [])]

    def _called(self, name: str, room: str) -> Member:
        for member in self.rooms[room]:
            if member.name == name:
                return member
        raise NobodyThere(name)

    def _remove(self, member: Member) -> None:
        self.rooms[member.room].remove(member)
        if not self.rooms[member.room]:
            del self.rooms[member.room]

    def _reach(self, member: Member, text: str) -> bool:
        if member in self.tasks:
            member.inbox.put_nowait(text)
            return True
        try:
            member.hear(text)
        except Exception as error:
            self.on_error(member, error)
            return False
        return True

    async def _listen(self, member: Member) -> None:
        while True:
            text = await member.inbox.get()
            try:
                await member.hear(text)  # type: ignore[misc]  # a member with a task has a handler
            except Exception as error:
                self.on_error(member, error)


# --- how Threadline reaches it


class ChatRoomsDriver(Driver[ChatRooms]):
    """Calls one hub, whose members tell what they hear, and what they raised."""

    refuses = {RoomFull: "room is full", NobodyThere: "nobody there"}
    through = "hub"
    make: type[Hub] = Hub

    def __init__(self) -> None:
        self.hub = self.make(lambda member, error: self.tell(member, ["error", str(error)]))

    async def join(self, room: str, name: str, hears: str) -> Member:
        def hear(text: str) -> None:
            if "raises" in hears:
                raise ValueError(text)
            self.tell(member, text)

        async def hear_slowly(text: str) -> None:
            await asyncio.sleep(SLOW_S)
            hear(text)

        member = await self.hub.join(room, name, hear_slowly if "slowly" in hears else hear)
        return member

    def census(self) -> Census:
        return {"rooms": self.hub.rooms}


# --- the same with one bug each


class HastyHub(Hub):
    """Has one try around all members, and so is done when one of them raises."""

    async def say(self, member: Member, text: str) -> int:
        reached = 0
        for other in self.rooms[member.room]:
            if other is not member:
                if not self._reach(other, text):
                    break
                reached += 1
        return reached


class LoudHub(Hub):
    """Looks whether there is somebody of that name, and then tells the whole room."""

    async def whisper(self, member: Member, name: str, text: str) -> None:
        self._called(name, member.room)
        for other in self.rooms[member.room]:
            self._reach(other, text)


class UntidyHub(Hub):
    """Takes a member's task from the table at the task's end, where it is taken out already."""

    async def _listen(self, member: Member) -> None:
        try:
            await super()._listen(member)
        finally:
            del self.tasks[member]


class MistakenHub(Hub):
    """Knows who leaves by the name."""

    def _remove(self, member: Member) -> None:
        super()._remove(self._called(member.name, member.room))


class HoardingHub(Hub):
    """Keeps a room in which nobody is left."""

    def _remove(self, member: Member) -> None:
        self.rooms[member.room].remove(member)


class StopsAtTheFirstError(ChatRoomsDriver):
    """Those who came after a member that raises hear nothing."""

    make = HastyHub


class WhispersToAll(ChatRoomsDriver):
    """What was for one is told to all; nothing but what is told shows it."""

    make = LoudHub


class TaskDiesWhenLeft(ChatRoomsDriver):
    """A task ends with a KeyError that nobody awaits; nothing but that shows it."""

    make = UntidyHub


class NamesakeLeaves(ChatRoomsDriver):
    """The first one of that name leaves instead."""

    make = MistakenHub


class KeepsEmptyRooms(ChatRoomsDriver):
    """Rooms become more and more."""

    make = HoardingHub
