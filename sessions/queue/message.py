"""A message that waits to be handled, and how it waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sessions.event import Json
from sessions.key import IsolationKey


class Priority(IntEnum):
    """How urgent a message is; the smaller number goes first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class Message:
    """What a user sent, under the ids of the context that it came with."""

    user_id: str
    thread_id: str
    run_id: str
    payload: Json
    priority: Priority = Priority.NORMAL

    @property
    def key(self) -> IsolationKey:
        return IsolationKey(self.user_id, self.thread_id)


@dataclass(slots=True, eq=False)
class Queued:
    """A message in the queue: its number in the order of arrival, and how often it failed."""

    message: Message
    arrival: int
    failures: int = 0
