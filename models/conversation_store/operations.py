"""The operations on a conversation store."""

from __future__ import annotations

from dataclasses import dataclass

from threadline.handle import Handle
from threadline.operation import Operation
from threadline.outcome import Outcome

from models.conversation_store.contract import Catalogue, Conversations, Restart


@dataclass(frozen=True, slots=True)
class Open(Operation):
    """A user opens one of their threads."""

    user: str
    thread: str

    def apply(self, target: Conversations) -> Outcome:
        return target.open(self.user, self.thread)


@dataclass(frozen=True, slots=True)
class Append(Operation):
    """A turn is added to a conversation."""

    conversation: Handle
    text: str

    def apply(self, target: Conversations) -> Outcome:
        return target.append(self.conversation, self.text)


@dataclass(frozen=True, slots=True)
class History(Operation):
    """The turns of a conversation are read."""

    conversation: Handle
    limit: int | None

    def apply(self, target: Conversations) -> Outcome:
        return target.history(self.conversation, self.limit)


@dataclass(frozen=True, slots=True)
class Pop(Operation):
    """The latest turn is taken back."""

    conversation: Handle

    def apply(self, target: Conversations) -> Outcome:
        return target.pop(self.conversation)


@dataclass(frozen=True, slots=True)
class Clear(Operation):
    """All turns of a conversation are removed."""

    conversation: Handle

    def apply(self, target: Conversations) -> Outcome:
        return target.clear(self.conversation)


@dataclass(frozen=True, slots=True)
class Threads(Operation):
    """A user lists their threads."""

    user: str

    def apply(self, target: Catalogue) -> Outcome:
        return target.threads(self.user)


@dataclass(frozen=True, slots=True)
class Delete(Operation):
    """A user deletes one of their threads."""

    user: str
    thread: str

    def apply(self, target: Catalogue) -> Outcome:
        return target.delete(self.user, self.thread)


@dataclass(frozen=True, slots=True)
class Reopen(Operation):
    """The store is closed, and opened again; every handle ends."""

    def apply(self, target: Restart) -> Outcome:
        return target.reopen()
