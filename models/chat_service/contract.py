"""What a chat service offers, in parts that a driver can have or lack.

Beside these it offers what a session manager does, but for messages, pings and deliveries, which
come as frames here, and for ids.
"""

from __future__ import annotations

from typing import Protocol

from threadline.handle import Handle
from threadline.outcome import Outcome

from models.session_manager.contract import Faults, Getter, Life, Managers, Text


class Connecting(Protocol):
    """Sockets on threads, which come and go."""

    def connect(self, user: str, thread: Text | None, name: Text | None, peer: str) -> Outcome:
        """Connect a socket whose peer is such (peers.PEERS); return it with its context."""
        ...

    def disconnect(self, connection: Handle, code: int) -> Outcome:
        """Let the peer close its socket; return whether it was live."""
        ...


class Frames(Protocol):
    """What is sent over a connection; on one that is not live, nothing happens.

    What is None is left out of the frame. The value is None, or, if a session has begun or got
    another run in this step, its ids {"thread", "run"}: all else arrives in `sent`.
    """

    def say(
        self,
        connection: Handle,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Outcome:
        """Send a user_message to an agent that is such (agents.AGENTS)."""
        ...

    def start_agent(
        self,
        connection: Handle,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Outcome:
        """Send a start_agent, whose user_request is the text."""
        ...

    def history(self, connection: Handle, thread: Text | None, limit: int | None) -> Outcome:
        """Send a get_thread_history."""
        ...

    def stop_agent(self, connection: Handle, thread: Text | None) -> Outcome:
        """Send a stop_agent."""
        ...

    def ping_thread(self, connection: Handle, thread: Text | None) -> Outcome:
        """Send a ping."""
        ...

    def malformed(self, connection: Handle, flaw: str) -> Outcome:
        """Send a frame with a flaw (flaws.FLAWS)."""
        ...


class QualityFrames(Protocol):
    """More that is sent over a connection, about how good answers are."""

    def subscribe(self, connection: Handle, thread: Text | None, action: str) -> Outcome:
        """Send a subscribe_quality_alerts."""
        ...

    def quality_metrics(
        self, connection: Handle, thread: Text | None, agent_name: str | None, hours: int | None
    ) -> Outcome:
        """Send a get_quality_metrics."""
        ...

    def quality_report(
        self, connection: Handle, thread: Text | None, report: str | None, period: str | None
    ) -> Outcome:
        """Send a generate_quality_report."""
        ...

    def validate(
        self,
        connection: Handle,
        thread: Text | None,
        content: str,
        content_type: str | None,
        strict: bool | None,
    ) -> Outcome:
        """Send a validate_content."""
        ...


class Routes(Protocol):
    """What is asked over HTTP, by a user who is known; and what the embedder calls.

    post and post_stream return {"exchange"}, with the ids of a session as a frame does. What
    comes back arrives at the exchange, now or later: the events of a stream, then
    {"type": "end"}; else, and where it is refused before it is queued, {"type": "response",
    "status", ...} with its body but for `message`. The others refuse by the code of the body.
    """

    def post(
        self,
        user: str,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Outcome:
        """Send a user's message, and wait for the answer."""
        ...

    def post_stream(
        self,
        user: str,
        thread: Text | None,
        run: Text | None,
        message: Text | None,
        text: str,
        agent: str,
    ) -> Outcome:
        """Send a user's message, and get each event of its handling."""
        ...

    def threads(self, user: str) -> Outcome:
        """Return the stored conversations, that of the user's last message first.

        {"threads": [{"thread_id", "last_active_at_s"}]}; a message counts once its turn is stored.
        """
        ...

    def thread_messages(self, user: str, thread: Text, limit: int | None) -> Outcome:
        """Return the latest turns, {"thread_id", "turns"}."""
        ...

    def delete_thread(self, user: str, thread: Text) -> Outcome:
        """Delete a thread; return {"thread_id", "deleted"}."""
        ...

    def broadcast(self, event: str, text: str) -> Outcome:
        """Send a quality_update or quality_alert, {"text"}, to the subscribed threads."""
        ...


class Storage(Protocol):
    """The life of the whole service, and what befalls its storage, in pairs."""

    def restart(self) -> Outcome:
        """Stop the service, and start another on what it stored."""
        ...

    def crash(self) -> Outcome:
        """Do the same, but nothing is stopped: nobody is told, and no clean-up runs."""
        ...

    def storage_fails(self) -> Outcome:
        """Let every commit of what was written raise; reads go on."""
        ...

    def storage_recovers(self) -> Outcome:
        """Let commits last again."""
        ...


class DatabaseSessions(Protocol):
    """Database sessions of a caller's own. What is done on a closed one is refused ("closed")."""

    def open_database_session(self, context: Handle, how: str) -> Outcome:
        """Open one, "awaited" or as a "block"; return it, with the ids that it is under."""
        ...

    def write_database(self, session: Handle) -> Outcome:
        """Run an UPDATE that changes nothing."""
        ...

    def read_database(self, session: Handle) -> Outcome:
        """Run a SELECT."""
        ...

    def commit_database(self, session: Handle) -> Outcome:
        """Commit; refused ("storage_error") where that fails."""
        ...

    def roll_back_database(self, session: Handle) -> Outcome:
        """Roll back."""
        ...

    def close_database(self, session: Handle) -> Outcome:
        """Close it, or leave its block."""
        ...

    def raise_in_database(self, session: Handle) -> Outcome:
        """Let the body of its block raise."""
        ...

    def cancel_database(self, session: Handle) -> Outcome:
        """Cancel the task that its block is in."""
        ...


class ChatService(
    Getter,
    Connecting,
    Faults,
    Managers,
    Life,
    Frames,
    QualityFrames,
    Routes,
    Storage,
    DatabaseSessions,
    Protocol,
):
    """The whole contract."""
