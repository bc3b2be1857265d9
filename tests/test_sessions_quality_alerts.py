"""Quality alerts: what a broadcast shares between those who hear it."""

from __future__ import annotations

from collections.abc import Mapping

from sessions.context import UserExecutionContext
from sessions.event import Json
from sessions.key import IsolationKey
from sessions.quality import QualityManager
from tests.sessions_stores import context


class Outbox:
    """A sender that keeps what is published, for threads that all have a live manager."""

    def __init__(self) -> None:
        self.published: list[Mapping[str, Json]] = []

    def find(self, key: IsolationKey) -> object | None:
        return key

    def publish(
        self,
        context: UserExecutionContext,
        kind: str,
        fields: Mapping[str, Json],
        message_id: str | None,
        asker: str | None,
    ) -> None:
        self.published.append(fields)

    answer = publish


def test_broadcast_shares_nothing_between_threads() -> None:
    """A change of one thread's payload reaches neither the other's nor the sender's."""
    outbox = Outbox()
    payload: dict[str, Json] = {"list": [1]}
    manager = QualityManager(outbox, outbox)
    manager.subscribe(context())
    manager.subscribe(context(thread_id="u"))

    manager.broadcast("quality_update", payload)
    first, second = outbox.published
    assert isinstance(first["list"], list)
    first["list"].append(2)

    assert second == payload == {"list": [1]}
