"""The operations that are frames over a connection."""

from __future__ import annotations

from dataclasses import dataclass

from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Outcome

from models.chat_service.contract import Frames, QualityFrames
from models.session_manager.contract import Text


@dataclass(frozen=True, slots=True)
class Say(Operation):
    """A user's message arrives, for an agent that behaves as the word says."""

    connection: Handle
    thread: Text | None
    run: Text | None
    message: Text | None
    text: str
    agent: str

    def apply(self, target: Frames) -> Outcome:
        return target.say(
            self.connection, self.thread, self.run, self.message, self.text, self.agent
        )


@dataclass(frozen=True, slots=True)
class StartAgent(Operation):
    """An agent is started on a request of the user's."""

    connection: Handle
    thread: Text | None
    run: Text | None
    message: Text | None
    text: str
    agent: str

    def apply(self, target: Frames) -> Outcome:
        return target.start_agent(
            self.connection, self.thread, self.run, self.message, self.text, self.agent
        )


@dataclass(frozen=True, slots=True)
class History(Operation):
    """The latest turns of a thread are asked for."""

    connection: Handle
    thread: Text | None
    limit: int | None

    def apply(self, target: Frames) -> Outcome:
        return target.history(self.connection, self.thread, self.limit)


@dataclass(frozen=True, slots=True)
class StopAgent(Operation):
    """The agent of a thread is stopped."""

    connection: Handle
    thread: Text | None

    def apply(self, target: Frames) -> Outcome:
        return target.stop_agent(self.connection, self.thread)


@dataclass(frozen=True, slots=True)
class PingThread(Operation):
    """A ping arrives, for the connection's own thread or for another."""

    connection: Handle
    thread: Text | None

    def apply(self, target: Frames) -> Outcome:
        return target.ping_thread(self.connection, self.thread)


@dataclass(frozen=True, slots=True)
class Malformed(Operation):
    """A frame arrives that has a flaw, by the name that it has in FLAWS."""

    connection: Handle
    flaw: str

    def apply(self, target: Frames) -> Outcome:
        return target.malformed(self.connection, self.flaw)


@dataclass(frozen=True, slots=True)
class Subscribe(Operation):
    """A thread is subscribed to quality alerts, or no longer."""

    connection: Handle
    thread: Text | None
    action: str

    def apply(self, target: QualityFrames) -> Outcome:
        return target.subscribe(self.connection, self.thread, self.action)


@dataclass(frozen=True, slots=True)
class QualityMetrics(Operation):
    """The quality of a thread's latest answers is asked for."""

    connection: Handle
    thread: Text | None
    agent_name: str | None
    hours: int | None

    def apply(self, target: QualityFrames) -> Outcome:
        return target.quality_metrics(self.connection, self.thread, self.agent_name, self.hours)


@dataclass(frozen=True, slots=True)
class QualityReport(Operation):
    """A report on the quality of a thread's answers is asked for."""

    connection: Handle
    thread: Text | None
    report: str | None
    period: str | None

    def apply(self, target: QualityFrames) -> Outcome:
        return target.quality_report(self.connection, self.thread, self.report, self.period)


@dataclass(frozen=True, slots=True)
class Validate(Operation):
    """A content is to be judged."""

    connection: Handle
    thread: Text | None
    content: str
    content_type: str | None
    strict: bool | None

    def apply(self, target: QualityFrames) -> Outcome:
        return target.validate(
            self.connection, self.thread, self.content, self.content_type, self.strict
        )
