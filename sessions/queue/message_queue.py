"""Keep messages in order until they are handled."""

from __future__ import annotations

import copy
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from sessions.clock import Clock
from sessions.errors import QueueFullError
from sessions.key import IsolationKey
from sessions.queue.message import Begun, Message, Queued
from sessions.settings import Settings

# How long a message rests before each retry (the contract, Queue).
RETRY_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(slots=True)
class QueueCounts:
    """What the queue did, all 0 at the start; dropped counts dead letters that made room."""

    retries: int = 0
    dead_lettered: int = 0
    dead_letters_dropped: int = 0


class MessageQueue:
    """Messages by thread (the contract, Queue): who takes one says how it came out.

    Only the first of a thread's messages can be taken; it stays the first until it succeeded
    or is a dead letter, so that a retry holds back the rest. Everything takes time that grows
    with the logarithm of the messages, but removals, which look at every thread.
    """

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        is_over: Callable[[Message], bool] = lambda _: False,
        on_gone: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._is_over = is_over
        self._on_gone = on_gone
        self._counts = QueueCounts()
        self._arrivals = count(1)
        self._size = 0
        self._lines: dict[IsolationKey, deque[Queued]] = {}
        # Both may name messages that were removed, which are passed over when they come up.
        self._ready: list[tuple[tuple[int, int], Queued]] = []
        self._resting: list[tuple[float, int, Queued]] = []
        self._dead_letters: deque[Message] = deque()

    def __len__(self) -> int:
        """Return how many are in the queue: waiting, resting, or taken and not yet done with."""
        return self._size

    def put(self, message: Message) -> None:
        """Add a message behind those of its thread; raises QueueFullError."""
        self.check_room()
        self._forget_over(message.key)
        # A copy, as its sender may go on with the payload.
        kept = replace(message, payload=copy.deepcopy(dict(message.payload)))
        self._add(kept)

    def take_up(self, message: Message, begun: Begun) -> None:
        """Add a message whose turn was stored before a start: it was accepted then, without limit.

        It has its place in the order of arrival, as others come after a start only.
        """
        self._add(message, begun)

    def _add(self, message: Message, begun: Begun | None = None) -> None:
        queued = Queued(message, next(self._arrivals), begun=begun)
        line = self._lines.setdefault(queued.message.key, deque())
        line.append(queued)
        self._size += 1
        if len(line) == 1:
            self._make_ready(queued)

    def check_room(self) -> None:
        """Raise QueueFullError if a message would find no room; what is over takes none."""
        if self._size >= self._settings.queue_max:
            self.remove(self._is_over)
        if self._size >= self._settings.queue_max:
            raise QueueFullError(
                f"the queue has {self._size} messages, the limit; send this one again later"
            )

    def first(self, key: IsolationKey) -> Queued | None:
        """Return the first message of a thread, which may be resting or taken, or None."""
        line = self._lines.get(key)
        return line[0] if line else None

    def messages(self) -> list[Message]:
        """Return all that are in the queue, by thread."""
        return [queued.message for line in self._lines.values() for queued in line]

    def take(self) -> Queued | None:
        """Return the message to handle next, or None if none can be handled now."""
        self._end_rests()
        while self._ready:
            _, queued = heapq.heappop(self._ready)
            if self._is_first(queued):
                return queued
        return None

    def rests_until_s(self) -> float | None:
        """Return the clock second at which the next retry is due, or None."""
        return self._resting[0][0] if self._resting else None

    def succeeded(self, queued: Queued) -> None:
        """Forget a message that was taken, and let the next of its thread follow."""
        if self._is_first(queued):
            self._step_on(queued.message.key)

    def is_last_try(self, queued: Queued) -> bool:
        """Return whether a message that was taken becomes a dead letter if it fails now."""
        return self._is_first(queued) and self._retry_delay_s(queued.failures) is None

    def failed(self, queued: Queued) -> None:
        """Schedule the retry of a message that was taken, or make it a dead letter."""
        if not self._is_first(queued):
            return
        delay_s = self._retry_delay_s(queued.failures)
        queued.failures += 1
        if delay_s is None:
            self._bury(queued.message)
            self._step_on(queued.message.key)
        else:
            self._counts.retries += 1
            due_at_s = self._clock.now() + delay_s
            heapq.heappush(self._resting, (due_at_s, queued.arrival, queued))

    def put_back(self, queued: Queued) -> None:
        """Put back a message that was taken and has neither succeeded nor failed."""
        if self._is_first(queued):
            self._make_ready(queued)

    def remove_user(self, user_id: str) -> int:
        """Remove a user's messages and dead letters; return how many messages it were."""
        self._forget_dead_letters(lambda key: key.user_id == user_id)
        return self.remove(lambda message: message.key.user_id == user_id)

    def remove_thread(self, user_id: str, thread_id: str) -> int:
        """Remove a thread's messages and dead letters; return how many messages it were."""
        removed = IsolationKey(user_id, thread_id)
        self._forget_dead_letters(lambda key: key == removed)
        return self.remove(lambda message: message.key == removed)

    def remove(self, chosen: Callable[[Message], bool]) -> int:
        """Remove the messages chosen, waiting, resting or taken; return how many it were."""
        removed = [message for message in self.messages() if chosen(message)]
        for key in dict.fromkeys(message.key for message in removed):
            self._keep(key, [each for each in self._lines[key] if not chosen(each.message)])
        for message in removed:
            self._on_gone(message)
        self._size -= len(removed)
        return len(removed)

    def dead_letters(self) -> list[Message]:
        """Return the messages that failed after every retry, oldest first."""
        return list(self._dead_letters)

    def counts(self) -> QueueCounts:
        """Return a copy of the counts."""
        return replace(self._counts)

    def _retry_delay_s(self, failures: int) -> float | None:
        """Return the rest after one more failure than that, or None if it was the last try."""
        return RETRY_DELAYS_S[failures] if failures < len(RETRY_DELAYS_S) else None

    def _is_first(self, queued: Queued) -> bool:
        line = self._lines.get(queued.message.key)
        return line is not None and line[0] is queued

    def _make_ready(self, queued: Queued) -> None:
        rank = (queued.message.priority, queued.arrival)
        heapq.heappush(self._ready, (rank, queued))

    def _end_rests(self) -> None:
        while self._resting and self._clock.now() >= self._resting[0][0]:
            _, _, queued = heapq.heappop(self._resting)
            if self._is_first(queued):
                self._make_ready(queued)

    def _step_on(self, key: IsolationKey) -> None:
        line = self._lines[key]
        gone = line.popleft()
        self._size -= 1
        if line:
            self._make_ready(line[0])
        else:
            del self._lines[key]
        self._on_gone(gone.message)

    def _keep(self, key: IsolationKey, left: list[Queued]) -> None:
        """Replace a thread's line; its first message can be taken if it was not first before."""
        first = self._lines.pop(key)[0]
        if left:
            self._lines[key] = deque(left)
        if left and left[0] is not first:
            self._make_ready(left[0])

    def _bury(self, message: Message) -> None:
        self._counts.dead_lettered += 1
        self._dead_letters.append(message)
        while len(self._dead_letters) > self._settings.dead_letters_max:
            self._dead_letters.popleft()
            self._counts.dead_letters_dropped += 1

    def _forget_over(self, key: IsolationKey) -> None:
        """Remove a thread's messages of ended sessions, if its first message is one."""
        first = self.first(key)
        if first and self._is_over(first.message):
            self.remove(lambda message: message.key == key and self._is_over(message))

    def _forget_dead_letters(self, chosen: Callable[[IsolationKey], bool]) -> None:
        self._dead_letters = deque(
            message for message in self._dead_letters if not chosen(message.key)
        )
