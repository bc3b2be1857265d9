"""How messages come in: what refuses one first, and else what becomes of it."""

from __future__ import annotations

from models.chat_service.delivery import Asker, Exchange, Heading
from models.chat_service.malformed_frames import MALFORMED_FRAMES
from models.chat_service.payload import Frame
from models.chat_service.requests import Request
from models.chat_service.state import ServiceState
from models.session_manager.ids import Id, Key, refused_ids
from models.session_manager.manager import Connection
from models.session_manager.sessions import Session


class Intake:
    """Takes in frames of live connections, and messages of exchanges.

    headings: the connect's own context of each connection, under which refusals are told.
    """

    def __init__(self, service: ServiceState) -> None:
        self.headings: dict[object, Heading] = {}
        self._service = service

    def receive(self, connection: Connection, frame: Frame) -> Session | None:
        """Take in a frame; return the session that accepted it, if one did."""
        key = (connection.key[0], frame.thread or connection.key[1])
        self._service.core.note_frame(connection)
        code = frame.flaw()
        if not code and frame.kind == "ping":
            self._ping(connection, key)
            return None
        if not code and frame.kind == "stop_agent":
            return self._stop(connection, key)
        if code:
            self._refuse(connection, code, None)
            return None
        found = self._accept(*key, frame, connection)
        if isinstance(found, str):
            self._refuse(connection, found, frame.message or None)
            return None
        return found

    def receive_flawed(self, connection: Connection, name: str) -> None:
        """Take in a frame with a flaw."""
        self._service.core.note_frame(connection)
        flaw = MALFORMED_FRAMES[name]
        is_too_large = flaw.size_bytes > self._service.settings.message_bytes_max
        self._refuse(connection, "too_large" if is_too_large else flaw.code, None)

    def post(self, user: str, frame: Frame, exchange: Exchange) -> Session | None:
        """Take in a message without a connection: without a thread it is for the latest."""
        code = frame.flaw() or ("bad_id" if refused_ids(user) else "")
        found = code or self._accept(user, frame.thread or None, frame, exchange)
        if isinstance(found, str):
            self._service.delivery.refuse(exchange, found)
            return None
        return found

    def _accept(self, user: str, thread: Id | None, frame: Frame, asker: Asker) -> Session | str:
        """Queue a message under the session that it is for; or return the code that refuses it."""
        requests, settings = self._service.requests, self._service.settings
        is_full = len(requests.all()) >= settings.queue_max
        if is_full or len(requests.of(user)) >= settings.queue_max_per_user:
            return "queue_full"
        session = self._get(user, thread, frame.run or None)
        if session is None:
            return "session_limit"
        heading = Heading(session.key, session.run, frame.message or None)
        asked = frame.kind, frame.fields, frame.agent, session, heading, asker
        clock = self._service.clock
        requests.put(Request(*asked, session.used, clock.step, clock.now_s))
        return session

    def _get(self, user: str, thread: Id | None, run: Id | None) -> Session | None:
        """Get the session of a message, which is counted; None at the limit."""
        core = self._service.core
        if core.refuse_get(user, thread, run):
            return None
        core.counts.messages += 1
        core.counts.messages_continued += core.sessions.find(user, thread) is not None
        session = core.visit(user, thread, run)
        session.is_fleeting = False
        return session

    def _ping(self, connection: Connection, key: Key) -> None:
        core = self._service.core
        session = core.sessions.live.get(key)
        if session:
            session.active_s = core.clock.now_s
        heading = Heading(key, session.run if session else None)
        self._service.delivery.answer(heading, connection, "pong")

    def _stop(self, connection: Connection, key: Key) -> Session | None:
        """Cancel the agent's request that was begun, if the thread's first one is such."""
        head = self._service.requests.head(key)
        if head is None or not (head.is_agents and head.has_begun) or head.is_ending:
            self._refuse(connection, "nothing_to_stop", None)
            return None
        session = self._get(*key, None)
        assert session is head.session
        self._service.requests.stop(head)
        heading = Heading(key, session.run)
        self._service.delivery.publish(heading, connection, "agent_stopped")
        return session

    def _refuse(self, connection: Connection, code: str, message: Id | None) -> None:
        """Send a connection the error for a refused message, on its own context."""
        heading = self.headings[connection.handle]._replace(message=message)
        self._service.delivery.answer(heading, connection, "error", code=code)
