"""What stands around the parts of quality in their tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.queue.message import Message
from tests.sessions_stores import context


def asked(
    payload: Mapping[str, Json],
    kind: str = "validate_content",
    asked_on: UserExecutionContext | None = None,
) -> Message:
    """Return a message as its entry hands it on."""
    return Message(asked_on or context(), kind, payload, 1, message_id="m1", asker="c1")


class Sent(NamedTuple):
    """What was sent, and on which context."""

    context: UserExecutionContext
    kind: str
    fields: dict[str, Json]
    message_id: str | None
    asker: str | None


class Outbox:
    """A sender that keeps what it is given, answers and publications apart."""

    def __init__(self) -> None:
        self.answers: list[Sent] = []
        self.published: list[Sent] = []

    def answer(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        self.answers.append(Sent(context, kind, dict(fields), message_id, asker))

    def publish(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        self.published.append(Sent(context, kind, dict(fields), message_id, asker))


class Managers:
    """Which threads have a live manager."""

    def __init__(self, *live: IsolationKey) -> None:
        self.live = set(live)

    def find(self, key: IsolationKey) -> object | None:
        return key if key in self.live else None
