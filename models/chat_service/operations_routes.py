"""The operations over HTTP, and those of whoever embeds the service."""

from __future__ import annotations

from dataclasses import dataclass

from threadline.operation import Operation
from threadline.outcome import Outcome

from models.chat_service.contract import Routes
from models.session_manager.contract import Text


@dataclass(frozen=True, slots=True)
class Post(Operation):
    """A user's message is posted, and the answer waited for."""

    user: str
    thread: Text | None
    run: Text | None
    message: Text | None
    text: str
    agent: str

    def apply(self, target: Routes) -> Outcome:
        return target.post(self.user, self.thread, self.run, self.message, self.text, self.agent)


@dataclass(frozen=True, slots=True)
class PostStream(Operation):
    """A user's message is posted, and every event of its handling streamed."""

    user: str
    thread: Text | None
    run: Text | None
    message: Text | None
    text: str
    agent: str

    def apply(self, target: Routes) -> Outcome:
        return target.post_stream(
            self.user, self.thread, self.run, self.message, self.text, self.agent
        )


@dataclass(frozen=True, slots=True)
class Threads(Operation):
    """A user's stored conversations are listed. Needs all places of the pool to be free."""

    user: str

    def apply(self, target: Routes) -> Outcome:
        return target.threads(self.user)


@dataclass(frozen=True, slots=True)
class ThreadMessages(Operation):
    """A thread's latest turns are read. Needs all places of the pool to be free."""

    user: str
    thread: Text
    limit: int | None

    def apply(self, target: Routes) -> Outcome:
        return target.thread_messages(self.user, self.thread, self.limit)


@dataclass(frozen=True, slots=True)
class DeleteThread(Operation):
    """A thread is deleted with all that it has. Needs all places of the pool to be free."""

    user: str
    thread: Text

    def apply(self, target: Routes) -> Outcome:
        return target.delete_thread(self.user, self.thread)


@dataclass(frozen=True, slots=True)
class Broadcast(Operation):
    """A quality_update or quality_alert goes to every subscribed thread."""

    event: str
    text: str

    def apply(self, target: Routes) -> Outcome:
        return target.broadcast(self.event, self.text)
