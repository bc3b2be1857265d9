"""What a store of turns must do: each thread's turns in order, under the run that is going on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from threadline import Census, Model, Operation, Property, Refuse, operation, pool

Key: TypeAlias = tuple[str, str]
USER, AGENT = "user", "agent"
USERS = pool("ana", "ben", identity=True)
THREADS = pool("t", "u", identity=True)
RUNS = pool("r", "s")
MESSAGES = pool("m", "n")
AGO_S = pool(None, 1, 2, 3, 4)  # seconds


@dataclass(slots=True)
class Thread:
    """The turns of one thread, and the run that goes on; "" once it was ended."""

    run: str
    active_s: float = 0.0
    turns: list[tuple[str, str, str | None]] = field(default_factory=list)


class StoredTurns(Model):
    """Turns under (user, thread); a position that was returned is stored.

    A session of the database that is done leaves nothing: no place taken, no transaction open.
    """

    def __init__(self, pool_size: int = 10, retention_s: float = 2_592_000) -> None:
        del pool_size  # nobody is turned away while nobody stays
        self.threads: dict[Key, Thread] = {}
        self._now_s = 0.0
        self._retention_s = retention_s

    @operation(user=USERS, thread=THREADS, run=RUNS, message=MESSAGES, weight=4)
    def say(self, user: str, thread: str, run: str, message: str) -> int:
        """A user's turn is stored, and its run goes on from now."""
        if (user, thread) in self._due():
            del self.threads[user, thread]  # it is too late to go on with what was said
        found = self.threads.setdefault((user, thread), Thread(run))
        found.run, found.active_s = run, self._now_s
        found.turns.append((USER, run, message))
        return len(found.turns)

    @operation(user=USERS, thread=THREADS, run=RUNS, weight=4)
    def answer(self, user: str, thread: str, run: str) -> int:
        """An agent's turn is stored; refused where its run does not go on."""
        found = self.threads.get((user, thread))
        if found is None or found.run != run:
            raise Refuse("ended", because=f"run {run} of thread {thread} does not go on")
        found.active_s = self._now_s
        found.turns.append((AGENT, run, None))
        return len(found.turns)

    @operation(user=USERS, thread=THREADS, limit=pool(100, 1), weight=2)
    def history(self, user: str, thread: str, limit: int) -> list[list[object]]:
        """The latest turns, oldest first."""
        found = self._kept(user, thread)
        turns = (
            [[place, role, run] for place, (role, run, _) in enumerate(found.turns, 1)]
            if found
            else []
        )
        return turns[-limit:]

    @operation(user=USERS, thread=THREADS, message=MESSAGES)
    def handled(self, user: str, thread: str, message: str) -> bool:
        """Whether a message has become a turn of the user's."""
        found = self._kept(user, thread)
        return found is not None and any(of == message for _, _, of in found.turns)

    @operation(user=USERS, thread=THREADS, breaks=Property.MEMORY)
    def delete(self, user: str, thread: str) -> None:
        """A thread is removed with all its turns."""
        self.threads.pop((user, thread), None)

    @operation(user=USERS, breaks=Property.ISOLATION)
    def end(self, user: str) -> None:
        """All runs of a user's end; the turns stay."""
        for (owner, _), thread in self.threads.items():
            if owner == user:
                thread.run = ""

    @operation(user=USERS)
    def threads_of(self, user: str) -> list[str]:
        """The threads of a user that are not due, sorted."""
        kept = (key for key in self.threads if key not in self._due())
        return sorted(thread for owner, thread in kept if owner == user)

    @operation
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._now_s += seconds

    @operation(user=USERS, thread=THREADS, ago_s=AGO_S, breaks=Property.MEMORY)
    def remove_due(self, user: str, thread: str, ago_s: int | None) -> int:
        """Threads go of which nobody has said anything for so long; how many.

        One stays whose live session began before it was due. That of this thread began so long ago;
        all others have none.
        """
        due = self._due()
        if ago_s is not None and (user, thread) in due:
            due_s = self.threads[user, thread].active_s + self._retention_s
            if self._now_s - ago_s < due_s:
                due.remove((user, thread))
        for key in due:
            del self.threads[key]
        return len(due)

    @operation(user=USERS, thread=THREADS, run=RUNS, message=MESSAGES)
    def say_first(self, user: str, thread: str, run: str, message: str) -> list[int]:
        """A user's turn, then a removal of what is due come while another writes.

        The position, and how many threads went: what is said in time keeps its thread.
        """
        return [self.say(user, thread, run, message), self.remove_due(user, thread, None)]

    def _kept(self, user: str, thread: str) -> Thread | None:
        """Return a thread that is not due."""
        return None if (user, thread) in self._due() else self.threads.get((user, thread))

    def _due(self) -> list[Key]:
        kept_s = self._retention_s
        return [key for key, each in self.threads.items() if self._now_s >= each.active_s + kept_s]

    def census(self) -> Census:
        """Return how many turns each thread has, and what sessions of the database hold."""
        return {
            "turns": {key: len(thread.turns) for key, thread in self.threads.items()},
            "places": {"taken": 0, "writing": 0},
            "sessions": 0,
            "transactions": 0,
        }

    def teardown(self) -> Iterator[Operation]:
        for user, thread in list(self.threads):
            yield StoredTurns.delete(user, thread)
