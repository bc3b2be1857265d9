"""The life of a driven chat service: one after another on one disk, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from threadline.clock import VirtualClock
from threadline.contract import Census
from threadline.leaks.variables import modules_of
from threadline.lockstep.pump import Pump
from threadline.outcome import Ok, Outcome

from drivers.inline_sqlite import Process, make_disk
from drivers.service_agent import WatchedAgent, Words
from drivers.service_databases import Block, HeldSession, opened
from drivers.service_exchanges import Exchange
from drivers.service_shared import Reached
from drivers.service_shown import by_thread
from drivers.sessions import SessionsDriver, Told
from drivers.sessions_clock import PumpedClock
from drivers.sessions_shown import START_S
from drivers.sessions_socket import Sockets
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.service import ChatService
from sessions.storage.database import Database


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

    One that crashed is kept, and never run again: its tasks stay where they were.
    """

    def __init__(self, make: Callable[..., ChatService] = ChatService, **settings: Any) -> None:
        self._make = make
        self._settings = Settings(**settings)
        self._clock = VirtualClock(START_S)
        self._numbers = count()
        self._disk = make_disk()
        self._sockets = Sockets()
        self._words = Words()
        self._reached = Reached()
        self._exchanges: list[Exchange] = []
        self._databases: list[HeldSession] = []
        self._crashed: list[Life] = []
        self._begin(Pump(self._clock))

    def roots(self) -> Mapping[str, object]:
        return {"service": self._service, "loop": self._pump.loop, **modules_of("sessions")}

    def forget(self) -> None:
        super().forget()
        self._reached.clear()
        self._words.clear()
        while self._databases:  # no name is left to this frame, which tracebacks can keep
            # It has its session until the end of the run, however soon it was closed.
            self._databases.pop(0).task.cancel()
        self._exchanges = [each for each in self._exchanges if each.is_open()]
        self._pump.settle()
        for life in self._crashed:
            life.end()
        self._crashed.clear()

    def close(self) -> None:
        for life in (*self._crashed, self._life):
            life.end()
        self._disk.remove()

    def invalidate(self, user: str) -> Outcome:
        return self._await(self._service.invalidate_user_sessions(user))

    def sweep(self) -> Outcome:
        return self._await(self._service.sweep())

    def metrics(self) -> Outcome:
        def read() -> object:
            counts = self._service.metrics()
            return {**asdict(counts.system), **asdict(counts.queue)}

        return self._within(read)

    def restart(self) -> Outcome:
        stopped = self._await(self._service.stop())
        self._begin(self._pump)
        return stopped

    def crash(self) -> Outcome:
        self._life.process.crash()
        self._crashed.append(self._life)
        for held in self._databases:
            held.crash()
        self._sockets.open.clear()
        self._begin(Pump(self._clock))
        return self._done(None)

    def storage_fails(self) -> Outcome:
        self._disk.fails = True
        return self._done(None)

    def storage_recovers(self) -> Outcome:
        self._disk.fails = False
        return self._done(None)

    def open_database_session(self, context: UserExecutionContext, how: str) -> Outcome:
        async def work() -> object:
            held = await opened(self._service.session_factory, context, how)
            self._databases.append(held)
            under = held.context
            ids = {"thread": under.thread_id, "run": under.run_id, "request": under.request_id}
            return {"session": held, **ids}

        return self._await(work())

    def write_database(self, session: HeldSession) -> Outcome:
        return self._await(session.write())

    def read_database(self, session: HeldSession) -> Outcome:
        return self._await(session.read())

    def commit_database(self, session: HeldSession) -> Outcome:
        return self._await(session.commit())

    def roll_back_database(self, session: HeldSession) -> Outcome:
        return self._await(session.roll_back())

    def close_database(self, session: HeldSession) -> Outcome:
        return self._await(session.close())

    def raise_in_database(self, session: Block) -> Outcome:
        return self._await(session.raise_inside())

    def cancel_database(self, session: Block) -> Outcome:
        return self._await(session.cancel())

    def census(self) -> Census:
        held = self._service.census()
        for context in self._service.quality.subscriptions().values():
            self._reached.see(context)
        own = {each.task for each in self._exchanges} | {each.task for each in self._databases}
        return {
            **super().census(),
            "tasks": len(set(self._pump.tasks()) - own),
            "requests": {tuple(key): waiting for key, waiting in held.requests.items()},
            "subscriptions": {tuple(key) for key in held.subscriptions},
            "dead_letters": held.dead_letters,
            "places": {"taken": held.database.places_taken},
            "database_sessions": held.database.sessions_open,
            "shared": self._reached.shared(),
        }

    def _begin(self, pump: Pump) -> None:
        """Let a new service take over the disk."""
        process = Process(self._disk)
        numbers = self._numbers  # the system must not lead to its driver
        system = ChatSystem(
            settings=self._settings,
            clock=PumpedClock(self._clock),
            counter=count(1),
            entropy=lambda size: next(numbers).to_bytes(max(8, size), "big")[-size:],
        )
        database = Database(
            system.clock, self._settings, self._disk.url, make_engine=process.make_engine
        )
        agent = WatchedAgent(self._words, system.clock, self._reached.see)
        self._service = self._make(system, database=database, agent=agent)
        self._system = self._service.system
        self._pump = pump
        self._life = Life(pump, process, self._service)
        self._pump.call(self._service.start())
        self._pump.settle()

    def _act(self, work: Coroutine[Any, Any, None], **own: object) -> Outcome:
        """Do what can begin a session, or give it another run; tell the ids that are new."""
        before = self._system.registry.live()
        self._pump.call(work)
        self._pump.settle()
        now = self._system.registry.live().items()
        for key, run in (item for item in now if item not in before.items()):
            own |= {"thread": key.thread_id, "run": run}
        return self._done(own or None)

    def _await(self, work: Coroutine[Any, Any, object]) -> Outcome:
        return super()._await(_translated(work))

    def _done(self, value: object) -> Outcome:
        if isinstance(value, dict) and "context" in value:
            self._reached.see(value["context"])
        arrived = self._sockets.take_arrived().items()
        sent = {receiver: by_thread(events) for receiver, events in arrived}
        return Ok({"value": value, "sent": sent} if sent else value)


async def _translated(work: Coroutine[Any, Any, object]) -> object:
    """Await a call; what its storage raises is a refusal."""
    try:
        return await work
    except SQLAlchemyError as error:
        raise Told("storage_error") from error
