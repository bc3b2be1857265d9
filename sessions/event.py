"""What the system sends to a socket."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sessions.key import IsolationKey

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class WebSocket(Protocol):
    """Anything that sends like a WebSocket; connecting gives it an attribute user_context."""

    async def send_json(self, data: dict[str, Json]) -> None: ...

    async def close(self, code: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one thread; message_id is that of the message it answers, if any.

    fields are the event's own, beside the ids that every event carries (the contract, Messages).
    """

    kind: str
    key: IsolationKey
    run_id: str | None
    event_id: str
    message_id: str | None
    fields: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        """Return a copy of its own for each socket, so that no two users share an object.

        No field of the event's own can take the place of its type or its ids.
        """
        ids: dict[str, Json] = {
            "type": self.kind,
            "thread_id": self.key.thread_id,
            "run_id": self.run_id,
            "event_id": self.event_id,
            "message_id": self.message_id,
        }
        return ids | copy.deepcopy(dict(self.fields)) | ids

    def size_bytes(self) -> int:
        """Return how large its own fields are as JSON: the ids that each event has are short."""
        return len(json.dumps(self.fields, separators=(",", ":")))
