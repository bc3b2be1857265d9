"""The life of a driven chat service: one after another on one disk, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from threadline import Census
from threadline.driver import modules_of
from threadline.pump import Pump

from drivers.disk import Process, make_disk
from drivers.service_agent import PUNCTUAL, PUNCTUAL_S, WatchedAgent, Words, asked
from drivers.service_at_once import act_at_once, with_new_ids
from drivers.service_databases import Block, HeldSession, opened
from drivers.service_doors import Doors
from drivers.service_exchanges import Exchange
from drivers.service_shared import Reached
from drivers.service_shown import compared, counted, of_kinds, since_start
from drivers.sessions import SessionsDriver
from drivers.sessions_socket import Sockets
from models.session_manager.plain_data import spoil
from sessions import ChatSystem, Settings, UserExecutionContext, default
from sessions.metrics import Metrics
from sessions.queue import QueueCounts
from sessions.service import ChatService
from sessions.storage.database import Database
from sessions.storage.lease import DatabaseTakenError


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """One process: its loop, what it has open of the disk, and its service."""

    pump: Pump
    process: Process
    service: ChatService

    def end(self) -> None:
        self.process.crash()
        self.pump.close()


class ServiceLife(SessionsDriver):
    """Starts a service, stops or crashes it, and starts the next on what it stored.

    One that crashed is kept, and never run again: its tasks stay where they were. What arrives is
    told by socket or exchange and thread, as order holds within a thread only.
    """

    refuses = {
        **SessionsDriver.refuses,
        SQLAlchemyError: "storage_error",
        DatabaseTakenError: "database taken",
    }

    def __init__(self, **settings: Any) -> None:
        self._settings = Settings(**settings)
        self._numbers = count()
        self._disk = make_disk()
        self._sockets = Sockets(self._tell_of_thread, self.io)
        self._words = Words()
        self._reached = Reached()
        self._doors = Doors()
        self._exchanges: list[Exchange] = []
        self._databases: list[HeldSession] = []
        self._crashed: list[Life] = []
        self._begin()

    def roots(self) -> Mapping[str, object]:
        return {"service": self._service, "loop": self.pump.loop, **modules_of("sessions")}

    def discard_notes(self) -> None:
        super().discard_notes()
        self._reached.clear()
        waiting = self._service.wiring.queue.messages()
        texts = {text for each in waiting if isinstance(text := asked(each), str)}
        self._words.clear(texts | self._disk.texts())
        while self._databases:  # no name is left to this frame, which tracebacks can keep
            # It has its session until the end of the run, however soon it was closed.
            self._databases.pop(0).task.cancel()
        self._exchanges = [each for each in self._exchanges if not each.is_over()]
        self.pump.settle()
        for life in self._crashed:
            life.end()
        self._crashed.clear()

    def close(self) -> None:
        default.set_default_service(None)
        for life in (*self._crashed, self._life):
            life.end()
        self._disk.remove()

    async def invalidate(self, user: str) -> object:
        async with self._doors.inside():
            return await self._service.invalidate_user_sessions(user)

    async def sweep(self) -> None:
        async with self._doors.inside():
            await self._service.sweep()

    async def metrics(self) -> object:
        counts = self._service.metrics()
        shown = {
            **counted(Metrics, counts.system),
            **counted(QueueCounts, counts.queue),
            **self._timed(),
            "storage_errors": of_kinds(counts.storage_errors),
        }
        spoil(counts)
        return shown

    async def restart(self) -> None:
        async with self._doors.shut():
            try:
                await self._service.stop()
            finally:
                self._make()
                await self._service.start()

    async def ready(self) -> str | None:
        return await self._service.wiring.readiness.problem()

    def crash(self) -> None:
        self._life.process.crash()
        self._crashed.append(self._life)
        for held in self._databases:
            held.crash()
        self._sockets.open.clear()
        self._exchanges.clear()
        self.abandon()
        self._begin()

    async def start_second(self) -> None:
        process = Process(self._disk)
        second = self._service_on(process)
        try:
            await second.start()
        finally:
            await second.stop()
            process.crash()

    def storage_fails(self) -> None:
        self._disk.fails = True

    def storage_recovers(self) -> None:
        self._disk.fails = False

    async def open_database_session(self, context: UserExecutionContext, how: str) -> object:
        held = await opened(self._default.RequestScopedSessionFactory(), context, how)
        self._databases.append(held)
        under = held.context
        ids = {"thread": under.thread_id, "run": under.run_id, "request": under.request_id}
        return {"session": held, **ids}

    async def write_database(self, session: HeldSession) -> None:
        await session.write()

    async def read_database(self, session: HeldSession) -> None:
        await session.read()

    async def commit_database(self, session: HeldSession) -> None:
        await session.commit()

    async def roll_back_database(self, session: HeldSession) -> None:
        await session.roll_back()

    async def close_database(self, session: HeldSession) -> None:
        await session.close()

    async def raise_in_database(self, session: Block) -> None:
        await session.raise_inside()

    async def cancel_database(self, session: Block) -> None:
        await session.cancel()

    def census(self) -> Census:
        held = self._service.census()
        for context in self._service.quality.subscriptions().values():
            self._reached.see(context)
        own = {each.task for each in self._exchanges} | {each.task for each in self._databases}
        return {
            **super().census(),
            "tasks": len(set(self.pump.tasks()) - own),
            "requests": {tuple(key): waiting for key, waiting in held.requests.items()},
            "subscriptions": {tuple(key) for key in held.subscriptions},
            "dead_letters": held.dead_letters,
            "responses": held.pending_responses,
            "exchanges": {each for each in self._exchanges if each.is_open()},
            "agents": self._words.running(),
            "sockets_without_database": sum(
                not hasattr(s, "db_session") for s in self._sockets.open
            ),
            "storage_errors": of_kinds(self._service.storage_errors.counts()),
            "places": {"taken": held.database.places_taken},
            "database_sessions": held.database.sessions_open,
            "shared": self._reached.shared(),
        }

    def _agree(self, text: str, word: str) -> None:
        """Set how the agent behaves on a text; for a punctual one, start its timer now."""
        self._words.tell(text, word)
        if word == PUNCTUAL:
            rings = self._words.clock(text)
            self.pump.loop.call_later(PUNCTUAL_S, rings.set)

    def _begin(self) -> None:
        """Start a new service on the disk."""
        self._doors = Doors()
        self._make()
        self.pump.call(self._service.start())
        self.pump.settle()

    def _make(self) -> None:
        """Make a new service on the disk."""
        process = Process(self._disk)
        self._words.start_again()
        self._service = self._service_on(process)
        self._system = self._service.system
        self._life = Life(self.pump, process, self._service)
        default.set_default_service(self._service)

    def _service_on(self, process: Process) -> ChatService:
        numbers = self._numbers  # the system must not lead to its driver
        system = ChatSystem(
            settings=self._settings,
            clock=self.clock,
            counter=count(1),
            entropy=lambda size: next(numbers).to_bytes(max(8, size), "big")[-size:],
        )
        database = Database(
            system.clock, self._settings, self._disk.url, make_engine=process.make_engine
        )
        agent = WatchedAgent(self._words, self._reached.see)
        return ChatService(system, database=database, agent=agent)

    def _act(self, work: Callable[[], Coroutine[Any, Any, None]], **own: object) -> object:
        """Do what can begin a session, or give it another run; tell the ids that are new."""
        if self.pump.schedule is not None:
            return self._act_at_once(work, own)
        before = self._system.registry.live()
        self.pump.call(work())
        self.pump.settle()
        return with_new_ids(before, self._system.registry.live(), own)

    async def _act_at_once(
        self, work: Callable[[], Coroutine[Any, Any, None]], own: dict[str, object]
    ) -> object:
        async with self._doors.inside():
            return await act_at_once(self._system.registry.live, work(), own)

    @property
    def _default(self) -> ModuleType:
        default.set_default_service(self._service)
        return default

    def _shown(self, context: UserExecutionContext) -> dict[str, object]:
        self._reached.see(context)
        return super()._shown(context)

    def _tell_of_thread(self, to: Hashable, event: Mapping[str, Any]) -> None:
        self.tell((to, event.get("thread_id")), since_start(compared(event)))
