"""What a queue of messages must do (the contract, Queue), asked by hand, one call after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from threadline import Census, Handle, Model, Operation, Property, Refuse, operation

Key: TypeAlias = tuple[str, str]
RESTS_S = (1, 2, 4, 8, 16)  # before each retry
TAKEN_KEPT = 4  # as many as a scenario needs to choose from


@dataclass(slots=True, eq=False)
class Waiting:
    """A message in its thread's line: taken, or resting until a second, or ready to be taken."""

    key: Key
    text: str
    rank: tuple[int, int]
    session: int
    handle: Handle | None = None
    failures: int = 0
    is_taken: bool = False
    rests_until_s: float = 0.0


@dataclass(slots=True)
class Counts:
    """What the queue did, all 0 at the start."""

    retries: int = 0
    dead_lettered: int = 0
    dead_letters_dropped: int = 0


@dataclass(slots=True)
class Room:
    """Somebody who waits for room for a message of a user, and looks when something has left."""

    user: str
    due_s: float
    looks: bool = True


@dataclass(slots=True)
class Lines:
    """Who waits where: by user and thread, users in the order in which they are served."""

    of: dict[Key, list[Waiting]] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    next_turn: int = 0

    def all(self, user: str | None = None) -> list[Waiting]:
        lines = self.of.items()
        return [each for key, line in lines for each in line if user in (None, key[0])]

    def go_last(self, user: str) -> None:
        self.next_turn += 1
        self.turns[user] = self.next_turn


class MessageQueue(Model):
    """Messages by user and thread, of sessions that may end. Everybody whose message has left the
    queue, for whatever reason, is told so once.

    A message of an ended session takes no room and no turn, and nobody waits behind it.
    """

    def __init__(
        self,
        queue_max: int = 10_000,
        queue_max_per_user: int = 200,
        dead_letters_max: int = 1_000,
        queue_wait_s: float = 5,
    ) -> None:
        self.lines = Lines()
        self.taken: dict[Handle, Waiting] = {}
        self._now_s = 0.0
        self._arrivals = 0
        self._sessions: dict[Key, int] = {}
        self._dead: list[Waiting] = []
        self._counts = Counts()
        self._rests_s: list[float] = []  # until when something rests, or has rested
        self._rooms: dict[Handle, Room] = {}
        self._most, self._most_of_user = queue_max, queue_max_per_user
        self._dead_most, self._room_wait_s = dead_letters_max, queue_wait_s

    @operation
    def put(self, user: str, thread: str, priority: int, text: str) -> None:
        """A message is put behind those of its thread; its sender goes on with the payload."""
        if self._is_full(user):
            own, everybody = len(self.lines.all(user)), len(self.lines.all())
            says = f"{own} of your messages", str(self._most_of_user), f"{everybody} of all"
            raise Refuse("queue full", because="there is no room", says=says)
        self._forget_over((user, thread))
        self._add((user, thread), priority, text)

    @operation
    def take_up(self, user: str, thread: str, text: str) -> None:
        """A message that was accepted before a start is put, whether or not there is room."""
        self._add((user, thread), 2, text)

    @operation
    def take(self, busy: tuple[str, ...]) -> object:
        """The next message is taken, or None; users who are busy are passed over."""
        found = self._take(busy)
        if found is None:
            return None
        found.handle = found.handle or self.new("m")
        self.taken[found.handle] = found
        while len(self.taken) > TAKEN_KEPT:
            del self.taken[next(iter(self.taken))]
        return {"queued": found.handle, "key": list(found.key), "text": found.text}

    @operation
    def drain(self) -> object:
        """Everything that can be taken is taken, and fails; what, and whether for the last time."""
        drained = []
        while found := self._take(()):
            drained.append([found.text, self._fail(found)])
        return drained

    @operation
    def succeed(self, queued: Handle) -> None:
        """A message that was taken is done with."""
        found = self.taken.pop(queued)
        if self._is_first(found):
            self._remove(lambda each: each is found)

    @operation
    def fail(self, queued: Handle) -> bool:
        """A message that was taken has failed; whether that was its last try."""
        return self._fail(self.taken.pop(queued))

    @operation
    def put_back(self, queued: Handle) -> None:
        """A message that was taken is to be taken again."""
        self.taken.pop(queued).is_taken = False

    @operation(breaks=Property.ISOLATION)
    def remove_user(self, user: str) -> int:
        """What a user has in the queue is removed, dead letters too; how many messages it were."""
        self._dead = [each for each in self._dead if each.key[0] != user]
        return self._remove(lambda each: each.key[0] == user)

    @operation(breaks=Property.ISOLATION)
    def remove_thread(self, user: str, thread: str) -> int:
        """The same, of a thread."""
        self._dead = [each for each in self._dead if each.key != (user, thread)]
        return self._remove(lambda each: each.key == (user, thread))

    @operation(breaks=Property.ISOLATION)
    def remove_odd(self) -> int:
        """Every message that was put in an odd step is removed, wherever it stands in its line."""
        return self._remove(lambda each: int(each.text[1:]) % 2 == 1)

    @operation
    def next_rest(self) -> float | None:
        """In how many seconds it is worth looking for what has rested; None, if nothing rests."""
        return min(self._rests_s) - self._now_s if self._rests_s else None

    @operation
    def end(self, user: str, thread: str) -> None:
        """The session of a thread ends, and with it what its messages wait for."""
        self._sessions[user, thread] = self._session((user, thread)) + 1

    @operation
    def await_room(self, user: str) -> Handle:
        """Somebody waits until the queue has room for a message of a user, or for so long."""
        waiter = self.new("w")
        self._rooms[waiter] = Room(user, self._now_s + self._room_wait_s)
        return waiter

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._now_s += seconds
        for waiter, room in list(self._rooms.items()):
            if room.due_s <= self._now_s:
                self._end_wait(waiter)

    def settle(self) -> None:
        """Whoever waits for room checks for it each time that a message has left the queue."""
        while looking := [each for each, room in self._rooms.items() if room.looks]:
            for waiter in looking:
                self._rooms[waiter].looks = False
                if not self._is_full(self._rooms[waiter].user):
                    self._end_wait(waiter)

    def census(self) -> Census:
        """Return what waits, by thread, in order; the dead letters; and the counts."""
        return {
            "waiting": {key: [each.text for each in line] for key, line in self.lines.of.items()},
            "size": len(self.lines.all()),
            "dead_letters": [(*each.key, each.text) for each in self._dead],
            "counts": asdict(self._counts),
        }

    def teardown(self) -> Iterator[Operation]:
        """Remove everything, wait out rests and waits for room, and look: what is gone is forgotten
        by a look."""
        for user in dict.fromkeys(each.key[0] for each in [*self.lines.all(), *self._dead]):
            yield MessageQueue.remove_user(user)
        yield MessageQueue.wait(max(int(self._room_wait_s), RESTS_S[-1]) + 1)
        yield MessageQueue.take(())

    def _take(self, busy: tuple[str, ...]) -> Waiting | None:
        self._rests_s = [until_s for until_s in self._rests_s if until_s > self._now_s]
        for user in sorted(self.lines.turns, key=self.lines.turns.__getitem__):
            found = self._next_of(user)
            if found and user not in busy:
                self.lines.go_last(user)
                found.is_taken, found.rests_until_s = True, 0.0
                return found
        return None

    def _next_of(self, user: str) -> Waiting | None:
        """Return a user's message to be taken next; whatever would be, but is over, is removed."""
        while True:
            heads = [line[0] for key, line in self.lines.of.items() if key[0] == user]
            ready = [head for head in heads if self._is_ready(head)]
            found = min(ready, key=lambda head: head.rank, default=None)
            if found is None or not self._is_over(found):
                return found
            self._remove([found].__contains__)

    def _fail(self, found: Waiting) -> bool:
        if not self._is_first(found):
            return False
        is_last = found.failures == len(RESTS_S)
        found.is_taken = False
        if is_last:
            self._bury(found)
            self._remove(lambda each: each is found)
        else:
            self._counts.retries += 1
            found.rests_until_s = self._now_s + RESTS_S[found.failures]
            self._rests_s.append(found.rests_until_s)
        found.failures += 1
        return is_last

    def _session(self, key: Key) -> int:
        return self._sessions.get(key, 0)

    def _is_over(self, waiting: Waiting) -> bool:
        return waiting.session < self._session(waiting.key)

    def _is_first(self, waiting: Waiting) -> bool:
        return self.lines.of.get(waiting.key, [None])[0] is waiting

    def _is_ready(self, waiting: Waiting) -> bool:
        return not waiting.is_taken and waiting.rests_until_s <= self._now_s

    def _is_full(self, user: str) -> bool:
        def is_at_limit() -> bool:
            own = len(self.lines.all(user))
            return len(self.lines.all()) >= self._most or own >= self._most_of_user

        if is_at_limit():
            self._remove(self._is_over)
        return is_at_limit()

    def _add(self, key: Key, priority: int, text: str) -> None:
        if not self.lines.all(key[0]):
            self.lines.go_last(key[0])
        self._arrivals += 1
        waiting = Waiting(key, text, (priority, self._arrivals), self._session(key))
        self.lines.of.setdefault(key, []).append(waiting)

    def _forget_over(self, key: Key) -> None:
        mine = self.lines.all(key[0])
        if all(map(self._is_over, mine)):
            self._remove(lambda each: each.key[0] == key[0])
        elif (line := self.lines.of.get(key)) and self._is_over(line[0]):
            self._remove(lambda each: each.key == key and self._is_over(each))

    def _bury(self, waiting: Waiting) -> None:
        self._counts.dead_lettered += 1
        self._dead.append(waiting)
        if len(self._dead) > self._dead_most:
            del self._dead[0]
            self._counts.dead_letters_dropped += 1

    def _remove(self, chosen: Callable[[Waiting], bool]) -> int:
        removed = [each for each in self.lines.all() if chosen(each)]
        for each in removed:
            line = self.lines.of[each.key]
            line.remove(each)
            if not line:
                del self.lines.of[each.key]
            self.tell(each.key, each.text)
        for room in self._rooms.values():
            room.looks = room.looks or bool(removed)
        return len(removed)

    def _end_wait(self, waiter: Handle) -> None:
        del self._rooms[waiter]
        self.tell(waiter, "room, or no patience")
