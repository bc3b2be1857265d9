"""What the parts of quality need of the service around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.queue.message import Message


class Sender(Protocol):
    """Sends events on a context; no call waits."""

    def answer(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        """Send to the connection that asked, if it is still there."""
        ...

    def publish(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        """Send to the context's thread, and to the connection that asked if it is elsewhere."""
        ...


class Managers(Protocol):
    """Knows which threads have a live manager."""

    def find(self, key: IsolationKey) -> object | None: ...


class Handler(Protocol):
    """Handles one message; raises what storage raises, which the caller tells of."""

    async def handle(self, message: Message) -> None: ...
