"""A message that waits to be handled, and how it waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.ids import IsolationKey
from sessions.storage.tables import Begun

HISTORY_TURNS_MAX = 20  # that an agent is shown; our choice


class Priority(IntEnum):
    """How urgent a message is; the smaller number goes first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class Message:
    """What a user sent, with the context that it came with, which it keeps to the end.

    payload: by field, checked. asker: the connection or the exchange that waits for answers.
    session_number: that of the session that accepted it, with which it ends. used: its place in the
    order of all gets and messages.
    """

    context: UserExecutionContext
    kind: str
    payload: Mapping[str, Json]
    session_number: int
    used: int = 0
    message_id: str | None = None
    asker: str | None = None
    priority: Priority = Priority.NORMAL
    key: IsolationKey = field(init=False)

    def __post_init__(self) -> None:
        key = IsolationKey(self.context.user_id, self.context.thread_id)
        object.__setattr__(self, "key", key)


@dataclass(slots=True, eq=False)
class Queued:
    """A message in the queue: its number in the order of arrival, and how often it failed."""

    message: Message
    arrival: int
    failures: int = 0
    begun: Begun | None = None
