"""The operations on connections, their peers, managers and time."""

from __future__ import annotations

from dataclasses import dataclass

from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Outcome

from models.session_manager.contract import Connections, Faults, Key, Life, Managers, Text


@dataclass(frozen=True, slots=True)
class Connect(Operation):
    """A socket is connected, to a thread or to a new conversation."""

    user: str
    thread: Text | None
    name: Text | None
    peer: str

    def apply(self, target: Connections) -> Outcome:
        return target.connect(self.user, self.thread, self.name, self.peer)


@dataclass(frozen=True, slots=True)
class Disconnect(Operation):
    """The peer closes its socket: 1000 says that it will not come back."""

    connection: Handle
    code: int

    def apply(self, target: Connections) -> Outcome:
        return target.disconnect(self.connection, self.code)


@dataclass(frozen=True, slots=True)
class Message(Operation):
    """A user's message arrives, over a connection or without one."""

    user: str
    thread: Text | None
    run: Text | None
    connection: Handle | None
    text: str

    def apply(self, target: Connections) -> Outcome:
        return target.message(self.user, self.thread, self.run, self.connection, self.text)


@dataclass(frozen=True, slots=True)
class Ping(Operation):
    """A ping arrives over a connection, for its own thread or for another."""

    user: str
    connection: Handle
    thread: Text | None

    def apply(self, target: Connections) -> Outcome:
        return target.ping(self.user, self.connection, self.thread)


@dataclass(frozen=True, slots=True)
class Deliver(Operation):
    """An agent has an event for a thread."""

    user: str
    thread: Text
    text: str

    def apply(self, target: Connections) -> Outcome:
        return target.deliver(self.user, self.thread, self.text)


@dataclass(frozen=True, slots=True)
class Stall(Operation):
    """A peer takes nothing from now on."""

    connection: Handle

    def apply(self, target: Faults) -> Outcome:
        return target.stall(self.connection)


@dataclass(frozen=True, slots=True)
class Resume(Operation):
    """A stalled peer takes what waits."""

    connection: Handle

    def apply(self, target: Faults) -> Outcome:
        return target.resume(self.connection)


@dataclass(frozen=True, slots=True)
class Cut(Operation):
    """Whatever is sent to a peer raises from now on."""

    connection: Handle

    def apply(self, target: Faults) -> Outcome:
        return target.cut(self.connection)


@dataclass(frozen=True, slots=True)
class Mend(Operation):
    """A cut peer can be sent to again."""

    connection: Handle

    def apply(self, target: Faults) -> Outcome:
        return target.mend(self.connection)


@dataclass(frozen=True, slots=True)
class CreateManager(Operation):
    """A manager is asked for, of a context or of a new conversation."""

    context: Handle | None
    user: str | None

    def apply(self, target: Managers) -> Outcome:
        return target.create_manager(self.context, self.user)


@dataclass(frozen=True, slots=True)
class GetManager(Operation):
    """A manager is looked up."""

    key: Key | None
    context: Handle | None

    def apply(self, target: Managers) -> Outcome:
        return target.get_manager(self.key, self.context)


@dataclass(frozen=True, slots=True)
class CleanupManager(Operation):
    """A manager is ended from outside."""

    key: Key | None
    context: Handle | None

    def apply(self, target: Managers) -> Outcome:
        return target.cleanup_manager(self.key, self.context)


@dataclass(frozen=True, slots=True)
class ManagerCount(Operation):
    """The managers of a user are counted."""

    user: str

    def apply(self, target: Managers) -> Outcome:
        return target.manager_count(self.user)


@dataclass(frozen=True, slots=True)
class Wait(Operation):
    """Time passes."""

    seconds: int

    def apply(self, target: Life) -> Outcome:
        return target.wait(self.seconds)


@dataclass(frozen=True, slots=True)
class Sweep(Operation):
    """What is due is freed, before its time."""

    def apply(self, target: Life) -> Outcome:
        return target.sweep()


@dataclass(frozen=True, slots=True)
class Metrics(Operation):
    """The counts are read."""

    def apply(self, target: Life) -> Outcome:
        return target.metrics()
