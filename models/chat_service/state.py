"""Everything that a right chat service holds, on one clock, and its life."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

from threadline import Handle

from models.chat_service.databases import AWAITED, Databases, DatabaseSession
from models.chat_service.delivery import Delivery, Exchange, Heading
from models.chat_service.handling import HISTORY_TURNS, Handling
from models.chat_service.processes import Processes, Steps, Until, Wait
from models.chat_service.requests import Request, Requests
from models.chat_service.settings import Settings
from models.chat_service.storage import PoolTimeout, Storage
from models.chat_service.subscriptions import Subscriptions
from models.chat_service.turns import Conversation, StorageFailed, Turns
from models.session_manager.clock import Clock
from models.session_manager.connections import GOING_AWAY
from models.session_manager.context import Context
from models.session_manager.ids import Id, Key
from models.session_manager.manager import Tell
from models.session_manager.state import State


class ServiceState:
    """What is stored, and what lives from one start to the next stop.

    core: what a session manager holds. What ends a session or a manager says so to nobody:
    settle looks for what has lost its own.
    """

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self.settings = settings
        self.clock = Clock()
        self.turns = Turns(settings, self.clock)
        self._tell = tell
        self.processes = Processes(self.clock)
        self.exchanges: dict[Handle, Exchange] = {}  # all of this run
        self._begin(State(settings, tell, self.clock), [])

    def settle(self) -> None:
        """Drop what has ended, and run all that can go on."""
        self._let_go()
        while self.processes.run():
            self._let_go()

    def goes_on(self) -> list[int]:
        """Return the steps that have a moment of their own before them, once for each moment."""
        taken = self.requests.next() if self.processes.gated else None
        return [*self.processes.at_gates(), *([taken.step] if taken else [])]

    def go_on(self, step: int) -> None:
        """Do the next moment of a step."""
        taken = self.requests.next()
        if taken and taken.step == step:
            self.requests.take(taken)
        else:
            self.processes.pass_gate(step)
        self.settle()

    def wait(self, seconds: int) -> None:
        """Go from one second at which something is due to the next; what is due ends first."""
        end_s = self.clock.now_s + seconds
        while (next_s := self._next_s()) <= end_s:
            self.clock.now_s = next_s
            self.core.end_due()
            self._let_go()
            self.processes.wake()
            self.settle()
        self.clock.now_s = end_s

    def sweep(self) -> Generator[Wait, bool, None]:
        """Free what has ended; raises PoolTimeout and StorageFailed."""
        self.core.sweep()
        due = yield from self.storage.read(
            lambda: [(found, found.active_s) for found in self.turns.due()]
        )
        for found, active_s in due:
            if not self.is_kept(found):
                yield from self.storage.write(partial(self._remove, found.key, active_s))

    def sweep_at_once(self) -> bool:
        """Sweep while no place is taken; return whether the storage took it."""
        done = []

        def steps() -> Steps:
            try:
                yield from self.sweep()
                done.append(True)
            except StorageFailed:
                done.append(False)

        self.processes.start(steps())
        self.processes.run()
        return done[0]

    def is_kept(self, conversation: Conversation) -> bool:
        """Return whether a conversation is not due, or is kept by a session that began before."""
        due_s = self.turns.due_s(conversation)
        session = self.core.sessions.live.get(conversation.key)
        return due_s > self.clock.now_s or (session is not None and session.created_s < due_s)

    def open_exchanges(self) -> list[Handle]:
        """Return the exchanges whose clients wait."""
        return [handle for handle, each in self.exchanges.items() if not each.is_over]

    def conversation(self, key: Key) -> Conversation | None:
        """Return a stored conversation that is not due."""
        found = self.turns.stored.get(key)
        return found if found and self.is_kept(found) else None

    def is_dying(self, session: DatabaseSession) -> bool:
        """Return whether a database session ends with a connection that ended and was not swept."""
        return session.how == AWAITED and self.is_unswept(session.context)

    def is_unswept(self, context: Context) -> bool:
        """Return whether a context is of a connection that came due, and was not swept."""
        names = [self.sockets.get(handle) for handle in self.core.connections.awaiting_sweep]
        return context.connection is not None and context.connection in names

    def stop(self) -> None:
        """End everything, and tell those who are there."""
        for request in self.requests.all():
            self.requests.cancel(request)
        for manager in list(self.core.connections.managers.values()):
            self.core.connections.end(manager, GOING_AWAY)
        self.core.connections.sweep()

    def start(self) -> None:
        """Begin anew with what is stored; kept contexts stay."""
        before = self.core
        core = State(self.settings, self._tell, self.clock)
        core.contexts, core.generated_ids = before.contexts, before.generated_ids
        core.sessions.uses = before.sessions.uses
        core.connections.closed, core.connections.ended = (
            before.connections.closed,
            before.connections.ended,
        )
        closed = [*self.databases.closed, *self.databases.open]
        self._begin(core, closed)
        for found in self.turns.in_order():
            expires_s = found.active_s + self.settings.session_ttl_s
            if not found.is_ended and expires_s > self.clock.now_s:
                core.sessions.restore(*found.key, found.run, found.active_s)
                self._take_up(found)
        self.settle()

    def crash(self) -> None:
        """Forget all that is not stored; nobody is told."""
        for names in (self.core.connections.closed, self.core.connections.ended):
            names.clear()
        for exchange in self.exchanges.values():
            exchange.is_over = True
        self.start()

    def _take_up(self, found: Conversation) -> None:
        """Go on with the last message of a conversation, if it is to be answered."""
        question = found.question
        if question is None:
            return
        request = Request(
            *(question.kind, question.fields, question.agent),
            self.core.sessions.live[found.key],
            Heading(found.key, found.run, question.message),
            asker=None,
            used=found.used,
            step=question.step,
            history=found.turns[:-1][-HISTORY_TURNS:],
        )
        self.requests.put(request)

    def _begin(self, core: State, closed: list[Handle]) -> None:
        """Make all parts that do not outlive a stop."""
        self.core = core
        self.processes = Processes(self.clock, gated=self.processes.gated)
        self.storage = Storage(self.settings, self.clock, self.processes)
        self.databases = Databases(self.storage, self.processes, closed)
        self.delivery = Delivery(core, self._tell)
        self.subscriptions = Subscriptions(core)
        handling = Handling(
            *(self.settings, self.clock, self.turns),
            *(self.storage, self.delivery, self.subscriptions),
            self.processes.shut,
        )
        self.handling = handling
        self.requests = Requests(
            *(self.settings, self.clock, self.processes, self.delivery),
            *(handling.handle, handling.give_up),
        )
        self.sockets: dict[Handle, Id] = {}
        self.processes.start(self._sweeps())
        self.processes.run()

    def _let_go(self) -> None:
        """Cancel requests whose session has ended; close what ends with its connection."""
        live = self.core.sessions.live
        for request in self.requests.all():
            if live.get(request.key) is not request.session:
                self.requests.cancel(request)
        self._close_databases()
        self.requests.forget_stopped()
        self.requests.dispatch()

    def _close_databases(self) -> None:
        """Close those of connections that were closed, or whose name is another one's now."""
        connections = self.core.connections
        if connections.live.keys() == self.sockets.keys():
            return
        live = {handle: each.name for handle, each in connections.live.items()}
        for handle, name in list(self.sockets.items()):
            has_successor = handle not in live and name in live.values()
            if has_successor or (handle not in live and handle not in connections.awaiting_sweep):
                del self.sockets[handle]
                self.databases.close_of(name)
        self.sockets |= live

    def _sweeps(self) -> Steps:
        next_s = self.clock.now_s
        while True:
            next_s += self.settings.sweep_interval_s
            yield Until(next_s)
            try:
                yield from self.sweep()
            except (PoolTimeout, StorageFailed) as error:
                self.core.counts.sweep_errors += 1
                self.storage.note(error)

    def _remove(self, key: Key, active_s: float) -> None:
        """Remove a conversation, unless it has a turn since then."""
        found = self.turns.stored.get(key)
        if found and found.active_s == active_s:
            self.turns.delete(key)

    def _next_s(self) -> float:
        return min(self.core.next_due_s(), self.processes.next_s(), self.requests.next_s())
