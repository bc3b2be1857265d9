"""The operations on sessions, contexts and ids."""

from __future__ import annotations

from dataclasses import dataclass

from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Outcome

from models.session_manager.contract import Getter, Ids, Text


@dataclass(frozen=True, slots=True)
class Get(Operation):
    """A context is got, of a thread or of the latest, under a run or the current one."""

    user: str
    thread: Text | None
    run: Text | None

    def apply(self, target: Getter) -> Outcome:
        return target.get(self.user, self.thread, self.run)


@dataclass(frozen=True, slots=True)
class GetSession(Operation):
    """The ids of a session are got, without a context."""

    user: str
    thread: Text | None
    run: Text | None

    def apply(self, target: Getter) -> Outcome:
        return target.get_session(self.user, self.thread, self.run)


@dataclass(frozen=True, slots=True)
class Create(Operation):
    """A context is got by the deprecated function."""

    user: str
    thread: Text | None
    run: Text | None

    def apply(self, target: Getter) -> Outcome:
        return target.create(self.user, self.thread, self.run)


@dataclass(frozen=True, slots=True)
class Existing(Operation):
    """A session is read, and left as it is."""

    user: str
    thread: Text | None

    def apply(self, target: Getter) -> Outcome:
        return target.existing(self.user, self.thread)


@dataclass(frozen=True, slots=True)
class FromWebsocket(Operation):
    """A conversation begins at the WebSocket entry."""

    user: str
    name: Text | None
    additional: tuple[str, ...]

    def apply(self, target: Getter) -> Outcome:
        return target.from_websocket(self.user, self.name, self.additional)


@dataclass(frozen=True, slots=True)
class Invalidate(Operation):
    """Everything of a user ends."""

    user: str

    def apply(self, target: Getter) -> Outcome:
        return target.invalidate(self.user)


@dataclass(frozen=True, slots=True)
class CleanUpSessions(Operation):
    """Sessions that sat idle for too long are freed."""

    def apply(self, target: Getter) -> Outcome:
        return target.clean_up_sessions()


@dataclass(frozen=True, slots=True)
class Child(Operation):
    """A part of an operation, or a part of that, gets a context of its own."""

    context: Handle
    deep: int

    def apply(self, target: Getter) -> Outcome:
        return target.child(self.context, self.deep)


@dataclass(frozen=True, slots=True)
class Tamper(Operation):
    """Somebody tries to change a context that they were handed."""

    context: Handle

    def apply(self, target: Getter) -> Outcome:
        return target.tamper(self.context)


@dataclass(frozen=True, slots=True)
class BaseId(Operation):
    """An id is made."""

    prefix: str
    random_length: int

    def apply(self, target: Ids) -> Outcome:
        return target.base_id(self.prefix, self.random_length)


@dataclass(frozen=True, slots=True)
class ContextIds(Operation):
    """The three ids of a new conversation are made, and no session."""

    user: str
    purpose: str

    def apply(self, target: Ids) -> Outcome:
        return target.context_ids(self.user, self.purpose)


@dataclass(frozen=True, slots=True)
class WebsocketIds(Operation):
    """The two ids of a socket are made."""

    user: str

    def apply(self, target: Ids) -> Outcome:
        return target.websocket_ids(self.user)


@dataclass(frozen=True, slots=True)
class ReadId(Operation):
    """A text is read as a generated id."""

    text: Text

    def apply(self, target: Ids) -> Outcome:
        return target.read_id(self.text)
