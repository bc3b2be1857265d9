"""The part of the model that takes in messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadline.handle import Handle
from threadline.outcome import Ok, Outcome

from models.chat_service.delivery import Exchange, Heading
from models.chat_service.intake import Intake
from models.chat_service.payload import Frame
from models.chat_service.settings import Settings
from models.chat_service.state import ServiceState
from models.session_manager.ids import Id
from models.session_manager.manager import Connection
from models.session_manager.model import SessionManagerModel
from models.session_manager.sessions import Session


class MessagesModel(SessionManagerModel):
    """A session manager that is sent frames and posts.

    Models do not inherit from each other but here: every operation of a session manager is one
    of a chat service, on the same state, and what more comes of it is settled when it is done.
    """

    def __init__(self, policy: object = None, **settings: Any) -> None:  # Any: drawn by name
        super().__init__(policy)
        self.service = ServiceState(Settings(**settings))
        self.state = self.service.core
        self.intake = Intake(self.service)

    def connect(self, user: str, thread: Id | None, name: Id | None, peer: str) -> Outcome:
        outcome = super().connect(user, thread, name, peer)
        socket = Handle("k", self.state.moment.step)
        if connection := self.state.board.connections.get(socket):
            run = self.state.sessions.live[connection.key].run
            self.intake.headings[socket] = Heading(connection.key, run)
        return outcome

    def say(
        self,
        connection: Handle,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> Outcome:
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._receive(connection, frame)

    def start_agent(
        self,
        connection: Handle,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> Outcome:
        frame = Frame("start_agent", {"user_request": text}, thread, run, message, agent)
        return self._receive(connection, frame)

    def history(self, connection: Handle, thread: Id | None, limit: int | None) -> Outcome:
        return self._receive(connection, Frame("get_thread_history", {"limit": limit}, thread))

    def stop_agent(self, connection: Handle, thread: Id | None) -> Outcome:
        return self._receive(connection, Frame("stop_agent", thread=thread))

    def ping_thread(self, connection: Handle, thread: Id | None) -> Outcome:
        return self._receive(connection, Frame("ping", thread=thread))

    def malformed(self, connection: Handle, flaw: str) -> Outcome:
        live = self._live(connection)
        if live:
            self.intake.receive_flawed(live, flaw)
        return self._done(None)

    def subscribe(self, connection: Handle, thread: Id | None, action: str) -> Outcome:
        fields = {"action": action}
        return self._receive(connection, Frame("subscribe_quality_alerts", fields, thread))

    def quality_metrics(
        self, connection: Handle, thread: Id | None, agent_name: str | None, hours: int | None
    ) -> Outcome:
        fields = {"agent_name": agent_name, "period_hours": hours}
        return self._receive(connection, Frame("get_quality_metrics", fields, thread))

    def quality_report(
        self, connection: Handle, thread: Id | None, report: str | None, period: str | None
    ) -> Outcome:
        fields = {"report_type": report, "period": period}
        return self._receive(connection, Frame("generate_quality_report", fields, thread))

    def validate(
        self,
        connection: Handle,
        thread: Id | None,
        content: str,
        content_type: str | None,
        strict: bool | None,
    ) -> Outcome:
        fields = {"content": content, "content_type": content_type, "strict_mode": strict}
        return self._receive(connection, Frame("validate_content", fields, thread))

    def post(
        self,
        user: str,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> Outcome:
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._post(user, frame, streams=False)

    def post_stream(
        self,
        user: str,
        thread: Id | None,
        run: Id | None,
        message: Id | None,
        text: str,
        agent: str,
    ) -> Outcome:
        frame = Frame("user_message", {"text": text}, thread, run, message, agent)
        return self._post(user, frame, streams=True)

    def _receive(self, handle: Handle, frame: Frame) -> Outcome:
        """Take in a frame of a connection; on one that has ended, nothing happens."""
        connection = self._live(handle)
        if connection is None:
            return self._done(None)
        ids = self._accepted(frame, lambda: self.intake.receive(connection, frame))
        return self._done(ids or None)

    def _post(self, user: str, frame: Frame, *, streams: bool) -> Outcome:
        exchange = Exchange(self.state.moment.mint("h"), streams)
        ids = self._accepted(frame, lambda: self.intake.post(user, frame, exchange), exchange)
        return self._done({"exchange": exchange.handle, **ids})

    def _accepted(
        self, frame: Frame, take: Callable[[], Session | None], exchange: Exchange | None = None
    ) -> dict[str, object]:
        """Let a message be taken in; return the ids of its session if that, or its run, is new."""
        before = {key: session.run for key, session in self.state.sessions.live.items()}
        session = take()
        if session is None:
            return {}
        self.owners[self.state.moment.step] = session.user
        texts = (frame.fields.get(name) for name in ("text", "user_request", "content"))
        self.written |= {text: session.key for text in texts if text}
        if exchange:
            self.keys[exchange.handle] = session.key
        is_known = before.get(session.key) == session.run
        return {} if is_known else {"thread": session.thread, "run": session.run}

    def _live(self, handle: Handle) -> Connection | None:
        """Return a connection if it is live; raises Dangling for one that ended long ago."""
        board = self.state.board
        if handle not in board.connections:
            board.name_of(handle)
        return board.connections.get(handle)

    def _done(self, value: object) -> Outcome:
        """Settle what comes of an operation; return its value, and beside it what arrived."""
        self.service.settle()
        sent = self.service.delivery.take()
        return Ok({"value": value, "sent": sent} if sent else value)
