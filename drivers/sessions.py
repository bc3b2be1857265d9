"""The driver of our own session manager, on a loop that is turned by hand."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import count
from operator import attrgetter
from types import ModuleType
from typing import Any

from threadline import Census, Driver, Ok, Refuse, Refused
from threadline.driver import modules_of

from drivers.sessions_shown import START_S, shown_context, shown_form, shown_session, tampered
from drivers.sessions_socket import Socket, Sockets
from models.session_manager import SessionManagerModel
from models.session_manager.plain_data import added, described, spoil
from models.session_manager.socket_faults import WELL
from sessions import ChatSystem, Settings, UserExecutionContext, default
from sessions.errors import RefusedError
from sessions.event import Connection
from sessions.ids import IsolationKey

Key = tuple[str, str]


class SessionsDriver(Driver[SessionManagerModel]):
    """Calls one ChatSystem; what arrives at a socket is told to it.

    What can be called without a system of one's own is called so, with it as the process default.
    Time stands still but for `wait`, so that all ids between two waits are of one millisecond.
    Every call is made on the loop, as everything but ids belongs to it.
    """

    refuses = {RefusedError: attrgetter("reason")}
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3", "fastapi", "starlette", "prometheus_client")

    def __init__(self, **settings: Any) -> None:
        numbers = count()
        self._sockets = Sockets(self.tell, self.io)
        self._system = ChatSystem(
            settings=Settings(**settings),
            clock=self.clock,
            counter=count(1),
            entropy=lambda size: next(numbers).to_bytes(max(8, size), "big")[-size:],
        )
        self.pump.call(self._start_system())

    async def _start_system(self) -> None:
        self._system.start()

    def roots(self) -> Mapping[str, object]:
        return {"system": self._system, "loop": self.pump.loop, **modules_of("sessions")}

    async def get(self, user: str, thread: str | None, run: str | None) -> object:
        return self._shown(self._default.get_user_execution_context(user, thread, run))

    async def get_session(self, user: str, thread: str | None, run: str | None) -> object:
        get = self._default.UnifiedIdGenerator.get_or_create_user_session
        return shown_session(get(user, thread, run))

    async def create(self, user: str, thread: str | None, run: str | None) -> object:
        create = self._default.create_user_execution_context
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome: Ok | Refused
            try:
                outcome = Ok(self._shown(create(user, thread, run, object())))
            except RefusedError as error:
                outcome = Refused(error.reason, text=str(error))
        return replace(outcome, warnings=tuple(each.category.__name__ for each in caught))

    async def existing(self, user: str, thread: str | None) -> object:
        get = self._default.UnifiedIdGenerator.get_existing_session
        return shown_session(get(user, thread))

    async def from_websocket(
        self, user: str, name: str | None, additional: tuple[str, ...]
    ) -> object:
        tags = list(additional)
        given = {"tags": tags} if tags else None
        begin = self._default.UserExecutionContext.from_websocket_request
        context = begin(user, name, given)
        tags.append("added by the caller, later")
        return self._shown(context)

    async def invalidate(self, user: str) -> object:
        return await self._system.invalidate_user_sessions(user)

    async def clean_up_sessions(self) -> int:
        ended: int = self._default.UnifiedIdGenerator.cleanup_expired_sessions()
        return ended

    async def child(self, context: UserExecutionContext, deep: int) -> object:
        for _ in range(deep):
            context = context.child("part", self._system.ids)
        return self._shown(context)

    async def tamper(self, context: UserExecutionContext) -> object:
        return self._shown(tampered(context))

    async def base_id(self, prefix: str, random_length: int) -> object:
        has_random = random_length > 0
        made = self._default.UnifiedIdGenerator.generate_base_id(prefix, has_random, random_length)
        return {"id": made, **shown_form(made, has_random=has_random)}

    async def context_ids(self, user: str, purpose: str) -> object:
        generate = self._default.UnifiedIdGenerator.generate_user_context_ids
        thread, run, request = generate(user, purpose)
        return {
            "thread": thread,
            "run": run,
            "request": request,
            "thread holds run": thread == f"thread_{run}",
            "run form": shown_form(run),
            "request form": shown_form(request),
        }

    async def websocket_ids(self, user: str) -> object:
        ids = self._default.UnifiedIdGenerator
        client = ids.generate_websocket_client_id(user)
        connection = ids.generate_websocket_connection_id(user)
        return {
            "client": client,
            "client form": shown_form(client),
            "connection": connection,
            "connection form": shown_form(connection),
        }

    async def read_id(self, text: str) -> object:
        ids = self._default.UnifiedIdGenerator
        parsed = ids.parse_id(text)
        made_s = parsed.ms / 1000 - START_S if parsed else None
        valid, age_s = ids.is_valid_id(text), float(ids.get_id_age(text))
        return {"valid": valid, "made_s": made_s, "age_s": age_s}

    async def connect(self, user: str, thread: str | None, name: str | None, peer: str) -> object:
        socket = self._sockets.make(peer)
        try:
            context = await self._system.connector.connect(socket, user, thread, name)
        except RefusedError:
            self._sockets.forget(socket)
            raise
        return {"socket": socket, **self._shown(context)}

    async def disconnect(self, connection: Socket, code: int) -> bool:
        self._sockets.forget(connection)
        return await self._system.connector.handle_websocket_disconnect(connection, code)

    async def message(
        self, user: str, thread: str | None, run: str | None, connection: Socket | None, text: str
    ) -> object:
        name = connection.name if connection else None
        router = self._system.router
        return self._shown(await router.message(user, text, thread, run, name, text))

    async def write_over(
        self, user: str, thread: str | None, run: str | None, name: str | None, text: str
    ) -> object:
        return self._shown(await self._system.router.message(user, text, thread, run, name, text))

    async def ping_over(self, user: str, name: str, thread: str | None) -> None:
        await self._system.router.ping(user, name, thread)

    async def begin_with(self, user: str, name: str | None, additional: str) -> object:
        given: Any = added(additional)
        context = self._system.contexts.from_websocket_request(user, name, given)
        spoil(given)
        spoil(context.additional_context)
        ids = {"thread": context.thread_id, "run": context.run_id}
        return {**ids, "additional": described(context.additional_context)}

    async def begin_manager(self, user: str, name: str | None) -> object:
        factory = self._default.WebSocketManagerFactory()
        return self._shown((await factory.create_manager(None, user, name)).context)

    async def attach_stranger(
        self, context: UserExecutionContext, other: UserExecutionContext
    ) -> None:
        manager = self._system.factory.find_of(context)
        if manager is None:
            raise Refuse("no manager")
        if (other.user_id, other.thread_id) == tuple(manager.key):
            raise Refuse("no stranger")
        settings, metrics = self._system.settings, self._system.dependencies.metrics
        socket = Socket(self._sockets, WELL)
        stranger = Connection(other, socket, settings, metrics, _do_nothing, _do_nothing)
        manager.attach(stranger)

    async def ping(self, user: str, connection: Socket, thread: str | None) -> None:
        await self._system.router.ping(user, connection.name, thread)

    async def deliver(self, user: str, thread: str, text: str) -> None:
        await self._system.router.deliver(user, thread, "agent_thinking", {"text": text})

    async def stall(self, connection: Socket) -> None:
        connection.stall()

    async def resume(self, connection: Socket) -> None:
        connection.resume()

    async def cut(self, connection: Socket) -> None:
        connection.cut()

    async def mend(self, connection: Socket) -> None:
        connection.mend()

    async def create_manager(
        self, context: UserExecutionContext | None, user: str | None
    ) -> object:
        with _nothing_given():
            manager = await self._default.WebSocketManagerFactory().create_manager(context, user)
        return self._shown(manager.context)

    async def get_manager(self, key: Key | None, context: UserExecutionContext | None) -> object:
        with _nothing_given():
            found = await self._system.factory.get_manager(_key(key), context)
        return tuple(found.key) if found else None

    async def cleanup_manager(self, key: Key | None, context: UserExecutionContext | None) -> bool:
        with _nothing_given():
            return await self._system.factory.cleanup_manager(_key(key), context)

    async def manager_count(self, user: str) -> int:
        count_of = self._default.WebSocketManagerFactory().get_user_manager_count
        managers: int = await count_of(user)
        return managers

    async def sweep(self) -> None:
        self._system.sweep()

    async def metrics(self) -> object:
        counts = self._system.metrics()
        shown = asdict(counts) | self._timed()
        spoil(counts)
        return shown

    def _timed(self) -> dict[str, object]:
        """Return how many gets took how long: all of them less than the first upper end."""
        times = self._system.registry.times
        return {"gets_timed": times.buckets()[0][1], "get_seconds": times.sum_s()}

    @property
    def _default(self) -> ModuleType:
        """The functions that anybody may call, of whom this system is the process default now."""
        default.set_default_system(self._system)
        return default

    def _shown(self, context: UserExecutionContext) -> dict[str, object]:
        return shown_context(context)

    def close(self) -> None:
        default.set_default_system(None)
        super().close()

    def census(self) -> Census:
        held = self._system.census()
        return {
            "sessions": {tuple(key): run for key, run in held.sessions.items()},
            "managers": {tuple(key): held.queued[key] for key in held.managers},
            "connections": {name: tuple(key) for name, key in held.connections.items()},
            "open": set(self._sockets.open),
            "closed": self._sockets.take_closed(),
            "tasks": len(self.pump.tasks()),
        }


def _do_nothing(_: Connection) -> None:
    """Take no note of what became of a connection."""


def _key(given: Key | None) -> IsolationKey | None:
    return IsolationKey(*given) if given else None


@contextmanager
def _nothing_given() -> Iterator[None]:
    """Refuse where neither key nor context was given; refusals that are ValueErrors stay as is."""
    try:
        yield
    except RefusedError:
        raise
    except ValueError:
        raise Refuse("nothing given") from None
