"""The driver of our own chat service, on a loop that is turned by hand and a disk of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from itertools import count
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from drivers.inline_sqlite import Process, make_disk
from drivers.service_agent import WatchedAgent, Words
from drivers.service_databases import Block, HeldSession, opened
from drivers.service_exchanges import Exchange
from drivers.service_frames import body, frame
from drivers.service_shared import Reached
from drivers.service_shown import by_thread, since_start
from drivers.sessions import SessionsDriver, Told
from drivers.sessions_clock import PumpedClock
from drivers.sessions_shown import START_S, shown_context
from drivers.sessions_socket import Socket, Sockets
from harness.clock import VirtualClock
from harness.contract import Census
from harness.outcome import Ok, Outcome, Refused
from harness.pump import Pump
from models.chat_service import CHAT_SERVICE
from models.chat_service.flaws import FLAWS
from sessions import ChatSystem, Settings, UserExecutionContext
from sessions.routes.reply import Reply
from sessions.service import ChatService
from sessions.storage.database import Database

OK = 200


class ServiceDriver(SessionsDriver):
    """Calls one ChatService after another on one disk; each outcome tells what arrived, by thread.

    A service that crashed is kept, and never run again: its tasks stay where they were.
    """

    contract = CHAT_SERVICE

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
        self._crashed: list[tuple[Pump, ChatService]] = []
        self._pump = Pump(self._clock)
        self._begin()

    def close(self) -> None:
        self._process.crash()
        for pump in [*(crashed for crashed, _ in self._crashed), self._pump]:
            pump.close()
        self._disk.remove()

    def connect(self, user: str, thread: str | None, name: str | None, peer: str) -> Outcome:
        socket = self._sockets.make(peer)
        connect = self._service.handle_websocket_connection

        async def work() -> object:
            context = await connect(socket, user, thread, name)
            return {"socket": socket, **shown_context(context)}

        outcome = self._await(work())
        if isinstance(outcome, Refused):
            self._sockets.forget(socket)
        return outcome

    def disconnect(self, connection: Socket, code: int) -> Outcome:
        self._sockets.forget(connection)
        return self._await(self._service.handle_websocket_disconnect(connection, code))

    def say(
        self,
        connection: Socket,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> Outcome:
        self._words.tell(text, agent)
        return self._send(connection, frame("user_message", {"text": text}, thread, run, message))

    def start_agent(
        self,
        connection: Socket,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> Outcome:
        self._words.tell(text, agent)
        return self._send(
            connection, frame("start_agent", {"user_request": text}, thread, run, message)
        )

    def history(self, connection: Socket, thread: str | None, limit: int | None) -> Outcome:
        return self._send(connection, frame("get_thread_history", {"limit": limit}, thread))

    def stop_agent(self, connection: Socket, thread: str | None) -> Outcome:
        return self._send(connection, frame("stop_agent", {}, thread))

    def ping_thread(self, connection: Socket, thread: str | None) -> Outcome:
        return self._send(connection, frame("ping", {}, thread))

    def malformed(self, connection: Socket, flaw: str) -> Outcome:
        return self._send(connection, FLAWS[flaw].frame)

    def subscribe(self, connection: Socket, thread: str | None, action: str) -> Outcome:
        return self._send(connection, frame("subscribe_quality_alerts", {"action": action}, thread))

    def quality_metrics(
        self, connection: Socket, thread: str | None, agent_name: str | None, hours: int | None
    ) -> Outcome:
        payload = {"agent_name": agent_name, "period_hours": hours}
        return self._send(connection, frame("get_quality_metrics", payload, thread))

    def quality_report(
        self, connection: Socket, thread: str | None, report: str | None, period: str | None
    ) -> Outcome:
        payload = {"report_type": report, "period": period}
        return self._send(connection, frame("generate_quality_report", payload, thread))

    def validate(
        self,
        connection: Socket,
        thread: str | None,
        content: str,
        content_type: str | None,
        strict: bool | None,  # noqa: FBT001  # a field of the frame
    ) -> Outcome:
        payload = {"content": content, "content_type": content_type, "strict_mode": strict}
        return self._send(connection, frame("validate_content", payload, thread))

    def post(
        self,
        user: str,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> Outcome:
        self._words.tell(text, agent)
        exchange = self._exchange()
        given = body(text, thread, run, message)
        return self._act(exchange.post(self._service.agent_route, user, given), exchange=exchange)

    def post_stream(
        self,
        user: str,
        thread: str | None,
        run: str | None,
        message: str | None,
        text: str,
        agent: str,
    ) -> Outcome:
        self._words.tell(text, agent)
        exchange = self._exchange()
        given = body(text, thread, run, message)
        return self._act(
            exchange.post_stream(self._service.agent_route, user, given), exchange=exchange
        )

    def threads(self, user: str) -> Outcome:
        return self._reply(self._service.messages_route.threads(user))

    def thread_messages(self, user: str, thread: str, limit: int | None) -> Outcome:
        return self._reply(self._service.messages_route.messages(user, thread, limit))

    def delete_thread(self, user: str, thread: str) -> Outcome:
        return self._reply(self._service.thread_route.delete_thread(user, thread))

    def broadcast(self, event: str, text: str) -> Outcome:
        service = self._service
        broadcasts = {
            "quality_update": service.broadcast_quality_update,
            "quality_alert": service.broadcast_quality_alert,
        }
        return self._await(broadcasts[event]({"text": text}))

    def invalidate(self, user: str) -> Outcome:
        return self._await(self._service.invalidate_user_sessions(user))

    def sweep(self) -> Outcome:
        return self._await(self._service.sweep())

    def metrics(self) -> Outcome:
        counts = self._service.metrics()
        return self._within(lambda: {**asdict(counts.system), **asdict(counts.queue)})

    def restart(self) -> Outcome:
        stopped = self._await(self._service.stop())
        self._begin()
        return stopped

    def crash(self) -> Outcome:
        self._process.crash()
        self._crashed.append((self._pump, self._service))
        self._sockets.open.clear()
        self._pump = Pump(self._clock)
        self._begin()
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
            return {"session": held}

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
        own = {each.task for each in (*self._exchanges, *self._databases)}
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

    def _begin(self) -> None:
        """Let a new service take over the disk."""
        self._process = Process(self._disk)
        system = ChatSystem(
            settings=self._settings,
            clock=PumpedClock(self._clock),
            counter=count(1),
            entropy=lambda size: next(self._numbers).to_bytes(max(8, size), "big")[-size:],
        )
        database = Database(
            system.clock, self._settings, self._disk.url, make_engine=self._process.make_engine
        )
        agent = WatchedAgent(self._words, system.clock, self._reached.see)
        self._service = self._make(system, database=database, agent=agent)
        self._system = self._service.system
        self._pump.call(self._service.start())
        self._pump.settle()

    def _exchange(self) -> Exchange:
        exchange = Exchange(self._sockets.arrive)
        self._exchanges = [each for each in self._exchanges if each.is_open()] + [exchange]
        return exchange

    def _send(self, connection: Socket, data: str | bytes) -> Outcome:
        return self._act(self._service.receive(connection, data))

    def _act(self, work: Coroutine[Any, Any, None], **own: object) -> Outcome:
        """Do what can begin a session, or give it another run; tell the ids that are new."""
        before = self._system.registry.live()
        self._pump.call(work)
        self._pump.settle()
        now = self._system.registry.live().items()
        for key, run in (item for item in now if item not in before.items()):
            own |= {"thread": key.thread_id, "run": run}
        return self._done(own or None)

    def _reply(self, work: Coroutine[Any, Any, Reply]) -> Outcome:
        """Return the body of a reply, or refuse by its code."""

        async def body_of() -> object:
            reply = await work
            if reply.status != OK:
                raise Told(str(reply.body["code"]))
            return since_start(reply.body)

        return self._await(body_of())

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
