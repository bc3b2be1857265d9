"""The part of the model that takes in messages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Self

from threadline import LATER, Handle, operation

from models.chat_service.delivery import Exchange, Heading
from models.chat_service.intake import Intake
from models.chat_service.payload import Frame
from models.chat_service.preconditions import is_calm
from models.chat_service.processes import Process, Steps, Wait
from models.chat_service.settings import Settings
from models.chat_service.state import ServiceState
from models.session_manager.ids import Id
from models.session_manager.manager import Connection, Event
from models.session_manager.model import SessionsModel
from models.session_manager.sessions import Session


class MessagesModel(SessionsModel):
    """A session manager that is sent frames and posts.

    A frame of which something is None leaves it out; on a connection that is not live, nothing
    happens. A post returns its exchange. Both return the ids of a session that has begun or got
    another run by them; all else is told, by socket or exchange and thread, as order holds within
    a thread only. What comes back to an exchange are the events of a stream, then {"type": "end"},
    or one {"type": "response", "status", ...}.
    """

    def __init__(self, **settings: Any) -> None:  # Any: drawn by name
        super().__init__()
        self.service = ServiceState(Settings(**settings), self._tell_of_thread)
        self.state = self.service.core
        self.intake = Intake(self.service)
        self.later: dict[int, list[object]] = {}  # what steps come to whose outcome is not told yet
        self.callers: dict[int, Process] = {}  # what steps do whose callers wait for it

    @operation
    def connect(self, user: str, thread: Id | None, name: Id | None, peer: str) -> object:
        """A socket is connected; what is sent to it has the run that it began with."""
        outcome = super().connect(user, thread, name, peer)
        socket = Handle("k", self.state.clock.step)
        if connection := self.state.connections.live.get(socket):
            run = self.state.sessions.live[connection.key].run
            self.intake.headings[socket] = Heading(connection.key, run)
        return outcome

    @operation(when=is_calm)
    def say(
        self,
        connection: Handle,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> object:
        """A user_message arrives over a connection, for an agent that behaves as the word says."""
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._receive(connection, frame)

    @operation(when=is_calm)
    def start_agent(
        self,
        connection: Handle,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> object:
        """A start_agent arrives, whose user_request is the text."""
        frame = Frame("start_agent", {"user_request": text}, thread, run, message, agent)
        return self._receive(connection, frame)

    @operation(when=is_calm)
    def refer(
        self,
        connection: Handle,
        thread: Id | None,
        references: tuple[object, ...],
        text: str,
        agent: str,
    ) -> object:
        """A user_message arrives that refers to something, of which the agent tells."""
        fields = {"text": text, "references": list(references)}
        return self._receive(connection, Frame("user_message", fields, thread, agent=agent))

    @operation(when=is_calm)
    def history(self, connection: Handle, thread: Id | None, limit: int | None) -> object:
        """A get_thread_history arrives."""
        return self._receive(connection, Frame("get_thread_history", {"limit": limit}, thread))

    @operation
    def agent_answers(self, text: str) -> None:
        """The agent that is held on a text goes on, now or when it comes so far."""
        self.service.handling.released.add(text)
        self.service.processes.say(text)

    @operation
    def stop_agent(self, connection: Handle, thread: Id | None) -> object:
        """A stop_agent arrives."""
        return self._receive(connection, Frame("stop_agent", thread=thread))

    @operation
    def ping_thread(self, connection: Handle, thread: Id | None) -> object:
        """A ping arrives, for the connection's own thread or for another."""
        return self._receive(connection, Frame("ping", thread=thread))

    @operation
    def malformed(self, connection: Handle, flaw: str) -> object:
        """A frame arrives that has a flaw (MALFORMED_FRAMES)."""
        live = self._live(connection)
        if live:
            self.intake.receive_flawed(live, flaw)
        return None

    @operation
    def subscribe(self, connection: Handle, thread: Id | None, action: str) -> object:
        """A subscribe_quality_alerts arrives."""
        fields = {"action": action}
        return self._receive(connection, Frame("subscribe_quality_alerts", fields, thread))

    @operation(when=is_calm)
    def quality_metrics(
        self, connection: Handle, thread: Id | None, agent_name: str | None, hours: int | None
    ) -> object:
        """A get_quality_metrics arrives, for a thread's latest answers."""
        fields = {"agent_name": agent_name, "period_hours": hours}
        return self._receive(connection, Frame("get_quality_metrics", fields, thread))

    @operation(when=is_calm)
    def quality_report(
        self, connection: Handle, thread: Id | None, report: str | None, period: str | None
    ) -> object:
        """A generate_quality_report arrives."""
        fields = {"report_type": report, "period": period}
        return self._receive(connection, Frame("generate_quality_report", fields, thread))

    @operation
    def validate(
        self,
        connection: Handle,
        thread: Id | None,
        content: str,
        content_type: str | None,
        strict: bool | None,
    ) -> object:
        """A validate_content arrives."""
        fields = {"content": content, "content_type": content_type, "strict_mode": strict}
        return self._receive(connection, Frame("validate_content", fields, thread))

    @operation(when=is_calm)
    def post(
        self,
        user: str,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> object:
        """A user's message is posted, and the answer waited for."""
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._post(user, frame, streams=False)

    @operation(when=is_calm)
    def post_stream(
        self,
        user: str,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> object:
        """A user's message is posted, and every event of its handling streamed."""
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._post(user, frame, streams=True)

    @operation
    def hang_up(self, exchange: Handle) -> None:
        """A client leaves who waits for what comes of a post; the message goes on without him."""
        self.service.exchanges[exchange].is_over = True

    def settle(self) -> None:
        self.service.settle()

    def at(self, step: int) -> Self:
        self.service.processes.gated = self.overlaps
        return super().at(step)

    def goes_on(self) -> list[int]:
        return self.service.goes_on()

    def go_on(self, step: int) -> object:
        """Do the next moment of what a step has begun."""
        self.state.clock.step = step
        self.service.go_on(step)
        return self.later.pop(step)[0] if self.later.get(step) else LATER

    def leave_off(self, step: int) -> None:
        """End what a caller does by himself; a message that he has sent goes on without him."""
        if step not in self.callers:
            super().leave_off(step)
        self.service.processes.end(self.callers.pop(step))
        self.service.settle()

    def _finish(self, steps: Generator[Wait, bool, object]) -> object:
        """Do the rest of this step, as far as nothing can come between; return what it comes to."""
        step = self.state.clock.step
        found: list[object] = []
        self.later[step] = found

        def whole() -> Steps:
            found.append((yield from steps))
            del self.callers[step]

        self.callers[step] = self.service.processes.start(whole(), step)
        self.service.settle()
        return self.later.pop(step)[0] if found else LATER

    def _tell_of_thread(self, to: Handle, event: Event) -> None:
        self.tell((to, event.get("thread_id")), event)

    def _receive(self, handle: Handle, frame: Frame) -> object:
        """Take in a frame of a connection; on one that has ended, nothing happens."""
        connection = self._live(handle)
        if connection is None:
            return None
        ids = self._accepted(frame, lambda: self.intake.receive(connection, frame))
        return ids or None

    def _post(self, user: str, frame: Frame, *, streams: bool) -> object:
        exchange = Exchange(self.state.clock.new_handle("h"), streams)
        self.service.exchanges[exchange.handle] = exchange
        ids = self._accepted(frame, lambda: self.intake.post(user, frame, exchange), exchange)
        return {"exchange": exchange.handle, **ids}

    def _accepted(
        self, frame: Frame, take: Callable[[], Session | None], exchange: Exchange | None = None
    ) -> dict[str, object]:
        """Take in a message; return the ids of its session if that, or its run, is new."""
        before = {key: session.run for key, session in self.state.sessions.live.items()}
        session = take()
        if session is None:
            return {}
        self.owners[self.state.clock.step] = session.user
        texts = (frame.fields.get(name) for name in ("text", "user_request", "content"))
        self.written |= {text: session.key for text in texts if text}
        if exchange:
            self.keys[exchange.handle] = session.key
        is_known = before.get(session.key) == session.run
        return {} if is_known else {"thread": session.thread, "run": session.run}

    def _live(self, handle: Handle) -> Connection | None:
        """Return a connection if it is live; raises KeyError for one that ended long ago."""
        connections = self.state.connections
        if handle not in connections.live:
            connections.name_of(handle)
        return connections.live.get(handle)
