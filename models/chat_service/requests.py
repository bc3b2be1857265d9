"""Which messages wait in which thread's line, are handled, or rest (the contract, Queue)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from models.chat_service.delivery import Asker, Delivery, Heading
from models.chat_service.processes import Gate, Process, Processes, Steps, Wait
from models.chat_service.settings import Settings
from models.chat_service.turns import Question, Turn
from models.session_manager.clock import Clock
from models.session_manager.ids import Id, Key
from models.session_manager.sessions import Session

RESTS_S = (1, 2, 4, 8, 16)  # before each retry
AGENT_REQUESTS = ("start_agent", "user_message", "chat")
HIGH, NORMAL, LOW = 1, 2, 3
PRIORITIES = {"get_thread_history": HIGH, **dict.fromkeys(AGENT_REQUESTS, NORMAL)}


class Unavailable(Exception):
    """The agent cannot be had now: the request is tried again."""


@dataclass(slots=True, eq=False)
class Request:
    """An accepted message: of the session that accepted it, under the run of that moment.

    used: its place among all gets and messages. step: that of the operation. asked_s: when it came;
    before all times, if it was taken up at a start. history: the turns before the user's own, once
    that is stored. has_begun: a worker took it. is_ending: it was stopped, and its worker is not
    free yet.
    """

    kind: str
    fields: Mapping[str, object]
    agent: str
    session: Session
    heading: Heading
    asker: Asker | None
    used: int
    step: int
    asked_s: float = float("-inf")
    failures: int = 0
    rests_until_s: float | None = None
    process: Process | None = None
    history: list[Turn] | None = None
    has_begun: bool = False
    is_ending: bool = False

    @property
    def key(self) -> Key:
        return self.heading.key

    @property
    def run(self) -> Id:
        assert self.heading.run is not None
        return self.heading.run

    @property
    def began_s(self) -> float:
        return self.session.created_s

    @property
    def rank(self) -> tuple[int, int]:
        return PRIORITIES.get(self.kind, LOW), self.used

    @property
    def is_agents(self) -> bool:
        return self.kind in AGENT_REQUESTS

    def question(self) -> Question:
        return Question(self.kind, self.fields, self.agent, self.heading.message, self.step)


@dataclass(slots=True)
class QueueCounts:
    """What the queue did, all 0 at the start."""

    retries: int = 0
    dead_lettered: int = 0
    dead_letters_dropped: int = 0


@dataclass(slots=True)
class Requests:
    """The lines, of which so many heads are handled at once; and the dead letters, by key.

    Users are served in turn: next is the one of the least turn of those who have something to be
    handled, and not yet as much at work as one may. A user has the last turn on coming, and again
    on being served.

    Where operations overlap, that a worker takes a request is a moment of it, and that a worker
    whose request was cancelled is free is another: others can come before each. leaving: the
    requests of such workers.
    """

    settings: Settings
    clock: Clock
    processes: Processes
    delivery: Delivery
    handle: Callable[[Request], Generator[Wait, bool, None]]
    give_up: Callable[[Request], Generator[Wait, bool, None]]
    lines: dict[Key, list[Request]] = field(default_factory=dict)
    dead_letters: list[Key] = field(default_factory=list)
    counts: QueueCounts = field(default_factory=QueueCounts)
    turns: dict[str, int] = field(default_factory=dict)
    stopping: list[Process] = field(default_factory=list)  # each notes that one was stopped
    leaving: list[Request] = field(default_factory=list)

    def all(self) -> list[Request]:
        return [request for line in self.lines.values() for request in line]

    def of(self, user: str) -> list[Request]:
        return [request for request in self.all() if request.key[0] == user]

    def put(self, request: Request) -> None:
        user, _ = request.key
        if not self.of(user):
            self._go_last(user)
        self.lines.setdefault(request.key, []).append(request)

    def head(self, key: Key) -> Request | None:
        line = self.lines.get(key)
        return line[0] if line else None

    def storing(self) -> int:
        """Return how many wait for a place."""
        handled = [request.process for request in self.all() if request.process]
        return sum(map(self.processes.is_in_line, (*handled, *self.stopping)))

    def cancel(self, request: Request) -> None:
        """Forget a request, whatever it does now; its thread's next one follows."""
        if request.process:
            self.processes.end(request.process)
            if self.processes.gated:
                self.leaving.append(request)
                self.processes.start(self._leave(request), request.step)
        self._forget(request)

    def stop(self, request: Request) -> None:
        """Forget a request, for good: it is not taken up again after a start."""
        if request.process and self.processes.gated:
            self.processes.end(request.process)
            request.is_ending = True
            request.process = self.processes.start(self._end(request), request.step)
        else:
            self.cancel(request)
        process = self.processes.start(self.give_up(request), self.clock.step)
        self.stopping.append(process)

    def forget_stopped(self) -> None:
        """Forget those of which it is noted that they were stopped."""
        if self.stopping:
            self.stopping = [each for each in self.stopping if self.processes.goes_on(each)]

    def next(self) -> Request | None:
        """Return the request that a free worker takes next, the most urgent of a user's first."""
        ready = self._ready()
        if not ready:
            return None
        user = min((request.key[0] for request in ready), key=self.turns.__getitem__)
        own = [request for request in ready if request.key[0] == user]
        return min(own, key=lambda request: request.rank)

    def take(self, request: Request) -> None:
        """Hand the next request to a worker."""
        self._go_last(request.key[0])
        request.rests_until_s, request.has_begun = None, True
        request.process = self.processes.start(self._work(request), request.step)

    def dispatch(self) -> None:
        """Hand requests to the free workers, unless each is a moment of its own."""
        while not self.processes.gated and (request := self.next()):
            self.take(request)

    def next_s(self) -> float:
        """Return when the next rest ends."""
        rests = (request.rests_until_s or 0.0 for request in self.all())
        return min((s for s in rests if s > self.clock.now_s), default=float("inf"))

    def _ready(self) -> list[Request]:
        now_s, most = self.clock.now_s, self.settings.queue_workers_per_user
        heads = [line[0] for line in self.lines.values()]
        ready = [head for head in heads if not head.process and (head.rests_until_s or 0) <= now_s]
        if not ready:
            return []
        handled = [head for head in heads if head.process]
        at_work = Counter(request.key[0] for request in (*handled, *self.leaving))
        if at_work.total() >= self.settings.queue_workers:
            return []
        return [head for head in ready if at_work[head.key[0]] < most]

    def _go_last(self, user: str) -> None:
        self.turns[user] = max(self.turns.values(), default=0) + 1

    def _work(self, request: Request) -> Steps:
        try:
            yield from self.handle(request)
        except Unavailable:
            yield from self._fail(request)
        else:
            self._forget(request)
        self.dispatch()

    def _end(self, request: Request) -> Steps:
        """Free the worker of a stopped request, in a moment of its own."""
        yield Gate()
        self._forget(request)

    def _leave(self, request: Request) -> Steps:
        """Free the worker of a cancelled request, in a moment of its own."""
        yield Gate()
        self.leaving.remove(request)

    def _fail(self, request: Request) -> Generator[Wait, bool, None]:
        """Schedule the next try of a request, or make it a dead letter."""
        if request.failures < len(RESTS_S):
            request.process = None
            request.rests_until_s = self.clock.now_s + RESTS_S[request.failures]
            request.failures += 1
            self.counts.retries += 1
            return
        yield from self.give_up(request)
        self.counts.dead_lettered += 1
        self.dead_letters.append(request.key)
        if len(self.dead_letters) > self.settings.dead_letters_max:
            del self.dead_letters[0]
            self.counts.dead_letters_dropped += 1
        self.delivery.answer(request.heading, request.asker, "error", code="agent_failed")
        self._forget(request)

    def _forget(self, request: Request) -> None:
        line = self.lines[request.key]
        line.remove(request)
        if not line:
            del self.lines[request.key]
        self.delivery.end(request.heading, request.asker)
