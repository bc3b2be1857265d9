"""The driver of our own session manager, on a loop that is turned by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, replace
from itertools import count
from typing import Any

from threadline.clock import VirtualClock
from threadline.contract import Census, Driver
from threadline.leaks.variables import modules_of
from threadline.lockstep.pump import Pump
from threadline.outcome import Ok, Outcome, Refused

from drivers.sessions_clock import PumpedClock
from drivers.sessions_shown import START_S, shown_context, shown_form, shown_session, tampered
from drivers.sessions_socket import Socket, Sockets
from models.session_manager import SESSION_MANAGER
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.errors import RefusedError
from sessions.key import IsolationKey

Key = tuple[str, str]


class Told(Exception):
    """A refusal that the system tells by something else than an exception of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SessionsDriver(Driver):
    """Calls one ChatSystem, and turns its refusals into outcomes.

    Time stands still but for `wait`, so that all ids between two waits are of one millisecond.
    Every outcome tells what arrived at the sockets since the last one.
    """

    contract = SESSION_MANAGER
    foreign = ("sqlalchemy", "aiosqlite", "sqlite3", "fastapi", "starlette", "prometheus_client")

    def __init__(self, make: Callable[..., ChatSystem] = ChatSystem, **settings: Any) -> None:
        clock = VirtualClock(START_S)
        numbers = count()
        self._pump = Pump(clock)
        self._sockets = Sockets()
        self._system = make(
            settings=Settings(**settings),
            clock=PumpedClock(clock),
            counter=count(1),
            entropy=lambda size: next(numbers).to_bytes(max(8, size), "big")[-size:],
        )
        self._within(self._system.start)

    def roots(self) -> Mapping[str, object]:
        return {"system": self._system, "loop": self._pump.loop, **modules_of("sessions")}

    def forget(self) -> None:
        super().forget()
        self._pump.errors.clear()

    def close(self) -> None:
        self._pump.close()

    def get(self, user: str, thread: str | None, run: str | None) -> Outcome:
        contexts = self._system.contexts
        return self._within(
            lambda: shown_context(contexts.get_user_execution_context(user, thread, run))
        )

    def get_session(self, user: str, thread: str | None, run: str | None) -> Outcome:
        get = self._system.ids.get_or_create_user_session
        return self._within(lambda: shown_session(get(user, thread, run)))

    def create(self, user: str, thread: str | None, run: str | None) -> Outcome:
        create = self._system.contexts.create_user_execution_context
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = self._within(lambda: shown_context(create(user, thread, run, object())))
        return replace(outcome, warnings=tuple(each.category.__name__ for each in caught))

    def existing(self, user: str, thread: str | None) -> Outcome:
        look = self._system.ids.get_existing_session
        return self._within(lambda: shown_session(look(user, thread)))

    def from_websocket(self, user: str, name: str | None, additional: tuple[str, ...]) -> Outcome:
        tags = list(additional)
        given = {"tags": tags} if tags else None
        begin = self._system.contexts.from_websocket_request

        def work() -> object:
            context = begin(user, name, given)
            tags.append("added by the caller, later")
            return shown_context(context)

        return self._within(work)

    def invalidate(self, user: str) -> Outcome:
        return self._await(self._system.invalidate_user_sessions(user))

    def clean_up_sessions(self) -> Outcome:
        return self._within(self._system.registry.cleanup_expired_sessions)

    def child(self, context: UserExecutionContext, deep: int) -> Outcome:
        def descend() -> object:
            inner = context
            for _ in range(deep):
                inner = inner.child("part", self._system.ids)
            return shown_context(inner)

        return self._within(descend)

    def tamper(self, context: UserExecutionContext) -> Outcome:
        return self._within(lambda: shown_context(tampered(context)))

    def base_id(self, prefix: str, random_length: int) -> Outcome:
        has_random = random_length > 0

        def make() -> object:
            made = self._system.ids.generate_base_id(prefix, has_random, random_length)
            return {"id": made, **shown_form(made, has_random=has_random)}

        return self._within(make)

    def context_ids(self, user: str, purpose: str) -> Outcome:
        def make() -> object:
            thread, run, request = self._system.ids.generate_user_context_ids(user, purpose)
            return {
                "thread": thread,
                "run": run,
                "request": request,
                "thread holds run": thread == f"thread_{run}",
                "run form": shown_form(run),
                "request form": shown_form(request),
            }

        return self._within(make)

    def websocket_ids(self, user: str) -> Outcome:
        def make() -> object:
            client = self._system.ids.generate_websocket_client_id(user)
            connection = self._system.ids.generate_websocket_connection_id(user)
            return {
                "client": client,
                "client form": shown_form(client),
                "connection": connection,
                "connection form": shown_form(connection),
            }

        return self._within(make)

    def read_id(self, text: str) -> Outcome:
        def read() -> object:
            ids = self._system.ids
            parsed = ids.parse_id(text)
            made_s = parsed.ms / 1000 - START_S if parsed else None
            valid, age_s = ids.is_valid_id(text), float(ids.get_id_age(text))
            return {"valid": valid, "made_s": made_s, "age_s": age_s}

        return self._within(read)

    def connect(self, user: str, thread: str | None, name: str | None, peer: str) -> Outcome:
        socket = self._sockets.make(peer)

        async def work() -> object:
            context = await self._system.connector.connect(socket, user, thread, name)
            return {"socket": socket, **shown_context(context)}

        outcome = self._await(work())
        if isinstance(outcome, Refused):
            self._sockets.forget(socket)
        return outcome

    def disconnect(self, connection: Socket, code: int) -> Outcome:
        self._sockets.forget(connection)
        leave = self._system.connector.handle_websocket_disconnect
        return self._await(leave(connection, code))

    def message(
        self, user: str, thread: str | None, run: str | None, connection: Socket | None, text: str
    ) -> Outcome:
        name = connection.name if connection else None

        async def work() -> object:
            router = self._system.router
            return shown_context(await router.message(user, text, thread, run, name, text))

        return self._await(work())

    def ping(self, user: str, connection: Socket, thread: str | None) -> Outcome:
        return self._await(self._system.router.ping(user, connection.name, thread))

    def deliver(self, user: str, thread: str, text: str) -> Outcome:
        deliver = self._system.router.deliver
        return self._await(deliver(user, thread, "agent_thinking", {"text": text}))

    def stall(self, connection: Socket) -> Outcome:
        return self._within(connection.stall)

    def resume(self, connection: Socket) -> Outcome:
        return self._within(connection.resume)

    def cut(self, connection: Socket) -> Outcome:
        return self._within(connection.cut)

    def mend(self, connection: Socket) -> Outcome:
        return self._within(connection.mend)

    def create_manager(self, context: UserExecutionContext | None, user: str | None) -> Outcome:
        async def work() -> object:
            manager = await self._system.factory.create_manager(context, user)
            return shown_context(manager.context)

        return self._await(_named(work()))

    def get_manager(self, key: Key | None, context: UserExecutionContext | None) -> Outcome:
        async def work() -> object:
            wanted = IsolationKey(*key) if key else None
            found = await self._system.factory.get_manager(wanted, context)
            return tuple(found.key) if found else None

        return self._await(_named(work()))

    def cleanup_manager(self, key: Key | None, context: UserExecutionContext | None) -> Outcome:
        wanted = IsolationKey(*key) if key else None
        return self._await(_named(self._system.factory.cleanup_manager(wanted, context)))

    def manager_count(self, user: str) -> Outcome:
        return self._await(self._system.factory.get_user_manager_count(user))

    def wait(self, seconds: int) -> Outcome:
        self._pump.advance(seconds)
        return self._done(None)

    def sweep(self) -> Outcome:
        return self._within(self._system.sweep)

    def metrics(self) -> Outcome:
        return self._within(lambda: asdict(self._system.metrics()))

    def census(self) -> Census:
        held = self._system.census()
        return {
            "sessions": {tuple(key): run for key, run in held.sessions.items()},
            "managers": {tuple(key): held.queued[key] for key in held.managers},
            "connections": {name: tuple(key) for name, key in held.connections.items()},
            "open": set(self._sockets.open),
            "closed": self._sockets.take_closed(),
            "tasks": len(self._pump.tasks()),
        }

    def _within(self, function: Callable[[], object]) -> Outcome:
        """Call a function on the system's loop."""

        async def work() -> object:
            return function()

        return self._await(work())

    def _await(self, work: Coroutine[Any, Any, object]) -> Outcome:
        try:
            value = self._pump.call(work)
        except (RefusedError, Told) as error:
            self._pump.settle()
            return Refused(error.reason)
        self._pump.settle()
        return self._done(value)

    def _done(self, value: object) -> Outcome:
        sent = self._sockets.take_arrived()
        return Ok({"value": value, "sent": sent} if sent else value)


async def _named(work: Coroutine[Any, Any, object]) -> object:
    """Await a call that names a manager; refusals that are ValueErrors too stay what they are."""
    try:
        return await work
    except RefusedError:
        raise
    except ValueError:
        raise Told("nothing given") from None
