"""The message queue: messages in the order of their threads, and the worker that handles them."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from sessions.clock import Clock
from sessions.errors import QueueFullError
from sessions.ids import IsolationKey
from sessions.messages.message import Message, Queued
from sessions.settings import Settings
from sessions.storage.tables import Begun
from sessions.tasks import Tasks

logger = logging.getLogger(__name__)

# How long a message rests before each retry (the contract, Queue).
RETRY_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(slots=True)
class QueueCounts:
    """What the queue did, all 0 at the start; dropped counts dead letters that made room."""

    retries: int = 0
    dead_lettered: int = 0
    dead_letters_dropped: int = 0


@dataclass(slots=True, eq=False)
class Own:
    """What one user has in the queue: a line for each thread, and the heads that can be taken.

    turn: users with less are served first. ready may name messages that were removed, which are
    passed over when they come up.
    """

    turn: int
    lines: dict[IsolationKey, deque[Queued]] = field(default_factory=dict)
    ready: list[tuple[tuple[int, int], Queued]] = field(default_factory=list)
    size: int = 0

    def messages(self) -> Iterator[Message]:
        return (queued.message for line in self.lines.values() for queued in line)


class MessageQueue:
    """Messages by user and thread (the contract, Queue): who takes one says how it came out.

    Only the first of a thread's messages can be taken; it stays the first until it succeeded
    or is a dead letter, so that a retry holds back the rest. Users are served in turn, so that
    none waits for the whole line of another: one who comes, or was just served, is the last. Of a
    user's threads the most urgent message goes first, then the oldest. Everything takes time that
    grows with the logarithm of the messages, but removals, which look at every thread.
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
        self._arrivals = count()
        self._numbers = count()
        self._size = 0
        self._users: dict[str, Own] = {}
        # Both may name what is gone, or was served since, which is passed over when it comes up.
        self._turns: list[tuple[int, str]] = []
        self._resting: list[tuple[float, int, Queued]] = []
        self._dead_letters: deque[Message] = deque()
        self._next_left = asyncio.Event()

    def __len__(self) -> int:
        """Return how many are in the queue: waiting, resting, or taken and not yet done with."""
        return self._size

    def put(self, message: Message) -> None:
        """Add a message behind those of its thread; raises QueueFullError."""
        self.check_room(message.key.user_id)
        self._forget_over(message.key)
        self._add(message)

    def take_up(self, message: Message, begun: Begun) -> None:
        """Add a message whose turn was stored before a start: it was accepted then, without limit.

        It has its place in the order of arrival, as others come after a start only.
        """
        self._add(message, begun)

    def check_room(self, user_id: str) -> None:
        """Raise QueueFullError if a message of a user would find no room; what is over takes none.

        queue_max_per_user of their own messages, or queue_max of everybody's, are the limit.
        """
        if self.is_full_for(user_id):
            own = self._settings.queue_max_per_user
            raise QueueFullError(
                f"{self._size_of(user_id)} of your messages are in the queue, where a user may "
                f"have {own}, and {self._size} of all; send this one again later"
            )

    def is_full_for(self, user_id: str) -> bool:
        """Return whether a message of a user would find no room."""
        if not self._is_at_limit(user_id):
            return False
        self.remove(self._is_over)
        return self._is_at_limit(user_id)

    async def until_room(self, user_id: str) -> None:
        """Return once a message of a user would find room, or after queue_wait_s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.queue_wait_s):
                while self.is_full_for(user_id):
                    await self._next_left.wait()

    def first(self, key: IsolationKey) -> Queued | None:
        """Return the first message of a thread, which may be resting or taken, or None."""
        own = self._users.get(key.user_id)
        line = own.lines.get(key) if own else None
        return line[0] if line else None

    def messages(self) -> list[Message]:
        """Return all that are in the queue, by thread."""
        return [message for own in self._users.values() for message in own.messages()]

    def take(self, is_busy: Callable[[str], bool] = lambda _: False) -> Queued | None:
        """Return the message to handle next, or None if none can be handled now.

        Users who are busy are passed over, and keep their turn.
        """
        self._end_rests()
        passed_over = []
        found: Queued | None = None
        while self._turns and not found:
            turn, user_id = heapq.heappop(self._turns)
            own = self._users.get(user_id)
            if own is None or own.turn != turn or not self._has_ready(own):
                continue
            if is_busy(user_id):
                passed_over.append((turn, user_id))
                continue
            _, found = heapq.heappop(own.ready)
            own.turn = next(self._numbers)
            heapq.heappush(self._turns, (own.turn, user_id))
        for each in passed_over:
            heapq.heappush(self._turns, each)
        return found

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
            line = self._users[key.user_id].lines[key]
            self._keep(key, [each for each in line if not chosen(each.message)])
        for message in removed:
            self._left(message)
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

    def _size_of(self, user_id: str) -> int:
        own = self._users.get(user_id)
        return own.size if own else 0

    def _is_at_limit(self, user_id: str) -> bool:
        settings = self._settings
        is_full = self._size >= settings.queue_max
        return is_full or self._size_of(user_id) >= settings.queue_max_per_user

    def _add(self, message: Message, begun: Begun | None = None) -> None:
        queued = Queued(message, next(self._arrivals), begun=begun)
        own = self._users.get(message.key.user_id)
        if own is None:
            own = self._users[message.key.user_id] = Own(next(self._numbers))
        line = own.lines.setdefault(message.key, deque())
        line.append(queued)
        self._size += 1
        own.size += 1
        if len(line) == 1:
            self._make_ready(queued)

    def _left(self, message: Message) -> None:
        """Count a message that is in no line any more."""
        own = self._users[message.key.user_id]
        self._size -= 1
        own.size -= 1
        if not own.size:
            del self._users[message.key.user_id]
        # Who waits has the event of now; who comes later waits for the next.
        self._next_left.set()
        self._next_left = asyncio.Event()
        self._on_gone(message)

    def _is_first(self, queued: Queued) -> bool:
        return self.first(queued.message.key) is queued

    def _has_ready(self, own: Own) -> bool:
        """Return whether one of a user's messages can be taken, which is then the first there.

        What is over is not taken, as it would cost its user the turn: it is forgotten.
        """
        while own.ready:
            _, queued = own.ready[0]
            if not self._is_first(queued):
                heapq.heappop(own.ready)
            elif self._is_over(queued.message):
                self.succeeded(queued)
            else:
                return True
        return False

    def _make_ready(self, queued: Queued) -> None:
        user_id = queued.message.key.user_id
        own, rank = self._users[user_id], (queued.message.priority, queued.arrival)
        heapq.heappush(own.ready, (rank, queued))
        heapq.heappush(self._turns, (own.turn, user_id))

    def _end_rests(self) -> None:
        while self._resting and self._clock.now() >= self._resting[0][0]:
            _, _, queued = heapq.heappop(self._resting)
            if self._is_first(queued):
                self._make_ready(queued)

    def _step_on(self, key: IsolationKey) -> None:
        lines = self._users[key.user_id].lines
        gone = lines[key].popleft()
        if lines[key]:
            self._make_ready(lines[key][0])
        else:
            del lines[key]
        self._left(gone.message)

    def _keep(self, key: IsolationKey, left: list[Queued]) -> None:
        """Replace a thread's line; its first message can be taken if it was not first before."""
        lines = self._users[key.user_id].lines
        first = lines.pop(key)[0]
        if left:
            lines[key] = deque(left)
        if left and left[0] is not first:
            self._make_ready(left[0])

    def _bury(self, message: Message) -> None:
        self._counts.dead_lettered += 1
        self._dead_letters.append(message)
        while len(self._dead_letters) > self._settings.dead_letters_max:
            self._dead_letters.popleft()
            self._counts.dead_letters_dropped += 1

    def _forget_over(self, key: IsolationKey) -> None:
        """Remove a user's messages of ended sessions: those of a thread, or all if no other is."""
        own = self._users.get(key.user_id)
        if own is None:
            return
        if all(map(self._is_over, own.messages())):
            self.remove(lambda message: message.key.user_id == key.user_id)
        elif (first := self.first(key)) and self._is_over(first.message):
            self.remove(lambda message: message.key == key and self._is_over(message))

    def _forget_dead_letters(self, chosen: Callable[[IsolationKey], bool]) -> None:
        self._dead_letters = deque(
            message for message in self._dead_letters if not chosen(message.key)
        )


class Handling(Protocol):
    """What is done with a message."""

    async def handle(self, queued: Queued) -> None:
        """Handle a message; one that raises has failed, and is retried."""
        ...

    async def until_over(self, message: Message) -> None:
        """Return once a message has nobody left to be handled for."""
        ...

    def gave_up(self, message: Message) -> None:
        """Report a message that becomes a dead letter."""
        ...


class QueueWorker:
    """One task that takes messages from a queue, and starts a task for each, so many at once.

    It goes on whatever a handling raises. A handling that is cancelled is done with. A message
    that was being handled when the worker was stopped is handled again after the next start.
    """

    def __init__(
        self,
        queue: MessageQueue,
        handling: Handling,
        clock: Clock,
        tasks: Tasks,
        settings: Settings,
    ) -> None:
        self._queue = queue
        self._handling = handling
        self._clock = clock
        self._tasks = tasks
        self._most = settings.queue_workers
        self._most_per_user = settings.queue_workers_per_user
        self._busy: Counter[str] = Counter()  # how many are handled, by user
        self._task: asyncio.Task[None] | None = None
        self._at_work: dict[asyncio.Task[None], Queued] = {}
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Begin to work; raises RuntimeError if it has begun already."""
        if self._task is not None:
            raise RuntimeError("the queue worker is running; stop it before you start it again")
        self._task = self._tasks.start(self._run(), "queue worker")

    async def stop(self) -> None:
        """End the work, and wait for its end; does nothing if it is not running."""
        if self._task is not None:
            task, self._task = self._task, None
            ending = [task, *self._at_work]
            for each in ending:
                each.cancel()
            await asyncio.wait(ending)

    def put(self, message: Message) -> None:
        """Add a message, and wake the worker; raises QueueFullError."""
        self._queue.put(message)
        self._changed.set()

    async def drop(self, chosen: Callable[[Message], bool]) -> None:
        """Forget the messages chosen, and return when the handling of each has ended.

        That is cancelled before the first wait, so that nothing more comes of it.
        """
        ending = [task for task, queued in self._at_work.items() if chosen(queued.message)]
        for task in ending:
            task.cancel()
        self._queue.remove(chosen)
        self._changed.set()
        if ending:
            await asyncio.wait(ending)

    def is_at(self, queued: Queued) -> bool:
        """Return whether a message is being handled."""
        return any(each is queued for each in self._at_work.values())

    def is_ending(self, queued: Queued) -> bool:
        """Return whether the handling of a message was cancelled, and has not ended so far."""
        return any(task.cancelling() > 0 for task, each in self._at_work.items() if each is queued)

    def cancel(self, queued: Queued) -> None:
        """Forget one message; the next of its thread follows when its handling has ended."""
        at_work = [task for task, each in self._at_work.items() if each is queued]
        for task in at_work:
            task.cancel()
        if not at_work:
            self._queue.succeeded(queued)
            self._changed.set()

    async def _run(self) -> None:
        while True:
            # Before the look, so that what comes after it is not missed.
            self._changed.clear()
            while len(self._at_work) < self._most and (queued := self._take()):
                self._begin(queued)
            await self._wait()

    def _take(self) -> Queued | None:
        return self._queue.take(lambda user_id: self._busy[user_id] >= self._most_per_user)

    def _begin(self, queued: Queued) -> None:
        self._busy[queued.message.key.user_id] += 1
        task = self._tasks.start(self._work(queued), f"message {queued.arrival}")
        self._at_work[task] = queued
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        queued = self._at_work.pop(task)
        user_id = queued.message.key.user_id
        self._busy[user_id] -= 1
        if not self._busy[user_id]:
            del self._busy[user_id]
        if task.cancelled():  # before it began
            self._cancelled(queued)
        self._changed.set()

    async def _work(self, queued: Queued) -> None:
        over = asyncio.create_task(self._handling.until_over(queued.message))
        handling = asyncio.create_task(self._handling.handle(queued))
        # This task is ours, and so is its cancellation: what it was at has to be settled first.
        with suppress(asyncio.CancelledError):
            await asyncio.wait((handling, over), return_when=asyncio.FIRST_COMPLETED)
        for task in (handling, over):
            task.cancel()
        await asyncio.gather(handling, over, return_exceptions=True)
        self._settle(queued, handling)

    def _settle(self, queued: Queued, handling: asyncio.Task[None]) -> None:
        if handling.cancelled():
            self._cancelled(queued)
        elif error := handling.exception():
            self._failed(queued, error)
        else:
            self._queue.succeeded(queued)

    def _cancelled(self, queued: Queued) -> None:
        """Keep a message for the next start, if this is a stop; else nobody wants a retry."""
        if self._task is None:
            self._queue.put_back(queued)
        else:
            self._queue.succeeded(queued)

    def _failed(self, queued: Queued, error: BaseException) -> None:
        logger.error("message %d failed", queued.arrival, exc_info=error)
        if self._queue.is_last_try(queued):
            self._handling.gave_up(queued.message)
        self._queue.failed(queued)

    async def _wait(self) -> None:
        """Return once something has changed, or a retry is due."""
        # A rest that ended while every worker is busy is no reason to look again.
        has_room = len(self._at_work) < self._most
        until_s = self._queue.rests_until_s() if has_room else None
        left_s = None if until_s is None else until_s - self._clock.now()
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._changed.wait()
