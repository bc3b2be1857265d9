"""A user's session, and what one look at it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypedDict


class SessionData(TypedDict):
    """The three ids that a get returns; request_id is new each time and stored nowhere."""

    thread_id: str
    run_id: str
    request_id: str


@dataclass(slots=True, eq=False)
class Session:
    """One conversation of one user, as the registry keeps it; times are clock seconds.

    ends_with_manager: a connection began it and no message has come yet, so that it ends with
    its manager, which is at leased_until_s unless the manager says otherwise. number tells it from
    a later session of the same name; used is the number of its latest get or message, of all.
    """

    user_id: str
    thread_id: str
    run_id: str
    websocket_client_id: str
    created_at_s: float
    active_at_s: float
    ends_with_manager: bool
    number: int
    used: int = 0
    leased_until_s: float | None = None


class Peek(NamedTuple):
    """What a look at a live session shows."""

    run_id: str
    websocket_client_id: str
    began_at_s: float
    number: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What one get found: a copy of the session's ids, and whether it was there before.

    number is the session's own, which no other has; used, that of its latest get.
    """

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    websocket_client_id: str
    created_at_s: float
    resumed: bool
    number: int
    used: int

    def data(self) -> SessionData:
        return {
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "request_id": self.request_id,
        }
